#include "test-client/responder.h"

#include "test-client/dns_rdata.h"
#include "test-client/dns_server.h"
#include "test-client/http01.h"
#include "test-client/text_map.h"
#include "test-client/tls_alpn01.h"
#include "test-client/tls_server.h"

#include <arpa/inet.h>
#include <stdio.h>

_Static_assert((int)TC_RESPONDER_WHY_SIZE == (int)LISTEN_WHY_SIZE, "`why` is handed through");

enum { TOKENS_MAX = 1 << 20, TXT_RDATA_MAX = 64 };

struct tc_responder {
    struct http01 *http_answers;
    struct http_server *http;
    struct mock_zone *zone;
    struct text_map *dns_tokens; /* token → base64url digest, to find the TXT record again */
    struct dns_server *dns;
    struct tls_alpn01 *tls_answers;
    struct tls_server *tls;
};

/* What one type of challenge needs. The functions run only when its server is on, but for start and drop. */
struct responder_kind {
    const char *name;
    int (*wanted)(const struct tc_responder_options *options); /* port; 0: off */
    bool (*start)(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                  char why[static TC_RESPONDER_WHY_SIZE]);
    uint16_t (*port)(const struct tc_responder *responder); /* 0 when it is off */
    bool (*add)(struct tc_responder *responder, const char *name, const char *token, const char *key_authorization);
    void (*remove)(struct tc_responder *responder, const char *name, const char *token);
    void (*drop)(struct tc_responder *responder);
};

static bool out_of_memory(char why[static TC_RESPONDER_WHY_SIZE])
{
    snprintf(why, TC_RESPONDER_WHY_SIZE, "out of memory");
    return false;
}

static int http_wanted(const struct tc_responder_options *options)
{
    return options->http_port;
}

static bool http_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                       char why[static TC_RESPONDER_WHY_SIZE])
{
    responder->http_answers = http01_create(404);
    if (responder->http_answers == NULL)
        return out_of_memory(why);
    return http_server_start(loop, address, http01_answer, responder->http_answers, &responder->http, why);
}

static uint16_t http_port(const struct tc_responder *responder)
{
    return responder->http != NULL ? http_server_port(responder->http) : 0;
}

static bool http_add(struct tc_responder *responder, const char *name, const char *token, const char *key_authorization)
{
    (void)name; /* a token is unique by itself */
    return http01_put(responder->http_answers, token, key_authorization);
}

static void http_remove(struct tc_responder *responder, const char *name, const char *token)
{
    (void)name;
    http01_remove(responder->http_answers, token);
}

static void http_drop(struct tc_responder *responder)
{
    http_server_drop(responder->http);
    http01_drop(responder->http_answers);
}

static int dns_wanted(const struct tc_responder_options *options)
{
    return options->dns_port;
}

/* All names lead to the responder itself, so that one DNS server serves the other types as well. */
static bool lead_here(struct mock_zone *zone, const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET)
        return mock_zone_set_default(
            zone, DNS_A, bytes_of(&((const struct sockaddr_in *)address)->sin_addr, sizeof(struct in_addr)));
    return mock_zone_set_default(zone, DNS_AAAA,
                                 bytes_of(&((const struct sockaddr_in6 *)address)->sin6_addr, sizeof(struct in6_addr)));
}

static bool dns_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                      char why[static TC_RESPONDER_WHY_SIZE])
{
    responder->zone = mock_zone_create();
    responder->dns_tokens = text_map_create(TOKENS_MAX, free);
    if (responder->zone == NULL || responder->dns_tokens == NULL || !lead_here(responder->zone, address))
        return out_of_memory(why);
    return dns_server_start(loop, address, responder->zone, &responder->dns, why);
}

static uint16_t dns_port(const struct tc_responder *responder)
{
    return responder->dns != NULL ? dns_server_port(responder->dns) : 0;
}

/* RFC 8555 §8.4: the wildcard's challenge stands at the name below it. */
static void dns_name_of(const char *name, char out[static DNS_NAME_SIZE])
{
    snprintf(out, DNS_NAME_SIZE, "_acme-challenge.%s", strncmp(name, "*.", 2) == 0 ? name + 2 : name);
}

static bool dns_add(struct tc_responder *responder, const char *name, const char *token, const char *key_authorization)
{
    char owner[DNS_NAME_SIZE];
    dns_name_of(name, owner);
    AUTO(arena) arena = arena_create(1024);
    const char *digest = arena != NULL ? key_authorization_dns(arena, key_authorization) : NULL;
    AUTO_TYPE(char) kept = digest != NULL ? strdup(digest) : NULL;
    AUTO_BUF(rdata, TXT_RDATA_MAX);
    TRY(kept != NULL && dns_rdata_txt(bytes_text(digest), &rdata));
    TRY(mock_zone_add(responder->zone, owner, DNS_TXT, buf_bytes(&rdata)));
    if (!text_map_put(responder->dns_tokens, bytes_text(token), kept)) {
        mock_zone_remove(responder->zone, owner, DNS_TXT, buf_bytes(&rdata));
        return false;
    }
    kept = NULL;
    return true;
}

