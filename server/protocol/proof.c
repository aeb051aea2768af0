#include "server/protocol/proof.h"

#include "server/protocol/authorization.h"

enum { PROOFS_MAX_BYTES = 512 * 1024 };

static bool speaks_for(const struct authorization *authorization, const struct acme_identifier *identifier)
{
    const char *base = identifier_base(identifier);
    bool same =
        authorization->identifier.type == identifier->type && strcmp(authorization->identifier.value, base) == 0;
    if (!authorization->subdomains)
        return same && authorization->wildcard == identifier_is_wildcard(identifier);
    return same || (identifier->type == IDENTIFIER_DNS && identifier_lies_below(base, authorization->identifier.value));
}

/* All but of_itself. Left without `found` when nothing was met, which no valid authorization can say. */
static bool proof_of(struct arena *arena, const struct authorization *authorization, struct name_proof *out)
{
    const struct challenge *challenge = authorization_met_challenge(authorization);
    *out = (struct name_proof) { .found = authorization->allowed_by != NULL,
                                 .by_policy = authorization->allowed_by != NULL };
    if (challenge == NULL || !challenge_type_from_text(challenge->type, &out->type))
        return true;
    out->found = true;
    out->validated_ms = challenge->validated_ms;
    if (challenge->account_url != NULL)
        out->account_url = arena_text(arena, challenge->account_url);
    return challenge->account_url == NULL || out->account_url != NULL;
}

/* One of its own goes before one from above. */
static void take(const struct authorization *authorization, struct name_proof proof, const struct order *order,
                 struct name_proof *proofs)
{
    for (size_t i = 0; i < order->identifiers.count; i++) {
        const struct acme_identifier *identifier = &order->identifiers.items[i];
        if (!speaks_for(authorization, identifier) || proofs[i].of_itself)
            continue;
        proof.of_itself = authorization->wildcard == identifier_is_wildcard(identifier) &&
                          strcmp(authorization->identifier.value, identifier_base(identifier)) == 0;
        proofs[i] = proof;
    }
}

static bool read_one(struct store_txn *txn, struct arena *arena, const char *id, int64_t now_ms,
                     struct authorization *out, struct acme_problem *problem)
{
    if (!store_get_authorization(txn, arena, id, out)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(problem, store_txn_status(txn), "reading an authorization");
        return problem_fail(problem, PROBLEM_UNAUTHORIZED,
                            "An authorization of the order has expired long ago; make a new order");
    }
    enum authorization_state state = authorization_state_at(out, now_ms);
    return state == AUTHORIZATION_VALID ||
           problem_fail(problem, PROBLEM_UNAUTHORIZED, "The authorization for \"%s\" is %s by now; make a new order",
                        out->identifier.value, state_text(&authorization_states, state));
}

static bool all_found(const struct order *order, const struct name_proof *proofs, struct acme_problem *problem)
{
    for (size_t i = 0; i < order->identifiers.count; i++) {
        if (!proofs[i].found)
            return problem_fail(problem, PROBLEM_UNAUTHORIZED,
                                "No authorization of the order proves \"%s\"; make a new order",
                                order->identifiers.items[i].value);
    }
    return true;
}

bool proofs_read(struct store_txn *txn, struct arena *arena, const struct order *order, int64_t now_ms,
                 const struct name_proof **out, struct acme_problem *problem)
{
    struct name_proof *proofs = arena_array(arena, order->identifiers.count, sizeof *proofs);
    AUTO(arena) scratch = arena_create(AUTHORIZATION_MAX_BYTES);
    if (proofs == NULL || scratch == NULL)
        return problem_out_of_memory(problem);
    for (size_t i = 0; i < order->authorizations.count; i++) {
        struct authorization authorization;
        struct name_proof proof;
        arena_reset(scratch); /* there may be many, and each may hold a long trace */
        TRY(read_one(txn, scratch, order->authorizations.items[i], now_ms, &authorization, problem));
        if (!proof_of(arena, &authorization, &proof))
            return problem_out_of_memory(problem);
        take(&authorization, proof, order, proofs);
    }
    TRY(all_found(order, proofs, problem));
    *out = proofs;
    return true;
}

bool proofs_hold(struct store_txn *txn, const struct order *order, int64_t now_ms, struct acme_problem *problem)
{
    const struct name_proof *proofs;
    AUTO(arena) arena = arena_create(PROOFS_MAX_BYTES);
    return arena != NULL ? proofs_read(txn, arena, order, now_ms, &proofs, problem) : problem_out_of_memory(problem);
}
