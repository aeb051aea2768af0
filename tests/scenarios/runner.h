/* A scenario being played: one daemon, its clients, the targets of its validations, and the last answer. Scripts are
 * lines of words; every word of the table in runner_script.c is one function here. WORDS.md says what they mean.
 * Everything belongs to one thread. A function that gives false has said why. */
#pragma once

#include "base/json.h"

#include "test-client/responder.h"
#include "test-client/session.h"
#include "test-client/text_map.h"

enum { CLIENTS_MAX = 16, ORDERS_MAX = 32, KEYS_MAX = 32, TARGETS_MAX = 8, CONNECTIONS_MAX = 64, NAME_MAX_BYTES = 32 };
enum { RECEIVERS_MAX = 4 };
enum { PATIENCE_MS = 60000, VALUE_MAX = 2 << 20 };

/* Who talks to the server over one connection; an account once new-account has given it a URL. */
struct client {
    char name[NAME_MAX_BYTES];
    struct tc_session *session;
    struct jwk *key;                   /* owned */
    const char *url;                   /* NULL before there is an account */
    char used_nonce[TC_NONCE_MAX + 1]; /* of the post before */
};

struct order {
    char name[NAME_MAX_BYTES];
    struct client *client;
    struct acme_identifier *identifiers;
    size_t identifier_count;
    const char *url, *certificate; /* certificate: NULL until valid */
    const char *finalize;          /* NULL: an authorization without an order, and url is its own */
    const char **authorizations;
    size_t authorization_count;
    enum acme_challenge_type type; /* the one that was answered last */
    bool any_name;                 /* how it was answered: dns-persist-01 with a hash for any name */
    bool gone;                     /* … the answer was taken away */
    const char *more;              /* … with further parameters, or NULL */
};

struct named_key {
    char name[NAME_MAX_BYTES];
    struct jwk *key; /* owned */
};

struct target { /* a port where a validation meets no server, or a silent one */
    char name[NAME_MAX_BYTES];
    int fd;
};

struct receiver;   /* runner_receiver.c */
struct connection; /* of bytes, not of requests: runner_edge.c */

struct daemon {
    int pid;  /* 0: none runs */
    int port; /* 0 before the first start; the same for all starts */
    int pidfd;
    unsigned long files; /* that it may open; 0: as many as we may */
};

struct scenario {
    const char *script; /* path */
    unsigned line;      /* being played */
    bool verbose;
    const char *caraway; /* path of the daemon */
    const char *folder;  /* temporary: data/, log */
    struct arena *arena; /* what lasts as long as the scenario */
    struct text_map *variables, *nonces;
    uv_loop_t loop;
    struct tc_responder *responder;
    struct daemon daemon;
    struct tc_session *visitor; /* for requests that nobody signs */
    struct client clients[CLIENTS_MAX];
    struct order orders[ORDERS_MAX];
    struct named_key keys[KEYS_MAX];
    struct target targets[TARGETS_MAX];
    struct connection *connections[CONNECTIONS_MAX];
    struct receiver *receivers[RECEIVERS_MAX];
    struct tc_answer last;
    int64_t offset_ms; /* of the server's clock */
    bool refused;      /* the last answer is a refusal that no line has expected yet */
};

typedef char *words[]; /* NULL-ended, without the command's own */

/* ---- runner_script.c */
bool fail(struct scenario *s, const char *format, ...) PRINTF_LIKE(2, 3); /* prints place and text; always false */
MUST_USE bool scenario_play(struct scenario *s);
MUST_USE bool command_play(struct scenario *s, words w, size_t count); /* the command's own word first */

/* ---- runner_variables.c */
MUST_USE bool variable_set(struct scenario *s, const char *name, const char *value);
MUST_USE bool variable_setf(struct scenario *s, const char *value, const char *format, ...) PRINTF_LIKE(3, 4);
/* False when there is none of that name. */
MUST_USE bool variable_get(struct scenario *s, const char *name, struct buf *out);
MUST_USE bool play_set(struct scenario *s, words w, size_t count);
MUST_USE bool play_expect(struct scenario *s, words w, size_t count);

/* ---- runner_daemon.c */
MUST_USE bool play_server(struct scenario *s, words w, size_t count);
MUST_USE bool play_log(struct scenario *s, words w, size_t count);
MUST_USE bool play_files(struct scenario *s, words w, size_t count);
MUST_USE bool daemon_stop(struct scenario *s);     /* when one runs: SIGTERM must give exit status 0 */
MUST_USE bool daemon_was_sane(struct scenario *s); /* no sanitizer has spoken, also in a life that was cut short */
void daemon_kill(struct scenario *s);

