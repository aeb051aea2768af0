/* Authorizations and their challenges (RFC 8555 §7.1.4, §7.5). */
#pragma once

#include "server/request.h"

bool authorization_post(struct request *rq); /* POST-as-GET, or deactivation */
bool challenge_post(struct request *rq);     /* POST-as-GET, or start */

/* The only writers of the states. */
void authorization_move(struct authorization *authorization, enum authorization_state to);
void challenge_move(struct challenge *challenge, enum challenge_state to);
/* The state a reader sees now: what ran out is expired. */
enum authorization_state authorization_state_at(const struct authorization *authorization, int64_t now_ms);

/* A pending authorization with its challenges for one identifier of an order; texts in the request's arena. */
MUST_USE bool authorization_make(struct request *rq, const char *order_id, const struct acme_identifier *identifier,
                                 struct authorization *out);

/* A valid authorization that the signing account holds for a name (without "*."), the youngest first. */
MUST_USE bool authorization_find_valid(struct store_txn *txn, struct request *rq,
                                       const struct acme_identifier *identifier, bool wildcard,
                                       struct authorization *out);
