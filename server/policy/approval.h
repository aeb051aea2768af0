/* The approval of orders by a service of the operator's (policy.approval-url). It is asked before an order is made, so
 * that a refusal costs the client no proof of a name, and never while a write transaction is open: the request is
 * suspended meanwhile. The service gets
 *   {"event": "order.requested", "order", "account", "owner", "external_key", "peer", "profile", "identifiers": [...],
 *    "not_before", "not_after"}
 * and answers {"allow": true} or {"allow": false, "detail": "a sentence for the client"}. */
#pragma once

#include "server/caraway.h"
#include "server/web/request.h"

struct approval;

/* Suspends the request until the service has answered, or its time is over. */
MUST_USE bool approval_ask(struct request *rq, const struct order *order, request_handler *after,
                           struct approval **out);
/* In `after`. Without an answer policy.approval-failure decides. */
MUST_USE bool approval_verdict(struct request *rq, const struct approval *approval);
void approval_release(struct approval *approval); /* takes NULL; the rest is the request's arena's */
