#include "test-client/client.h"

#include <stdio.h>
#include <unistd.h>

enum { EXCHANGE_TIMEOUT_S = 30 };

static const char default_ca_file[] = "caraway-data/tls/ca.pem";

const char *const tc_challenge_names[CHALLENGE_TYPES + 1] = {
#define X(name, text, ...) [CHALLENGE_##name] = text,
    ACME_CHALLENGE_TABLE(X)
#undef X
};

static struct tc_responder_options responder_options(const struct tc_client_options *options)
{
    bool dns = options->challenge != CHALLENGE_HTTP_01 && options->challenge != CHALLENGE_TLS_ALPN_01;
    long dns_port = options->dns_port != TC_DNS_PORT_AS_NEEDED ? options->dns_port : dns ? TC_DNS_PORT : 0;
    return (struct tc_responder_options) {
        .http_port = options->challenge == CHALLENGE_HTTP_01 ? (int)options->http_port : 0,
        .tls_port = options->challenge == CHALLENGE_TLS_ALPN_01 ? (int)options->tls_port : 0,
        .dns_port = (int)dns_port,
    };
}

static void fill_setup(struct tc_client *client, const struct tc_client_options *options)
{
    const char *ca_file = options->ca_file;
    if (ca_file == NULL && access(default_ca_file, R_OK) == 0)
        ca_file = default_ca_file;
    client->setup = (struct tc_flow_setup) {
        .loop = &client->loop,
        .fetcher = client->fetcher,
        .responder = client->responder,
        .world = world_real(),
        .exchange = { .ca_file = ca_file,
                      .protocols = "https",
                      .timeout_s = EXCHANGE_TIMEOUT_S,
                      .connections = (enum tc_connections)options->connections },
        .directory_url = options->directory_url,
        .contacts = options->contacts.items,
        .contact_count = options->contacts.count,
        .challenge = (enum acme_challenge_type)options->challenge,
        .poll_ms = options->poll_ms,
        .patience_ms = options->patience_s * 1000,
    };
}

bool tc_client_start(struct tc_client *client, const struct tc_client_options *options, long connections,
                     char why[static TC_WHY_SIZE])
{
    *client = (struct tc_client) { 0 };
    if (uv_loop_init(&client->loop) != 0) {
        snprintf(why, TC_WHY_SIZE, "no event loop can be had");
        return false;
    }
    client->fetcher = tc_fetcher_create(&client->loop, connections);
    struct tc_responder_options wanted = responder_options(options);
    char responder_why[TC_RESPONDER_WHY_SIZE] = "out of memory";
    if (client->fetcher == NULL || !tc_responder_start(&client->loop, &wanted, &client->responder, responder_why)) {
        snprintf(why, TC_WHY_SIZE, "%s", responder_why);
        tc_client_stop(client);
        return false;
    }
    fill_setup(client, options);
    return true;
}

void tc_client_stop(struct tc_client *client)
{
    tc_responder_drop(client->responder);
    tc_fetcher_drop(client->fetcher);
    uv_run(&client->loop, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&client->loop) == 0);
}
