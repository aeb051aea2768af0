/* ACME renewal information (RFC 9773): when a certificate should be renewed, and which one an order replaces. */
#pragma once

#include "server/web/request.h"

struct renewal_window {
    int64_t from_ms, until_ms;
};

/* The operator's, where there is one; else around two thirds of the life, half of it for a short one, and in the past
 * for a revoked certificate, which wants to be renewed at once. */
struct renewal_window renewal_window(const struct certificate *certificate);

bool renewal_info_get(struct request *rq); /* GET renewal-info/{certid} */

/* The payload's "replaces": the serial and the text go to the order. Refused when unknown, another account's, without a
 * name in common, or (409 alreadyReplaced) when an order took its place already. */
MUST_USE bool renewal_read_replaces(struct request *rq, struct order *order);
/* In a job: the same checks that may have changed since. */
MUST_USE bool renewal_check_replaces(struct store_txn *txn, struct arena *arena, const struct order *order,
                                     int64_t now_ms, struct acme_problem *problem);
/* True when the order replaces a certificate of its account and was made within the window in which that should be
 * renewed: such an order is exempt from every rate limit. */
bool renewal_is_timely(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms);
/* In the job that makes the order: its predecessor is taken, until the order turns out invalid. */
void renewal_note(struct store_txn *txn, struct arena *arena, const struct order *order);