/* ---- runner_client.c */
MUST_USE struct client *client_find(struct scenario *s, const char *name); /* NULL: said */
MUST_USE bool client_open_session(struct scenario *s, struct tc_session **out);
/* Makes the answer the last one, and checks what every answer must have. */
MUST_USE bool take_answer(struct scenario *s, struct tc_session *session, const char *method, const char *url,
                          const struct tc_answer *answer);
/* An ordinary signed request; payload NULL: POST-as-GET. A refusal is an answer. */
MUST_USE bool client_post(struct scenario *s, struct client *client, const char *url, const char *payload);
/* The same for one that may wait for the responder. The command (NULL-ended; empty: none) is played when the responder
 * has been asked and before it answers. */
MUST_USE bool client_post_during(struct scenario *s, struct client *client, const char *url, const char *payload,
                                 words command);
MUST_USE bool play_client(struct scenario *s, words w, size_t count);
MUST_USE bool play_account(struct scenario *s, words w, size_t count);
MUST_USE bool play_post(struct scenario *s, words w, size_t count);
MUST_USE bool play_request(struct scenario *s, words w, size_t count);
void clients_clear(struct scenario *s);

/* ---- runner_key.c */
MUST_USE EVP_PKEY *key_make(struct scenario *s, const char *type); /* NULL: said */
/* Of that name: one of `key`, of a client, or of an order's certificate. A loan; NULL: said. */
MUST_USE struct jwk *key_find(struct scenario *s, const char *name);
MUST_USE bool key_keep(struct scenario *s, const char *name, struct jwk *key); /* takes it over */
MUST_USE bool play_key(struct scenario *s, words w, size_t count);
MUST_USE bool play_key_change(struct scenario *s, words w, size_t count);
void keys_clear(struct scenario *s);

/* ---- runner_sign.c: what may be wrong with a signed request; NULL: right, "" : left out */
enum { HEADERS_MAX = 8 };
struct mutations {
    const char *nonce, *url, *alg, *kid, *jwk, *key, *also, *protected_json;
    const char *raw_protected, *raw_payload, *raw_signature, *flip, *body, *body_bytes, *content_type;
    const char *headers[HEADERS_MAX + 1]; /* further ones, NULL-ended */
    size_t header_count;
};
MUST_USE bool mutations_read(struct scenario *s, words w, struct mutations *out);
MUST_USE bool sign_request(struct scenario *s, struct client *client, const char *url, const char *payload,
                           const struct mutations *m, struct buf *out);
MUST_USE bool play_binding(struct scenario *s, words w, size_t count);

/* ---- runner_order.c */
MUST_USE struct order *order_find(struct scenario *s, const char *name); /* NULL: said */
MUST_USE bool play_order(struct scenario *s, words w, size_t count);
MUST_USE bool play_authorization(struct scenario *s, words w, size_t count);
MUST_USE bool play_answer(struct scenario *s, words w, size_t count);
MUST_USE bool play_start(struct scenario *s, words w, size_t count);
MUST_USE bool play_wait(struct scenario *s, words w, size_t count);
MUST_USE bool play_issue(struct scenario *s, words w, size_t count);
void loop_run_for(struct scenario *s, unsigned ms); /* lets the responder answer */

/* ---- runner_certificate.c */
MUST_USE bool play_finalize(struct scenario *s, words w, size_t count);
MUST_USE bool play_certificate(struct scenario *s, words w, size_t count);
MUST_USE bool play_verify(struct scenario *s, words w, size_t count);

/* ---- runner_dns.c */
MUST_USE bool play_dns(struct scenario *s, words w, size_t count);

/* ---- runner_edge.c */
MUST_USE bool play_target(struct scenario *s, words w, size_t count);
MUST_USE bool play_connect(struct scenario *s, words w, size_t count);
MUST_USE bool play_crowd(struct scenario *s, words w, size_t count);
MUST_USE bool play_secure(struct scenario *s, words w, size_t count);
MUST_USE bool play_hello(struct scenario *s, words w, size_t count);
MUST_USE bool play_send(struct scenario *s, words w, size_t count);
MUST_USE bool play_drip(struct scenario *s, words w, size_t count);
MUST_USE bool play_stall(struct scenario *s, words w, size_t count);
MUST_USE bool play_sip(struct scenario *s, words w, size_t count);
MUST_USE bool play_pipeline(struct scenario *s, words w, size_t count);
MUST_USE bool play_receive(struct scenario *s, words w, size_t count);
MUST_USE bool play_abandon(struct scenario *s, words w, size_t count);
void edge_clear(struct scenario *s);

/* ---- runner_receiver.c */
MUST_USE bool play_receiver(struct scenario *s, words w, size_t count);
void receivers_clear(struct scenario *s);

/* ---- runner_admin.c */
MUST_USE bool play_admin(struct scenario *s, words w, size_t count);
MUST_USE bool play_clock(struct scenario *s, words w, size_t count);
