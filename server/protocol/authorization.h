/* Authorizations (RFC 8555 §7.1.4, §7.4.1, §7.5; subdomains: RFC 9444). */
#pragma once

#include "server/web/request.h"

struct policy;
struct settings;

bool authorization_new(struct request *rq);  /* POST new-authz */
bool authorization_post(struct request *rq); /* POST-as-GET, or deactivation */

/* The only writer of an authorization's state. */
void authorization_move(struct authorization *authorization, enum authorization_state to);
/* The state a reader sees now: what ran out is expired. */
enum authorization_state authorization_state_at(const struct authorization *authorization, int64_t now_ms);
/* The one that made it valid; NULL: none was met. */
const struct challenge *authorization_met_challenge(const struct authorization *authorization);

/* What an account must prove, or has proved. */
struct authorization_wish {
    struct acme_identifier identifier; /* without "*." */
    enum authorization_scope scope;
};

/* Whether the server's settings put challenges of this type on offer. */
bool authorization_offers(const struct settings *settings, enum acme_challenge_type type);
/* A pending authorization with the challenges that the policy takes, or one that is valid by the policy itself;
 * order_id NULL when no order waits for it. Texts in the request's arena. */
MUST_USE bool authorization_make(struct request *rq, const struct policy *policy, const char *order_id,
                                 const struct authorization_wish *wish, struct authorization *out);
enum { AUTHORIZATION_MAX_BYTES = 256 * 1024 }; /* an arena in which one can be looked for */
/* A valid authorization of the signing account, by a proof, that fulfils the wish: its own, or one of a domain above
 * that covers subdomains. */
MUST_USE bool authorization_find_valid(struct store_txn *txn, struct request *rq, struct arena *arena,
                                       const struct authorization_wish *wish, struct authorization *out);

/* The authorization named in the path; refuses one that is unknown or another account's. A NULL txn is a problem too.
 */
MUST_USE bool authorization_load(struct request *rq, struct store_txn *txn, struct authorization *out);
MUST_USE bool authorization_read(struct request *rq, struct authorization *out); /* in a transaction of its own */
bool authorization_reply(struct request *rq, const struct authorization *authorization, int status);
