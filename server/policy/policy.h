/* What an account may have: by the lists of the server (policy.allow-names, …) and by the rules of the external account
 * key that it was bound with. The client learns what is refused; by which rule stands in the log alone (`cause`). */
#pragma once

#include "server/protocol/authorization.h"
#include "server/caraway.h"

struct policy {
    const struct settings *settings;
    bool bound;              /* the account has a key, which is there */
    struct external_key key; /* its rules; all empty when there are none */
};

/* `key_id` is the account's external_key, NULL for an account without one. unauthorized: the key was revoked. */
MUST_USE bool policy_load(const struct caraway *caraway, struct store_txn *txn, struct arena *arena, const char *key_id,
                          struct policy *out, struct acme_problem *problem);
/* The same for the account that signed, in a transaction of its own. */
MUST_USE bool policy_of_request(struct request *rq, struct policy *out);

/* An order's names, profile and validity. rejectedIdentifier (with subproblems), invalidProfile or unauthorized. */
MUST_USE bool policy_check_order(const struct policy *policy, struct arena *arena, const struct order *order,
                                 int64_t now_ms, struct acme_problem *problem);
/* What an authorization would prove, in advance or for names below. */
MUST_USE bool policy_check_wish(const struct policy *policy, struct arena *arena, const struct authorization_wish *wish,
                                struct acme_problem *problem);
/* Whether a challenge of this type may prove names. */
bool policy_takes_challenge(const struct policy *policy, const char *type);
/* Whether an authorization that is valid may serve: by how it became so. */
bool policy_takes_proof(const struct policy *policy, const struct authorization *authorization);

/* Everything again for an order that is about to become a certificate, with the account, its key and the proofs as they
 * are in the transaction. Sets order->lifetime_ms; the owner is the account's, or NULL. */
MUST_USE bool policy_confirm(const struct caraway *caraway, struct store_txn *txn, struct arena *arena,
                             struct order *order, const char **out_owner, struct acme_problem *problem);
