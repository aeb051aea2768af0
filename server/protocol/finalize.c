#include "server/protocol/finalize.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/protocol/issuance.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/web/payload.h"
#include "server/policy/policy.h"
#include "server/protocol/profile.h"
#include "server/protocol/recheck.h"
#include "server/protocol/renewal.h"

struct finalize {
    struct order order;
    struct bytes der;          /* the CSR as sent */
    struct csr *csr;           /* owned until an issuance takes it */
    struct recheck *recheck;   /* owned; NULL: CAA need not be asked */
    struct issuance *issuance; /* owned until it starts */
    bool processing;           /* the job stored the order as such, if its commit came off */
};

static void start_if_stored(struct request *rq)
{
    struct finalize *state = rq->state;
    if (state->processing && rq->store_status == STORE_OK && state->issuance != NULL)
        issuance_start_detached(TAKE(state->issuance), &state->order);
}

/* The client may have gone before it could be answered; what is stored goes on. */
static void finalize_release(struct request *rq)
{
    struct finalize *state = rq->state;
    start_if_stored(rq);
    csr_drop(state->csr);
    issuance_drop(state->issuance);
    recheck_drop(state->recheck);
}

/* ---- checks */

static bool check_ready(struct request *rq, const struct order *order)
{
    enum order_state state = order_state_at(order, rq->now_ms);
    if (state == ORDER_READY)
        return true;
    const char *hint = state == ORDER_PENDING ? "; complete its authorizations first"
                       : state == ORDER_VALID ? "; its certificate is there already"
                                              : "; make a new order";
    return problem_fail(&rq->problem, PROBLEM_ORDER_NOT_READY, "The order is %s and cannot be finalized%s",
                        state_text(&order_states, state), hint);
}

static bool check_not_after(struct request *rq, const struct order *order)
{
    return order->not_after_ms == 0 || order->not_after_ms > rq->now_ms ||
           problem_fail(&rq->problem, PROBLEM_MALFORMED, "The order's \"notAfter\" has passed; make a new order");
}

static bool read_order(struct request *rq, struct order *out)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an order");
    const char *owner;
    TRY(order_load(rq, txn, out) && check_ready(rq, out) && check_not_after(rq, out));
    /* asked again when the certificate is stored; here nothing has been signed in vain yet */
    return policy_confirm(rq->caraway, txn, rq->arena, out, &owner, &rq->problem) &&
           renewal_check_replaces(txn, rq->arena, out, rq->now_ms, &rq->problem) &&
           limit_certificate_passes(txn, rq, out);
}

static bool parse_csr(struct request *rq, struct finalize *state)
{
    char why[CSR_WHY_SIZE];
    TRY(payload_b64url(rq, "csr", CSR_MAX_BYTES, &state->der));
    if (state->der.len == 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The payload needs \"csr\": the certificate signing request (DER) as base64url");
    enum csr_status status = csr_parse(state->der, &state->csr, why);
    if (status == CSR_NO_MEMORY)
        return problem_out_of_memory(&rq->problem);
    return status == CSR_OK || problem_fail(&rq->problem, PROBLEM_BAD_CSR, "The CSR %s", why);
}

static bool has_identifier(const struct acme_identifier *list, size_t count, const struct acme_identifier *wanted)
{
    for (size_t i = 0; i < count; i++) {
        if (identifier_compare(&list[i], wanted) == 0)
            return true;
    }
    return false;
}

static bool check_names(struct request *rq, const struct csr *csr, const struct identifiers *ordered)
{
    size_t count;
    const struct acme_identifier *asked = csr_identifiers(csr, &count);
    for (size_t i = 0; i < count; i++) {
        if (!has_identifier(ordered->items, ordered->count, &asked[i]))
            return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                                "The CSR asks for \"%s\", which the order does not name; both must have the same names",
                                asked[i].value);
    }
    for (size_t i = 0; i < ordered->count; i++) {
        if (!has_identifier(asked, count, &ordered->items[i]))
            return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                                "The CSR leaves out \"%s\", which the order names; both must have the same names",
                                ordered->items[i].value);
    }
    return true;
}

