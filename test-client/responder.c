#include "test-client/responder.h"

#include "test-client/http01.h"

#include <stdio.h>

_Static_assert((int)TC_RESPONDER_WHY_SIZE == (int)LISTEN_WHY_SIZE, "`why` is handed through");

struct tc_responder {
    struct http01 *http_answers;
    struct http_server *http;
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

static const struct responder_kind kinds[CHALLENGE_TYPES] = {
    [CHALLENGE_HTTP_01] = { "http-01", http_wanted, http_start, http_port, http_add, http_remove, http_drop },
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
    for (size_t i = 0; i < CHALLENGE_TYPES; i++)
        if (kinds[i].start != NULL)
            TRY(start_kind(responder, &kinds[i], loop, options, why));
    *out = TAKE(responder);
    return true;
}

void tc_responder_drop(struct tc_responder *responder)
{
    if (responder == NULL)
        return;
    for (size_t i = 0; i < CHALLENGE_TYPES; i++)
        if (kinds[i].drop != NULL)
            kinds[i].drop(responder);
    free(responder);
}

uint16_t tc_responder_port(const struct tc_responder *responder, enum acme_challenge_type type)
{
    return kinds[type].port != NULL ? kinds[type].port(responder) : 0;
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
