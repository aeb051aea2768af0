/* What client and server say to each other: the JSON of requests (RFC 8555 §7) and strict readers of the answers.
 * Texts that were read live in the arena. */
#pragma once

#include "acme/challenge.h"
#include "acme/state.h"

#include "test-client/exchange.h"

/* member of struct, member of JSON, whether a server must have it (RFC 8555 §7.1.1, RFC 9773 §4.1) */
#define TC_DIRECTORY_TABLE(X)                                                                                          \
    X(new_nonce, "newNonce", true)                                                                                     \
    X(new_account, "newAccount", true)                                                                                 \
    X(new_order, "newOrder", true)                                                                                     \
    X(revoke_cert, "revokeCert", false)                                                                                \
    X(key_change, "keyChange", false)                                                                                  \
    X(new_authz, "newAuthz", false)                                                                                    \
    X(renewal_info, "renewalInfo", false)

struct tc_directory {
#define X(name, text, required) const char *name;
    TC_DIRECTORY_TABLE(X)
#undef X
    const char *account_hash_prefix; /* in meta, for dns-persist-01; or NULL */
};

enum { TC_AUTHORIZATIONS_MAX = 1000, TC_SUBPROBLEMS_MAX = 100 };

/* RFC 7807 and RFC 8555 §6.7 as a client sees it. */
struct tc_problem {
    const char *type;   /* "badNonce" for ACME's own, else the whole URI; never NULL */
    const char *detail; /* never NULL */
    const char *name;   /* of a subproblem: whom it concerns; else NULL */
    int status;         /* 0: unknown */
    const struct tc_problem *subproblems;
    size_t subproblem_count;
};

struct tc_order {
    enum order_state state;
    const char **authorizations;
    size_t authorization_count;
    const char *finalize;
    const char *certificate;          /* NULL until valid */
    const struct tc_problem *problem; /* NULL when there is none */
};

struct tc_challenge {
    enum challenge_state state;
    const char *url;
    const char *token;  /* NULL for types that have none */
    const char *issuer; /* of dns-persist-01: the first of "issuerDomainNames" */
    bool hashed;        /* likewise: its record calls the account by a hash */
    const struct tc_problem *problem;
};

struct tc_authorization {
    enum authorization_state state;
    const char *name; /* the identifier's value, without "*." */
    bool wildcard;
    bool offered; /* the challenge that was asked for is there */
    struct tc_challenge challenge;
    const struct tc_problem *problem; /* of whichever challenge has one */
};

/* Readers. False, with `why` ("the order has no \"status\""), when the answer is not what the RFC says. */
MUST_USE bool tc_read_directory(struct arena *arena, struct bytes body, struct tc_directory *out,
                                char why[static TC_WHY_SIZE]);
MUST_USE bool tc_read_order(struct arena *arena, struct bytes body, struct tc_order *out, char why[static TC_WHY_SIZE]);
MUST_USE bool tc_read_authorization(struct arena *arena, struct bytes body, enum acme_challenge_type type,
                                    struct tc_authorization *out, char why[static TC_WHY_SIZE]);
MUST_USE bool tc_read_challenge(struct arena *arena, struct bytes body, struct tc_challenge *out,
                                char why[static TC_WHY_SIZE]);
/* What an answer with a status of 400 or more says; one that is no problem document becomes a problem of type
 * "(no problem document)". NULL only when memory is out. */
MUST_USE const struct tc_problem *tc_read_problem(struct arena *arena, const struct tc_answer *answer);
/* A problem of our own finding; `type` in parentheses tells it from a server's. */
MUST_USE const struct tc_problem *tc_make_problem(struct arena *arena, const char *type, const char *detail);

/* Writers; failure is the buf's. */
void tc_write_new_account(struct buf *out, const char *const *contacts, size_t contact_count);
void tc_write_new_order(struct buf *out, const struct acme_identifier *identifiers, size_t count);
void tc_write_finalize(struct buf *out, struct bytes csr);

/* Text from a server as a terminal may show it: control characters become '?'. */
void tc_print_harmless(struct buf *out, const char *text);
/* The problem on as many lines as it needs, each after `indent`, made harmless. */
void tc_print_problem(struct buf *out, const char *indent, const struct tc_problem *problem);
