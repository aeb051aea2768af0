/* What the names of an order stand on: each on an authorization of its own, or of a domain above it (RFC 9444). */
#pragma once

#include "storage/store.h"

#include "acme/problem.h"

struct name_proof {                /* of one identifier */
    bool found;                    /* while they are being read; true for all that proofs_read gives */
    bool by_policy;                /* no challenge was met: the operator's rules stand in */
    bool of_itself;                /* else of a domain above: CAA has not been asked for the identifier */
    enum acme_challenge_type type; /* that was met, */
    const char *account_url;       /* by whom, as he named himself, */
    int64_t validated_ms;          /* and when */
};

/* One for each identifier of the order, in its order. False: an authorization of the order holds no longer, or none
 * speaks for an identifier (unauthorized). */
MUST_USE bool proofs_read(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms,
                          const struct name_proof **out, struct acme_problem *problem);
/* Only whether there are all. */
MUST_USE bool proofs_hold(struct store_txn *txn, const struct order *order, int64_t now_ms,
                          struct acme_problem *problem);
