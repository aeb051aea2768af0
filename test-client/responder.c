#include "test-client/responder.h"

#include "test-client/dns_rdata.h"
#include "test-client/dns_server.h"
#include "test-client/http01.h"
#include "test-client/tls_alpn01.h"
#include "test-client/tls_server.h"

#include <arpa/inet.h>
#include <stdio.h>

_Static_assert((int)TC_RESPONDER_WHY_SIZE == (int)LISTEN_WHY_SIZE, "`why` is handed through");

enum { TXT_RDATA_MAX = 2048, PROOF_ARENA_MAX = 8192 };

enum family { IPV4, IPV6, FAMILIES }; /* where an address was asked for, IPV4 stands for it, whatever it is */

struct tc_responder {
    struct http01 *http_answers;
    struct http_server *http[FAMILIES];
    struct mock_zone *zone;
    struct dns_server *dns[FAMILIES];
    struct tls_alpn01 *tls_answers;
    struct tls_server *tls[FAMILIES];
};

/* One kind of server. `add` and `remove` run only when it is on. */
struct server_kind {
    const char *name;
    int (*wanted)(const struct tc_responder_options *options); /* port; 0: off */
    bool (*create)(struct tc_responder *responder);            /* the answers */
    bool (*start)(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                  enum family family, char why[static TC_RESPONDER_WHY_SIZE]);
    uint16_t (*port)(const struct tc_responder *responder, enum family family); /* 0 when it is off */
    bool (*add)(struct tc_responder *responder, const struct tc_proof *proof);
    void (*remove)(struct tc_responder *responder, const struct tc_proof *proof);
    void (*drop)(struct tc_responder *responder);
};

static int http_wanted(const struct tc_responder_options *options)
{
    return options->http_port;
}

static bool http_create(struct tc_responder *responder)
{
    responder->http_answers = http01_create(404);
    return responder->http_answers != NULL;
}

static bool http_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                       enum family family, char why[static TC_RESPONDER_WHY_SIZE])
{
    return http_server_start(loop, address, NULL, http01_answer, responder->http_answers, &responder->http[family],
                             why);
}

static uint16_t http_port(const struct tc_responder *responder, enum family family)
{
    return responder->http[family] != NULL ? http_server_port(responder->http[family]) : 0;
}

static bool http_add(struct tc_responder *responder, const struct tc_proof *proof)
{
    return http01_put(responder->http_answers, proof->token, proof->key_authorization);
}

static void http_remove(struct tc_responder *responder, const struct tc_proof *proof)
{
    http01_remove(responder->http_answers, proof->token);
}

static void http_drop(struct tc_responder *responder)
{
    for (enum family family = 0; family < FAMILIES; family++)
        http_server_drop(responder->http[family]);
    http01_drop(responder->http_answers);
}

static int dns_wanted(const struct tc_responder_options *options)
{
    return options->dns_port;
}

static bool dns_create(struct tc_responder *responder)
{
    responder->zone = mock_zone_create();
    return responder->zone != NULL;
}

static bool dns_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                      enum family family, char why[static TC_RESPONDER_WHY_SIZE])
{
    return dns_server_start(loop, address, dns_answer_from_zone, responder->zone, &responder->dns[family], why);
}

static uint16_t dns_port(const struct tc_responder *responder, enum family family)
{
    return responder->dns[family] != NULL ? dns_server_port(responder->dns[family]) : 0;
}

static bool txt_of(const struct tc_proof *proof, struct arena *arena, const char **out_owner, struct buf *out_rdata)
{
    const char *value;
    return arena != NULL && tc_proof_txt(arena, proof, out_owner, &value) &&
           dns_rdata_txt(bytes_text(value), out_rdata);
}

static bool dns_add(struct tc_responder *responder, const struct tc_proof *proof)
{
    AUTO(arena) arena = arena_create(PROOF_ARENA_MAX);
    AUTO_BUF(rdata, TXT_RDATA_MAX);
    const char *owner;
    return txt_of(proof, arena, &owner, &rdata) && mock_zone_add(responder->zone, owner, DNS_TXT, buf_bytes(&rdata));
}

static void dns_remove(struct tc_responder *responder, const struct tc_proof *proof)
{
    AUTO(arena) arena = arena_create(PROOF_ARENA_MAX);
    AUTO_BUF(rdata, TXT_RDATA_MAX);
    const char *owner;
    if (txt_of(proof, arena, &owner, &rdata))
        mock_zone_remove(responder->zone, owner, DNS_TXT, buf_bytes(&rdata));
}

static void dns_drop(struct tc_responder *responder)
{
    for (enum family family = 0; family < FAMILIES; family++)
        dns_server_drop(responder->dns[family]);
    mock_zone_drop(responder->zone);
}

static int tls_wanted(const struct tc_responder_options *options)
{
    return options->tls_port;
}

static bool tls_create(struct tc_responder *responder)
{
    responder->tls_answers = tls_alpn01_create();
    return responder->tls_answers != NULL;
}

static bool tls_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                      enum family family, char why[static TC_RESPONDER_WHY_SIZE])
{
    return tls_server_start(loop, address, tls_alpn01_context(responder->tls_answers), &responder->tls[family], why);
}

static uint16_t tls_port(const struct tc_responder *responder, enum family family)
{
    return responder->tls[family] != NULL ? tls_server_port(responder->tls[family]) : 0;
}

static bool tls_add(struct tc_responder *responder, const struct tc_proof *proof)
{
    return tls_alpn01_put(responder->tls_answers, proof->name, proof->key_authorization);
}

