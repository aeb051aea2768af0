/* Answers to challenges for the client, its load generator and the tests: all types of challenge on one libuv loop,
 * never blocking. All calls belong to the loop's thread. Callers may add and remove answers at any time. */
#pragma once

#include "test-client/proof.h"

#include <uv.h>

struct mock_zone;
struct tc_responder;

struct tc_responder_options {
    int http_port, tls_port, dns_port; /* 0: off; TC_RESPONDER_ANY_PORT: one that is free */
    const char *address; /* to listen on; NULL: 127.0.0.1, and on the same ports ::1 where it can be had */
};

enum { TC_RESPONDER_ANY_PORT = -1, TC_RESPONDER_WHY_SIZE = 256 };

/* Listens on all ports asked for, or on none: then `why` says which could not be had. Its DNS leads every name to where
 * it listens. */
MUST_USE bool tc_responder_start(uv_loop_t *loop, const struct tc_responder_options *options, struct tc_responder **out,
                                 char why[static TC_RESPONDER_WHY_SIZE]);
/* Closes the handles. The memory goes when the loop has run their close callbacks, so run it until it is empty. */
void tc_responder_drop(struct tc_responder *responder);
DEFINE_DROP(tc_responder, tc_responder_drop)

/* The port that answers this type of challenge (the DNS one for those proved in DNS); 0 when it is off. */
uint16_t tc_responder_port(const struct tc_responder *responder, enum acme_challenge_type type);

/* Everything is copied. False when that type is off, the name is none, a fact is missing, or memory is out. DNS keeps
 * every TXT value of a name; tls-alpn-01 can show one certificate per name: the newest. */
MUST_USE bool tc_responder_add(struct tc_responder *responder, const struct tc_proof *proof);
void tc_responder_remove(struct tc_responder *responder, const struct tc_proof *proof);

/* What its DNS answers from, for records that prove nothing; NULL when DNS is off. */
struct mock_zone *tc_responder_zone(struct tc_responder *responder);
