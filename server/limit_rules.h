/* Which limits a step of the protocol asks and spends, and who is exempt. All run in the job that stores the step. */
#pragma once

#include "server/request.h"

MUST_USE bool limit_new_account(struct store_txn *txn, struct request *rq);
MUST_USE bool limit_new_order(struct store_txn *txn, struct request *rq, const struct order *order);
void limit_issued(struct caraway *caraway, struct store_txn *txn, struct arena *arena, const struct order *order);
/* An authorization was decided: a failure is spent, and may pause the name for the account; a success forgives. */
void limit_decided(struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                   const struct authorization *authorization, bool ok);

/* The registered domain that a name counts for (public suffix list); for an address itself, or its /64. */
MUST_USE const char *limit_domain(struct arena *arena, const struct acme_identifier *identifier);
/* The asks of issuing for a set of names, at most LIMIT_ASKS_MAX. NULL when memory is out. */
struct limit_ask;
MUST_USE struct limit_ask *limit_issuance_asks(struct caraway *caraway, struct arena *arena, const struct order *order,
                                               size_t *out_count);