static void dns_remove(struct tc_responder *responder, const char *name, const char *token)
{
    char owner[DNS_NAME_SIZE];
    dns_name_of(name, owner);
    const char *digest = text_map_get(responder->dns_tokens, bytes_text(token));
    AUTO_BUF(rdata, TXT_RDATA_MAX);
    if (digest != NULL && dns_rdata_txt(bytes_text(digest), &rdata))
        mock_zone_remove(responder->zone, owner, DNS_TXT, buf_bytes(&rdata));
    text_map_remove(responder->dns_tokens, bytes_text(token));
}

static void dns_drop(struct tc_responder *responder)
{
    dns_server_drop(responder->dns);
    mock_zone_drop(responder->zone);
    text_map_drop(responder->dns_tokens);
}

static int tls_wanted(const struct tc_responder_options *options)
{
    return options->tls_port;
}

static bool tls_start(struct tc_responder *responder, uv_loop_t *loop, const struct sockaddr_storage *address,
                      char why[static TC_RESPONDER_WHY_SIZE])
{
    responder->tls_answers = tls_alpn01_create();
    if (responder->tls_answers == NULL)
        return out_of_memory(why);
    return tls_server_start(loop, address, tls_alpn01_context(responder->tls_answers), &responder->tls, why);
}

static uint16_t tls_port(const struct tc_responder *responder)
{
    return responder->tls != NULL ? tls_server_port(responder->tls) : 0;
}

static bool tls_add(struct tc_responder *responder, const char *name, const char *token, const char *key_authorization)
{
    (void)token; /* the validator sends none */
    return tls_alpn01_put(responder->tls_answers, name, key_authorization);
}

static void tls_remove(struct tc_responder *responder, const char *name, const char *token)
{
    (void)token;
    tls_alpn01_remove(responder->tls_answers, name);
}

static void tls_drop(struct tc_responder *responder)
{
    tls_server_drop(responder->tls);
    tls_alpn01_drop(responder->tls_answers);
}

static const struct responder_kind kinds[TC_RESPONDER_TYPES] = {
    [CHALLENGE_HTTP_01] = { "http-01", http_wanted, http_start, http_port, http_add, http_remove, http_drop },
    [CHALLENGE_DNS_01] = { "dns-01", dns_wanted, dns_start, dns_port, dns_add, dns_remove, dns_drop },
    [CHALLENGE_TLS_ALPN_01] = { "tls-alpn-01", tls_wanted, tls_start, tls_port, tls_add, tls_remove, tls_drop },
};

static bool start_kind(struct tc_responder *responder, const struct responder_kind *kind, uv_loop_t *loop,
                       const struct tc_responder_options *options, char why[static TC_RESPONDER_WHY_SIZE])
{
    int port = kind->wanted(options);
    if (port == 0)
        return true;
    struct listen_address at = { .port = port == TC_RESPONDER_ANY_PORT ? 0 : (uint16_t)port };
    snprintf(at.host, sizeof at.host, "%s", options->address != NULL ? options->address : "127.0.0.1");
    struct sockaddr_storage address;
    char reason[TC_RESPONDER_WHY_SIZE], text[LISTEN_TEXT_SIZE];
    if (listen_address_resolve(&at, &address, reason) && kind->start(responder, loop, &address, reason))
        return true;
    listen_address_text(&at, at.port, text);
    snprintf(why, TC_RESPONDER_WHY_SIZE, "cannot answer %s on %.80s: %.120s", kind->name, text, reason);
    return false;
}

bool tc_responder_start(uv_loop_t *loop, const struct tc_responder_options *options, struct tc_responder **out,
                        char why[static TC_RESPONDER_WHY_SIZE])
{
    AUTO(tc_responder) responder = calloc(1, sizeof *responder);
    if (responder == NULL)
        return out_of_memory(why);
    for (size_t i = 0; i < TC_RESPONDER_TYPES; i++)
        TRY(start_kind(responder, &kinds[i], loop, options, why));
    *out = TAKE(responder);
    return true;
}

void tc_responder_drop(struct tc_responder *responder)
{
    if (responder == NULL)
        return;
    for (size_t i = 0; i < TC_RESPONDER_TYPES; i++)
        kinds[i].drop(responder);
    free(responder);
}

uint16_t tc_responder_port(const struct tc_responder *responder, enum acme_challenge_type type)
{
    return (int)type < TC_RESPONDER_TYPES ? kinds[type].port(responder) : 0;
}

bool tc_responder_add(struct tc_responder *responder, enum acme_challenge_type type, const char *name,
                      const char *token, const char *key_authorization)
{
    return tc_responder_port(responder, type) != 0 && kinds[type].add(responder, name, token, key_authorization);
}

void tc_responder_remove(struct tc_responder *responder, enum acme_challenge_type type, const char *name,
                         const char *token)
{
    if (tc_responder_port(responder, type) != 0)
        kinds[type].remove(responder, name, token);
}
