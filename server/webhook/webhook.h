/* What happened, told to a service of the operator's (webhook.url). An event is stored by the transaction of what it
 * tells, so that neither is without the other; one thread delivers it later, as often as needed, and nothing waits for
 * that. A receiver may meet an event twice and knows it by its webhook-id. Without a URL nothing is stored. */
#pragma once

#include "acme/problem.h"
#include "server/caraway.h"

#define WEBHOOK_KIND_TABLE(X)                                                                                          \
    X(ISSUED, "certificate.issued")                                                                                    \
    X(REVOKED, "certificate.revoked")                                                                                  \
    X(EXPIRING, "certificate.expiring") /* within webhook.expiry-notice, and nothing took its place */                 \
    X(REFUSED, "order.refused")         /* by policy, approval, CAA or a rate limit */

enum webhook_kind {
#define X(name, text) WEBHOOK_##name,
    WEBHOOK_KIND_TABLE(X)
#undef X
};

struct webhook;
struct request;

/* Before the store and behind it: its last jobs tell events. NULL: memory is out. */
MUST_USE struct webhook *webhook_create(const struct settings *settings);
void webhook_drop(struct webhook *webhook);
/* The thread; does nothing where there is no URL. False: no memory or threads. */
MUST_USE bool webhook_start(struct caraway *caraway);
void webhook_stop(struct webhook *webhook);

/* In the job of the event itself; dropped, and counted, while webhook.queue events wait. */
void webhook_certificate(struct caraway *caraway, struct store_txn *txn, enum webhook_kind kind,
                         const struct certificate *certificate);
void webhook_order_refused(struct caraway *caraway, struct store_txn *txn, const struct order *order,
                           const struct acme_problem *problem);
/* A refusal writes nothing itself: this does, in a job that nobody waits for. Only refusals of what an account asks to
 * be issued are told. */
void webhook_refused(struct request *rq);
/* Behind the commit of an event: there is work. */
void webhook_kick(struct caraway *caraway);

/* The operator's: POST webhook-events/{id}/retry; "all" for up to STORE_PAGE_MAX events. */
bool webhook_retry(struct request *rq);
