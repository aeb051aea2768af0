/* A conversation with a server, one exchange after the other: for scenario tests and the conformance suite. Every part
 * of a signed request can be replaced by a wrong one. One thread at a time. */
#pragma once

#include "acme/jws.h"

#include "test-client/exchange.h"
#include "test-client/message.h"

struct tc_session;

struct tc_session_options {
    struct tc_exchange_options exchange;
    const char *directory_url;
    EVP_PKEY *account_key; /* referenced; NULL: a new P-256 key */
};

/* Reads the directory. Nothing is registered yet. */
MUST_USE bool tc_session_open(const struct tc_session_options *options, struct tc_session **out,
                              char why[static TC_WHY_SIZE]);
void tc_session_drop(struct tc_session *session);
DEFINE_DROP(tc_session, tc_session_drop)

const struct tc_directory *tc_session_directory(const struct tc_session *session);
const struct jwk *tc_session_key(const struct tc_session *session);
const char *tc_session_kid(const struct tc_session *session);         /* NULL before there is an account */
void tc_session_set_key(struct tc_session *session, struct jwk *key); /* after a key change; takes the reference */
MUST_USE bool tc_session_set_kid(struct tc_session *session, const char *kid); /* copied; false: out of memory */

/* A signed POST. What is NULL or 0 is done as RFC 8555 §6 says. */
struct tc_post {
    const char *url;
    const char *payload; /* JSON; NULL: POST-as-GET */

    const char *header_url;     /* instead of the URL it goes to */
    const char *nonce;          /* instead of a fresh one */
    const char *kid;            /* instead of the account's */
    const struct jwk *key;      /* instead of the account's */
    const char *content_type;   /* instead of application/jose+json */
    const char *protected_json; /* the whole protected header, signed as it stands */
    const char *body;           /* the whole body, unsigned */
    const char *const *headers; /* further ones, NULL-ended */
    bool embed_key;             /* `jwk` although there is an account */
    bool no_nonce;
};

/* One exchange; no second try on badNonce. The nonce of the answer is kept for the next post; where none is at hand,
 * one is fetched first. False with `why` when there is no answer; refusals are answers. */
MUST_USE bool tc_session_post(struct tc_session *session, const struct tc_post *post, const struct tc_answer **out,
                              char why[static TC_WHY_SIZE]);
/* The body of the latest post as it was sent; good until the next one. */
struct bytes tc_session_sent(const struct tc_session *session);
/* Any other request over the session's connection; the nonce of the answer is kept too. */
MUST_USE bool tc_session_request(struct tc_session *session, const struct tc_exchange_request *request,
                                 const struct tc_answer **out, char why[static TC_WHY_SIZE]);
/* How many connections the latest exchange had to make: 0 when the one that was there has carried it. */
long tc_session_connects(const struct tc_session *session);
/* A nonce that has not been used, taken out of the session. */
MUST_USE bool tc_session_take_nonce(struct tc_session *session, char out[static TC_NONCE_MAX + 1],
                                    char why[static TC_WHY_SIZE]);
/* new-account with these contacts; keeps the kid. False also when the server refuses: `why` then names its problem. */
MUST_USE bool tc_session_register(struct tc_session *session, const char *const *contacts, size_t contact_count,
                                  char why[static TC_WHY_SIZE]);
