#include "test-client/challtestsrv/servers.h"

#include "test-client/challtestsrv/api.h"
#include "test-client/dns_server.h"
#include "test-client/tls_context.h"
#include "test-client/tls_server.h"

#include <stdio.h>

enum { BINDS_MAX = 16, LINE_SIZE = 512 };

static const char https_name[] = "challenge test server";

/* One listening server of any kind. */
struct bound {
    const struct kind *kind;
    void *server;
};

struct cts_servers {
    uv_loop_t *loop;
    struct cts_answers answers;
    SSL_CTX *https, *doh; /* NULL where they are off */
    struct bound bound[6 * BINDS_MAX];
    size_t bound_count;
};

/* What one flag starts. */
struct kind {
    enum cts_flag flag;
    const char *says; /* in front of the address */
    bool (*start)(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                  char why[static LISTEN_WHY_SIZE]);
    uint16_t (*port)(const void *server);
    void (*drop)(void *server);
};

static bool start_dns(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                      char why[static LISTEN_WHY_SIZE])
{
    struct dns_server *server;
    TRY(dns_server_start(servers->loop, address, cts_answer_dns, &servers->answers, &server, why));
    *out = server;
    return true;
}

static bool start_web(struct cts_servers *servers, const struct sockaddr_storage *address, SSL_CTX *tls,
                      http_handler *handler, void **out, char why[static LISTEN_WHY_SIZE])
{
    struct http_server *server;
    TRY(http_server_start(servers->loop, address, tls, handler, &servers->answers, &server, why));
    *out = server;
    return true;
}

static bool start_http(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                       char why[static LISTEN_WHY_SIZE])
{
    return start_web(servers, address, NULL, cts_answer_http, out, why);
}

static bool start_https(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                        char why[static LISTEN_WHY_SIZE])
{
    return start_web(servers, address, servers->https, cts_answer_http, out, why);
}

static bool start_doh(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                      char why[static LISTEN_WHY_SIZE])
{
    return start_web(servers, address, servers->doh, cts_answer_doh, out, why);
}

static bool start_management(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                             char why[static LISTEN_WHY_SIZE])
{
    return start_web(servers, address, NULL, cts_api_answer, out, why);
}

static bool start_tls(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                      char why[static LISTEN_WHY_SIZE])
{
    struct tls_server *server;
    TRY(tls_server_start(servers->loop, address, tls_alpn01_context(servers->answers.tls), &server, why));
    *out = server;
    return true;
}

static uint16_t port_of_dns(const void *server)
{
    return dns_server_port(server);
}

static uint16_t port_of_http(const void *server)
{
    return http_server_port(server);
}

static uint16_t port_of_tls(const void *server)
{
    return tls_server_port(server);
}

static void drop_dns(void *server)
{
    dns_server_drop(server);
}

static void drop_http(void *server)
{
    http_server_drop(server);
}

static void drop_tls(void *server)
{
    tls_server_drop(server);
}

static const struct kind challenge_kinds[] = {
    { CTS_HTTP01, "http-01 answers on ", start_http, port_of_http, drop_http },
    { CTS_HTTPS01, "http-01 answers over HTTPS on ", start_https, port_of_http, drop_http },
    { CTS_TLSALPN01, "tls-alpn-01 answers on ", start_tls, port_of_tls, drop_tls },
    { CTS_DNSSERVER, "DNS over UDP and TCP on ", start_dns, port_of_dns, drop_dns },
    { CTS_DOH, "DNS over HTTPS on ", start_doh, port_of_http, drop_http },
};

/* Test harnesses wait for this line. */
static const struct kind management_kind = { CTS_MANAGEMENT, "Starting management server on ", start_management,
                                             port_of_http, drop_http };

static bool listen_at(struct cts_servers *servers, const struct kind *kind, const char *text, cts_say *say,
                      char why[static LISTEN_WHY_SIZE])
{
    struct listen_address at;
    struct sockaddr_storage address;
    struct bound *bound = &servers->bound[servers->bound_count];
    if (servers->bound_count == ARRAY_SIZE(servers->bound)) {
        snprintf(why, LISTEN_WHY_SIZE, "there are too many addresses");
        return false;
    }
    TRY(listen_address_parse(text, &at, why) && listen_address_resolve(&at, &address, why));
    TRY(kind->start(servers, &address, &bound->server, why));
    bound->kind = kind;
    servers->bound_count++;
    char shown[LISTEN_TEXT_SIZE], line[LINE_SIZE];
    listen_address_text(&at, kind->port(bound->server), shown);
    snprintf(line, sizeof line, "%s%s", kind->says, shown);
    say(line);
    return true;
}

