/* Orders (RFC 8555 §7.1.3, §7.4). */
#pragma once

#include "server/web/request.h"

bool order_new(struct request *rq);   /* POST new-order */
bool order_get(struct request *rq);   /* POST-as-GET order */
bool orders_list(struct request *rq); /* POST-as-GET account's orders (§7.1.2.1) */

/* What new-order does before it stores anything and before limits are asked, also for a dry run: reading the payload of
 * rq->account (as far as it came, the order is written also when refused), and the checks inside a transaction. */
MUST_USE bool order_read_new(struct request *rq, struct order *out);
MUST_USE bool order_check_new(struct store_txn *txn, struct request *rq, const struct order *order);

/* The only writer of an order's state. */
void order_move(struct order *order, enum order_state to);
/* The state a reader sees now: an order that ran out before it was finalized is invalid (§7.1.6). */
enum order_state order_state_at(const struct order *order, int64_t now_ms);

/* §7.1.6: an order is invalid once one of its authorizations ends other than valid. Seen when the order is read, since
 * an authorization knows only the order it was made for. False: the store failed. */
MUST_USE bool order_follow(struct store_txn *txn, struct order *order, int64_t now_ms);
/* Every authorization of the order is valid; `decided` counts as valid, for it is not stored yet. */
MUST_USE bool order_is_proved(struct store_txn *txn, const struct order *order, const struct authorization *decided,
                              int64_t now_ms);

/* Loads the order named in the path; refuses one that is unknown or another account's. It is as its authorizations make
 * it now, which may be invalid where the store still has it pending or ready. */
MUST_USE bool order_load(struct request *rq, struct store_txn *txn, struct order *out);
bool order_reply(struct request *rq, const struct order *order, int status);
