/* Which limits a step of the protocol asks and spends, and who is exempt. What ends in a write runs in the job that
 * stores the step, so that the two happen together or not at all. */
#pragma once

#include "server/limits/limit.h"
#include "server/web/request.h"

/* Why an order need not ask every limit; nothing counts from LIMIT_EXEMPT_TIMELY on. */
#define LIMIT_EXEMPTION_TABLE(X)                                                                                       \
    X(NONE, "none")                                                                                                    \
    X(RENEWAL, "renewal")          /* these names were issued not long ago: neither domains nor orders count */        \
    X(TIMELY, "timely-renewal")    /* renewal information (RFC 9773) asked for it */                                   \
    X(KEY, "external-account-key") /* that of the account has no limits */

enum limit_exemption {
#define X(name, text) LIMIT_EXEMPT_##name,
    LIMIT_EXEMPTION_TABLE(X)
#undef X
};
const char *limit_exemption_text(enum limit_exemption exemption);

/* How the limits see an order. */
struct limit_standing {
    enum limit_exemption exemption;
    enum limit_class class;
};
struct limit_standing limit_standing(struct store_txn *txn, struct arena *arena, const struct order *order,
                                     int64_t now_ms);
/* That of the key that the account was bound with. */
enum limit_class limit_class_of_account(struct store_txn *txn, const char *account);

/* What a new order asks. It spends the account's orders alone, which then come first. False when memory is out. */
MUST_USE bool limit_order_asks(const struct limits *limits, struct arena *arena, const struct order *order,
                               struct limit_standing standing, struct limit_asks *out);
/* What a certificate asks and spends. */
MUST_USE bool limit_certificate_asks(const struct limits *limits, struct arena *arena, const struct order *order,
                                     struct limit_standing standing, struct limit_asks *out);

MUST_USE bool limit_new_account(struct store_txn *txn, struct request *rq);
/* Asks, without a write: what new-order would meet, paused names included. */
MUST_USE bool limit_order_passes(struct store_txn *txn, struct request *rq, const struct order *order);
MUST_USE bool limit_new_order(struct store_txn *txn, struct request *rq, const struct order *order);
/* The domain above some of the order's names that is proved in their stead (RFC 9444). */
MUST_USE bool limit_ancestor_passes(struct store_txn *txn, struct request *rq, const struct order *order,
                                    const struct acme_identifier *ancestor);
/* In advance a name is proved as an order for it alone would, and fails as often: that counts as one. */
MUST_USE bool limit_new_authorization(struct store_txn *txn, struct request *rq,
                                      const struct authorization *authorization);
/* Of an order that is about to be signed, and in the job that stores its certificate: orders that were made while there
 * was room may have taken it since. */
MUST_USE bool limit_certificate_passes(struct store_txn *txn, struct request *rq, const struct order *order);
MUST_USE bool limit_issue(struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                          const struct order *order, struct acme_problem *problem);
/* An authorization was decided: a failure is spent, and may pause the name for the account; a success forgives. */
void limit_decided(struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                   const struct authorization *authorization, bool ok);