static bool listen_at_one(struct cts_servers *servers, const struct kind *kind, const struct cts_flags *flags,
                          const char *text, cts_say *say, char why[static CTS_WHY_SIZE])
{
    char reason[LISTEN_WHY_SIZE];
    if (listen_at(servers, kind, text, say, reason))
        return true;
    snprintf(why, CTS_WHY_SIZE, "-%s: cannot listen on %.100s: %s", cts_flag_text(kind->flag), text, reason);
    if (flags->given[kind->flag])
        return false;
    say(why);
    return true;
}

/* The flag's value is a list with commas. */
static bool listen_all(struct cts_servers *servers, const struct kind *kind, const struct cts_flags *flags,
                       cts_say *say, char why[static CTS_WHY_SIZE])
{
    AUTO_TYPE(char) list = strdup(flags->values[kind->flag]);
    if (list == NULL) {
        snprintf(why, CTS_WHY_SIZE, "out of memory");
        return false;
    }
    char *rest;
    for (char *text = strtok_r(list, ", ", &rest); text != NULL; text = strtok_r(NULL, ", ", &rest))
        TRY(listen_at_one(servers, kind, flags, text, say, why));
    return true;
}

static bool make_contexts(struct cts_servers *servers, const struct cts_flags *flags, char why[static CTS_WHY_SIZE])
{
    const char *certificate = flags->values[CTS_DOH_CERT];
    bool https = *flags->values[CTS_HTTPS01] != '\0', doh = *flags->values[CTS_DOH] != '\0';
    char reason[TLS_CONTEXT_WHY_SIZE];
    if (doh && *certificate != '\0' &&
        !tls_context_load(certificate, flags->values[CTS_DOH_CERT_KEY], &servers->doh, reason)) {
        snprintf(why, CTS_WHY_SIZE, "-%s: %s", cts_flag_text(CTS_DOH), reason);
        return false;
    }
    snprintf(why, CTS_WHY_SIZE, "out of memory");
    servers->https = https ? tls_context_self_signed(https_name) : NULL;
    if (doh && servers->doh == NULL)
        servers->doh = tls_context_self_signed(https_name);
    return (servers->https != NULL || !https) && (servers->doh != NULL || !doh);
}

/* What resolvers must be told to trust. */
static void say_zone(void *arg, const char *anchor)
{
    cts_say *say = *(cts_say **)arg;
    AUTO_BUF(line, LINE_SIZE + DNS_NAME_SIZE);
    buf_printf(&line, "Trust anchor: %s", anchor);
    say(buf_str(&line));
}

bool cts_servers_start(uv_loop_t *loop, const struct cts_flags *flags, cts_say *say, struct cts_servers **out,
                       char why[static CTS_WHY_SIZE])
{
    AUTO(cts_servers) servers = calloc(1, sizeof *servers);
    if (servers == NULL) {
        snprintf(why, CTS_WHY_SIZE, "out of memory");
        return false;
    }
    servers->loop = loop;
    TRY(cts_answers_init(&servers->answers, flags, why) && make_contexts(servers, flags, why));
    if (servers->answers.zone != NULL)
        TRY(mock_zone_each_anchor(servers->answers.zone, say_zone, &say));
    for (size_t i = 0; i < ARRAY_SIZE(challenge_kinds); i++)
        TRY(listen_all(servers, &challenge_kinds[i], flags, say, why));
    say("Starting challenge servers"); /* test harnesses wait for this line */
    TRY(listen_all(servers, &management_kind, flags, say, why));
    *out = TAKE(servers);
    return true;
}

void cts_servers_drop(struct cts_servers *servers)
{
    if (servers == NULL)
        return;
    for (size_t i = 0; i < servers->bound_count; i++)
        servers->bound[i].kind->drop(servers->bound[i].server);
    cts_answers_clear(&servers->answers);
    SSL_CTX_free(servers->https);
    SSL_CTX_free(servers->doh);
    free(servers);
}