static void tls_remove(struct tc_responder *responder, const struct tc_proof *proof)
{
    tls_alpn01_remove(responder->tls_answers, proof->name);
}

static void tls_drop(struct tc_responder *responder)
{
    for (enum family family = 0; family < FAMILIES; family++)
        tls_server_drop(responder->tls[family]);
    tls_alpn01_drop(responder->tls_answers);
}

enum server { SERVER_HTTP, SERVER_DNS, SERVER_TLS, SERVERS };

static const struct server_kind kinds[SERVERS] = {
    [SERVER_HTTP] = { "HTTP", http_wanted, http_create, http_start, http_port, http_add, http_remove, http_drop },
    [SERVER_DNS] = { "DNS", dns_wanted, dns_create, dns_start, dns_port, dns_add, dns_remove, dns_drop },
    [SERVER_TLS] = { "TLS", tls_wanted, tls_create, tls_start, tls_port, tls_add, tls_remove, tls_drop },
};

static const enum server servers[CHALLENGE_TYPES] = {
    [CHALLENGE_HTTP_01] = SERVER_HTTP,       [CHALLENGE_DNS_01] = SERVER_DNS,
    [CHALLENGE_TLS_ALPN_01] = SERVER_TLS,    [CHALLENGE_DNS_ACCOUNT_01] = SERVER_DNS,
    [CHALLENGE_DNS_PERSIST_01] = SERVER_DNS,
};

static bool start_at(struct tc_responder *responder, const struct server_kind *kind, uv_loop_t *loop,
                     const struct listen_address *at, enum family family, char why[static TC_RESPONDER_WHY_SIZE])
{
    struct sockaddr_storage address;
    return listen_address_resolve(at, &address, why) && kind->start(responder, loop, &address, family, why);
}

static bool start_kind(struct tc_responder *responder, const struct server_kind *kind, uv_loop_t *loop,
                       const struct tc_responder_options *options, char why[static TC_RESPONDER_WHY_SIZE])
{
    int port = kind->wanted(options);
    if (port == 0)
        return true;
    struct listen_address at = { .port = port == TC_RESPONDER_ANY_PORT ? 0 : (uint16_t)port };
    snprintf(at.host, sizeof at.host, "%s", options->address != NULL ? options->address : "127.0.0.1");
    char reason[TC_RESPONDER_WHY_SIZE] = "out of memory", text[LISTEN_TEXT_SIZE];
    if (!kind->create(responder) || !start_at(responder, kind, loop, &at, IPV4, reason)) {
        listen_address_text(&at, at.port, text);
        snprintf(why, TC_RESPONDER_WHY_SIZE, "cannot listen for %s on %.80s: %.120s", kind->name, text, reason);
        return false;
    }
    struct listen_address loopback = { "::1", kind->port(responder, IPV4) };
    if (options->address == NULL)
        (void)!start_at(responder, kind, loop, &loopback, IPV6, reason); /* a machine without IPv6 does without */
    return true;
}

/* Whether all servers that are on listen there. */
static bool listens(const struct tc_responder *responder, enum family family)
{
    for (enum server i = 0; i < SERVERS; i++) {
        if (kinds[i].port(responder, IPV4) != 0 && kinds[i].port(responder, family) == 0)
            return false;
    }
    return true;
}

/* All names lead to the responder itself, so that one DNS server serves the other types as well. */
static bool lead_here(struct tc_responder *responder, const char *address)
{
    AUTO_BUF(rdata, sizeof(struct in6_addr));
    enum dns_type type = strchr(address, ':') != NULL ? DNS_AAAA : DNS_A;
    return dns_rdata_address(type, address, &rdata) && mock_zone_set_default(responder->zone, type, buf_bytes(&rdata));
}

static bool lead_everything_here(struct tc_responder *responder, const struct tc_responder_options *options)
{
    if (responder->zone == NULL)
        return true;
    if (options->address != NULL)
        return lead_here(responder, options->address);
    return lead_here(responder, "127.0.0.1") && (!listens(responder, IPV6) || lead_here(responder, "::1"));
}

bool tc_responder_start(uv_loop_t *loop, const struct tc_responder_options *options, struct tc_responder **out,
                        char why[static TC_RESPONDER_WHY_SIZE])
{
    AUTO(tc_responder) responder = calloc(1, sizeof *responder);
    snprintf(why, TC_RESPONDER_WHY_SIZE, "out of memory");
    TRY(responder != NULL);
    for (enum server i = 0; i < SERVERS; i++)
        TRY(start_kind(responder, &kinds[i], loop, options, why));
    TRY(lead_everything_here(responder, options));
    *out = TAKE(responder);
    return true;
}

void tc_responder_drop(struct tc_responder *responder)
{
    if (responder == NULL)
        return;
    for (enum server i = 0; i < SERVERS; i++)
        kinds[i].drop(responder);
    free(responder);
}

uint16_t tc_responder_port(const struct tc_responder *responder, enum acme_challenge_type type)
{
    CHECK(type < CHALLENGE_TYPES);
    return kinds[servers[type]].port(responder, IPV4);
}

bool tc_responder_add(struct tc_responder *responder, const struct tc_proof *proof)
{
    return tc_responder_port(responder, proof->type) != 0 && kinds[servers[proof->type]].add(responder, proof);
}

void tc_responder_remove(struct tc_responder *responder, const struct tc_proof *proof)
{
    if (tc_responder_port(responder, proof->type) != 0)
        kinds[servers[proof->type]].remove(responder, proof);
}

struct mock_zone *tc_responder_zone(struct tc_responder *responder)
{
    return responder->zone;
}
