/* Problem documents (RFC 7807 as profiled by RFC 8555 §6.7): what went wrong, in two texts. `detail` is sent and tells
 * the client what to change; `cause` is for our log and is never sent. Plain data; no ownership but the arena's. */
#pragma once

#include "acme/identifier.h"
#include "base/json.h"

/* name, RFC 8555 §6.7 type, default HTTP status */
#define ACME_PROBLEM_TABLE(X)                                                                                          \
    X(ACCOUNT_DOES_NOT_EXIST, "accountDoesNotExist", 400)                                                              \
    X(ALREADY_REPLACED, "alreadyReplaced", 409)                                                                        \
    X(ALREADY_REVOKED, "alreadyRevoked", 400)                                                                          \
    X(BAD_CSR, "badCSR", 400)                                                                                          \
    X(BAD_NONCE, "badNonce", 400)                                                                                      \
    X(BAD_PUBLIC_KEY, "badPublicKey", 400)                                                                             \
    X(BAD_REVOCATION_REASON, "badRevocationReason", 400)                                                               \
    X(BAD_SIGNATURE_ALGORITHM, "badSignatureAlgorithm", 400)                                                           \
    X(CAA, "caa", 403)                                                                                                 \
    X(COMPOUND, "compound", 400)                                                                                       \
    X(CONNECTION, "connection", 400)                                                                                   \
    X(DNS, "dns", 400)                                                                                                 \
    X(EXTERNAL_ACCOUNT_REQUIRED, "externalAccountRequired", 403)                                                       \
    X(INCORRECT_RESPONSE, "incorrectResponse", 403)                                                                    \
    X(INVALID_CONTACT, "invalidContact", 400)                                                                          \
    X(INVALID_PROFILE, "invalidProfile", 400)                                                                          \
    X(MALFORMED, "malformed", 400)                                                                                     \
    X(ORDER_NOT_READY, "orderNotReady", 403)                                                                           \
    X(RATE_LIMITED, "rateLimited", 429)                                                                                \
    X(REJECTED_IDENTIFIER, "rejectedIdentifier", 400)                                                                  \
    X(SERVER_INTERNAL, "serverInternal", 500)                                                                          \
    X(TLS, "tls", 400)                                                                                                 \
    X(UNAUTHORIZED, "unauthorized", 403)                                                                               \
    X(UNSUPPORTED_CONTACT, "unsupportedContact", 400)                                                                  \
    X(UNSUPPORTED_IDENTIFIER, "unsupportedIdentifier", 400)                                                            \
    X(USER_ACTION_REQUIRED, "userActionRequired", 403)

enum acme_problem_type {
#define X(name, text, status) PROBLEM_##name,
    ACME_PROBLEM_TABLE(X)
#undef X
};

enum { PROBLEM_DETAIL_SIZE = 768, PROBLEM_CAUSE_SIZE = 256 };

struct acme_problem {
    enum acme_problem_type type;
    int status; /* HTTP */
    char detail[PROBLEM_DETAIL_SIZE];
    char cause[PROBLEM_CAUSE_SIZE];
    int64_t retry_after_s;         /* rateLimited: for the Retry-After header; 0: none */
    const char *help;              /* URL of a page about this kind of refusal; else NULL */
    const char *instance;          /* userActionRequired: URL for a human to visit; else NULL */
    const char *const *algorithms; /* badSignatureAlgorithm: what we take; NULL-ended; else NULL */
    const struct acme_subproblem *subproblems;
    size_t subproblem_count;
    const char *const *failures; /* compound: whole problem documents, JSON, as further subproblems */
    size_t failure_count;
};

struct acme_subproblem { /* RFC 8555 §6.7.1 */
    enum acme_problem_type type;
    struct acme_identifier identifier;
    const char *detail;
};

/* Fills the problem with the type's default status; no algorithms, subproblems or cause. Always false, for `return`. */
bool problem_fail(struct acme_problem *problem, enum acme_problem_type type, const char *detail, ...) PRINTF_LIKE(3, 4);
/* The same with a status of its own (404, 405, 413, 415, 503). */
bool problem_fail_status(struct acme_problem *problem, enum acme_problem_type type, int status, const char *detail, ...)
    PRINTF_LIKE(4, 5);
/* serverInternal whose detail says nothing of the inside; `cause` goes to the log. */
bool problem_internal(struct acme_problem *problem, const char *cause, ...) PRINTF_LIKE(2, 3);
/* The same as a 503: later there may be some. */
bool problem_out_of_memory(struct acme_problem *problem);

const char *problem_type_text(enum acme_problem_type type); /* "malformed" */

/* Writes the whole problem object (`type` as URN, `detail`, `status`, `algorithms`, `subproblems`). */
void problem_write(struct json_out *out, const char *key, const struct acme_problem *problem);
/* The same as compact JSON in the arena, for storing in an order or challenge; NULL when memory is out. */
MUST_USE const char *problem_json(struct arena *arena, const struct acme_problem *problem);
