/* Answers to challenges for the client, its load generator and the tests: http-01, dns-01 and tls-alpn-01 on one libuv
 * loop, never blocking. All calls belong to the loop's thread. Callers may add and remove answers at any time. */
#pragma once

#include "acme/challenge.h"

#include <uv.h>

/* The types it answers are the first of the table. */
enum { TC_RESPONDER_TYPES = CHALLENGE_TLS_ALPN_01 + 1 };

struct tc_responder;

struct tc_responder_options {
    int http_port, tls_port, dns_port; /* 0: off; TC_RESPONDER_ANY_PORT: one that is free */
    const char *address;               /* to listen on; NULL: 127.0.0.1 */
};

enum { TC_RESPONDER_ANY_PORT = -1, TC_RESPONDER_WHY_SIZE = 256 };

/* Listens on all ports asked for, or on none: then `why` says which could not be had. */
MUST_USE bool tc_responder_start(uv_loop_t *loop, const struct tc_responder_options *options, struct tc_responder **out,
                                 char why[static TC_RESPONDER_WHY_SIZE]);
/* Closes the handles. The memory goes when the loop has run their close callbacks, so run it until it is empty. */
void tc_responder_drop(struct tc_responder *responder);
DEFINE_DROP(tc_responder, tc_responder_drop)

/* The port that answers this type of challenge (the DNS one for dns-01); 0 when it is off or none does. */
uint16_t tc_responder_port(const struct tc_responder *responder, enum acme_challenge_type type);

/* Answers the challenge `token` of `name` (an identifier's value; "*." in front is skipped) with `key_authorization`.
 * Everything is copied. False when that type is off, the name is none, or memory is out. dns-01 keeps every TXT value
 * of a name; tls-alpn-01 can show one certificate per name: the newest. */
MUST_USE bool tc_responder_add(struct tc_responder *responder, enum acme_challenge_type type, const char *name,
                               const char *token, const char *key_authorization);
void tc_responder_remove(struct tc_responder *responder, enum acme_challenge_type type, const char *name,
                         const char *token);