/* RFC 8555 §11.1: a certificate shares its key with no account. */
static bool check_key(struct request *rq, const struct csr *csr)
{
    const char *thumbprint = jwk_thumbprint(csr_key(csr));
    if (strcmp(thumbprint, jwk_thumbprint(rq->key)) == 0)
        return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                            "The CSR's key is the account's key; a certificate needs a key of its own");
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_out_of_memory(&rq->problem);
    if (store_find(txn, rq->arena, STORE_ACCOUNT_BY_KEY, thumbprint) != NULL)
        return problem_fail(&rq->problem, PROBLEM_BAD_CSR,
                            "The CSR's key is the key of an account; a certificate needs a key of its own");
    return store_txn_status(txn) == STORE_OK ||
           problem_from_store(&rq->problem, store_txn_status(txn), "looking for an account");
}

static bool check_csr(struct request *rq, const struct finalize *state)
{
    return check_names(rq, state->csr, &state->order.identifiers) && check_key(rq, state->csr);
}

/* ---- at once: the answer is the valid order */

static void issuance_release(struct request *rq)
{
    issuance_drop(rq->state);
}

static bool after_issuance(struct request *rq)
{
    return order_reply(rq, issuance_order(rq->state), 200);
}

static bool issue_and_wait(struct request *rq, struct finalize *state)
{
    struct issuance *issuance = TAKE(state->issuance);
    rq->release = issuance_release;
    rq->state = NULL;
    request_wait(rq, after_issuance);
    issuance_start(issuance, rq);
    return true;
}

/* ---- later: the answer is the order in processing */

static bool store_processing(struct store_txn *txn, struct request *rq)
{
    struct finalize *state = rq->state;
    const char *owner;
    state->processing = false;
    TRY(order_load(rq, txn, &state->order));
    TRY(check_ready(rq, &state->order));
    /* what is signed from here on lives as long as the account's rules allow now, not when the order was made */
    TRY(policy_confirm(rq->caraway, txn, rq->arena, &state->order, &owner, &rq->problem));
    order_move(&state->order, ORDER_PROCESSING);
    state->order.csr = state->der;
    store_put_order(txn, &state->order);
    state->processing = true;
    return true;
}

static bool after_processing(struct request *rq)
{
    struct finalize *state = rq->state;
    start_if_stored(rq);
    return order_reply(rq, &state->order, 200);
}

/* ---- CAA once more, where it is due */

static bool go_on(struct request *rq)
{
    struct finalize *state = rq->state;
    recheck_drop(TAKE(state->recheck));
    /* before the order is stored as processing: memory that is out then would leave it there */
    state->issuance = issuance_create(rq->caraway, &state->order, TAKE(state->csr));
    if (state->issuance == NULL)
        return problem_out_of_memory(&rq->problem);
    if (strcmp(rq->caraway->settings->finalize_mode, "sync") == 0)
        return issue_and_wait(rq, state);
    request_submit(rq, store_processing, after_processing);
    return true;
}

static void answered(void *rq)
{
    request_resume(rq);
}

/* A refusal leaves the order ready: records can be changed, and DNS comes back. */
static bool after_recheck(struct request *rq)
{
    struct finalize *state = rq->state;
    TRY(recheck_verdict(state->recheck, rq->arena, &rq->problem));
    TRY(read_order(rq, &state->order)); /* it may have waited long */
    return go_on(rq);
}

static bool make_recheck(struct request *rq, struct finalize *state)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading authorizations");
    return recheck_make(rq->caraway, txn, &state->order, &state->recheck, &rq->problem);
}

bool order_finalize(struct request *rq)
{
    struct finalize *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->state = state;
    rq->release = finalize_release;
    TRY(read_order(rq, &state->order));
    TRY(parse_csr(rq, state));
    TRY(check_csr(rq, state));
    if (profile_find(state->order.profile) == NULL)
        return problem_fail(&rq->problem, PROBLEM_INVALID_PROFILE,
                            "The profile \"%s\" of the order is no longer offered", state->order.profile);
    TRY(make_recheck(rq, state));
    if (state->recheck == NULL)
        return go_on(rq);
    request_wait(rq, after_recheck);
    recheck_start(state->recheck, answered, rq);
    return true;
}
