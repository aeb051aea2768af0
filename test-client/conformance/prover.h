/* What answers the challenges of the conformance suite: servers on a thread of their own, because a session's exchanges
 * block, or somebody else's challtestsrv. */
#pragma once

#include "acme/challenge.h"

#include "test-client/exchange.h"
#include "test-client/tls_alpn01.h"

struct cf_prover;

struct cf_prover_options {
    long http_port, tls_port, dns_port; /* 0: off */
    const char *address;                /* to listen on */
    const char *challtestsrv;           /* URL of its management; NULL: our own servers */
};

MUST_USE bool cf_prover_start(const struct cf_prover_options *options, struct cf_prover **out,
                              char why[static TC_WHY_SIZE]);
void cf_prover_drop(struct cf_prover *prover);
DEFINE_DROP(cf_prover, cf_prover_drop)

/* Whether challenges of this type can be answered. */
bool cf_prover_can(const struct cf_prover *prover, enum acme_challenge_type type);
/* From here on the answer is there. False when it could not be put. */
MUST_USE bool cf_prover_answer(struct cf_prover *prover, enum acme_challenge_type type, const char *name,
                               const char *token, const char *content);
/* A TXT record beside those that the name has. */
MUST_USE bool cf_prover_txt(struct cf_prover *prover, const char *name, const char *value);
MUST_USE bool cf_prover_clear_txt(struct cf_prover *prover, const char *name);
/* A tls-alpn-01 answer with something wrong; a challtestsrv has none, and then it is false. */
MUST_USE bool cf_prover_flawed(struct cf_prover *prover, const char *name, const char *key_authorization,
                               const struct tls_alpn01_flaws *flaws);
