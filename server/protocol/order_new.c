/* new-order (RFC 8555 §7.4): checks what is asked for, makes the order and an authorization for every name that the
 * account has not proved yet. */
#include "server/policy/approval.h"
#include "base/text.h"
#include "server/caraway.h"
#include "server/protocol/identifiers.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/web/payload.h"
#include "server/policy/policy.h"
#include "server/protocol/profile.h"
#include "server/protocol/renewal.h"
#include "server/protocol/terms.h"

struct new_order {
    struct order order;
    struct asked asked;
    struct policy policy;
    struct approval *approval;            /* NULL: nobody was asked */
    struct authorization *authorizations; /* one for each wish; stored only where none can be reused */
};

/* ---- validity */

static bool read_validity(struct request *rq, const struct profile *profile, struct order *order)
{
    const struct settings *settings = rq->caraway->settings;
    int64_t lifetime_ms = profile_lifetime_ms(profile, settings);
    TRY(payload_time(rq, "notBefore", &order->not_before_ms));
    TRY(payload_time(rq, "notAfter", &order->not_after_ms));
    int64_t from = order->not_before_ms != 0 ? order->not_before_ms : rq->now_ms;
    if (order->not_before_ms != 0 && order->not_before_ms < rq->now_ms - settings->ca_backdate_ms)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"notBefore\" lies too far in the past");
    if (from - rq->now_ms > lifetime_ms) /* what is proved today says little of then */
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"notBefore\" lies too far in the future");
    if (order->not_after_ms != 0 && (order->not_after_ms <= from || order->not_after_ms <= rq->now_ms))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"notAfter\" must lie behind \"notBefore\" and now");
    if (order->not_after_ms != 0 && order->not_after_ms - from > lifetime_ms)
        return problem_fail(&rq->problem,
                            lifetime_ms < settings->ca_lifetime_ms ? PROBLEM_INVALID_PROFILE : PROBLEM_MALFORMED,
                            "The certificate would live longer than %lld hours, the most the profile \"%s\" gives",
                            (long long)(lifetime_ms / 3600000), profile->name);
    return true;
}

/* ---- storing */

/* One proof may serve several names (RFC 9444). */
static void add_authorization(struct order *order, const char *id)
{
    struct texts *list = &order->authorizations;
    if (!text_is_among(list->items, list->count, id))
        list->items[list->count++] = id;
}

/* The id of a proof that fulfils the wish, or NULL. Many are looked for, and each may hold long traces. */
static const char *find_proof(struct store_txn *txn, struct request *rq, const struct authorization_wish *wish)
{
    struct new_order *state = rq->state;
    struct order *order = &state->order;
    struct authorization proof;
    AUTO(arena) scratch = arena_create(AUTHORIZATION_MAX_BYTES);
    if (scratch == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    if (scratch == NULL || !authorization_find_valid(txn, rq, scratch, wish, &proof) ||
        !policy_takes_proof(&state->policy, &proof))
        return NULL;
    const char *id = arena_text(rq->arena, proof.id);
    if (id == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    else if (proof.expires_ms < order->expires_ms)
        order->expires_ms = proof.expires_ms;
    return id;
}

bool order_check_new(struct store_txn *txn, struct request *rq, const struct order *order)
{
    return renewal_check_replaces(txn, rq->arena, order, rq->now_ms, &rq->problem);
}

static bool ancestors_pass(struct store_txn *txn, struct request *rq, const struct new_order *state)
{
    for (size_t i = 0; i < state->asked.wish_count; i++) {
        const struct authorization_wish *wish = &state->asked.wishes[i];
        if (wish->scope == SCOPE_SUBDOMAINS)
            TRY(limit_ancestor_passes(txn, rq, &state->order, &wish->identifier));
    }
    return true;
}

static bool insert_order(struct store_txn *txn, struct request *rq)
{
    struct new_order *state = rq->state;
    struct order *order = &state->order;
    order->state = ORDER_PENDING;
    order->expires_ms = rq->now_ms + rq->caraway->settings->order_lifetime_ms;
    order->authorizations.count = 0;
    TRY(order_check_new(txn, rq, order));
    TRY(ancestors_pass(txn, rq, state) && limit_new_order(txn, rq, order));
    size_t proved = 0;
    for (size_t i = 0; i < state->asked.wish_count; i++) {
        const struct authorization *fresh = &state->authorizations[i];
        bool allowed = fresh->state == AUTHORIZATION_VALID;
        const char *reused = allowed ? NULL : find_proof(txn, rq, &state->asked.wishes[i]);
        add_authorization(order, reused != NULL ? reused : fresh->id);
        if (reused == NULL)
            store_put_authorization(txn, fresh);
        proved += allowed || reused != NULL;
    }
    if (proved == state->asked.wish_count)
        order_move(order, ORDER_READY);
    store_put_order(txn, order);
    renewal_note(txn, rq->arena, order);
    return true;
}

static bool after_insert(struct request *rq)
{
    const struct order *order = &((struct new_order *)rq->state)->order;
    log_event(rq->caraway->log, LOG_ORDER_CREATED, LOG_TEXT("order", order->id), LOG_TEXT("account", order->account),
              LOG_TEXT("owner", rq->account.owner), LOG_TEXT("name", order->identifiers.items[0].value),
              LOG_INT("names", (int64_t)order->identifiers.count));
    return order_reply(rq, order, 201);
}

static bool prepare(struct request *rq, struct new_order *state)
{
    struct order *order = &state->order;
    char id[ID_SIZE];
    world_make_id(rq->caraway->world, id);
    size_t count = state->asked.wish_count;
    order->id = arena_text(rq->arena, id);
    order->created_ms = rq->now_ms;
    state->authorizations = arena_array(rq->arena, count, sizeof *state->authorizations);
    order->authorizations = (struct texts) { arena_array(rq->arena, count, sizeof(char *)), count };
    if (order->id == NULL || state->authorizations == NULL || order->authorizations.items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < count; i++)
        TRY(authorization_make(rq, &state->policy, order->id, &state->asked.wishes[i], &state->authorizations[i]));
    return true;
}

static bool check_policy(struct request *rq, struct new_order *state)
{
    TRY(policy_of_request(rq, &state->policy));
    TRY(policy_check_order(&state->policy, rq->arena, &state->order, rq->now_ms, &rq->problem));
    for (size_t i = 0; i < state->asked.wish_count; i++) {
        const struct authorization_wish *wish = &state->asked.wishes[i];
        if (wish->scope == SCOPE_SUBDOMAINS)
            TRY(policy_check_wish(&state->policy, rq->arena, wish, &rq->problem));
    }
    state->order.lifetime_ms = state->policy.key.lifetime_ms;
    return true;
}

static bool read_names(struct request *rq, const struct profile *profile, struct new_order *state)
{
    size_t count = json_array_size(json_object_get(rq->payload, "identifiers"));
    if (profile->identifiers_max != 0 && count > profile->identifiers_max)
        return problem_fail(&rq->problem, PROBLEM_INVALID_PROFILE,
                            "The profile \"%s\" takes %zu identifiers at most; the order has %zu", profile->name,
                            (size_t)profile->identifiers_max, count);
    TRY(identifiers_read(rq, (size_t)rq->caraway->settings->order_max_identifiers, &state->asked));
    state->order.identifiers = state->asked.identifiers;
    return true;
}

/* The payload, and what the store cannot change. */
static bool read_new(struct request *rq, struct new_order *state)
{
    const struct profile *profile;
    state->order.account = rq->account.id;
    TRY(terms_check(rq));
    TRY(profile_read(rq, &profile));
    TRY(read_names(rq, profile, state));
    TRY(read_validity(rq, profile, &state->order));
    TRY(renewal_read_replaces(rq, &state->order));
    state->order.profile = profile->name;
    return check_policy(rq, state);
}

bool order_read_new(struct request *rq, struct order *out)
{
    struct new_order state = { .order = { .id = "" } };
    bool ok = read_new(rq, &state);
    *out = state.order;
    return ok;
}

static void new_order_release(struct request *rq)
{
    approval_release(((struct new_order *)rq->state)->approval);
}

static bool after_approval(struct request *rq)
{
    TRY(approval_verdict(rq, ((struct new_order *)rq->state)->approval));
    request_submit(rq, insert_order, after_insert);
    return true;
}

/* Whoever is over a limit anyway troubles no service. */
static bool ask_for_approval(struct request *rq, struct new_order *state)
{
    {
        AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
        if (txn == NULL)
            return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading rate limits");
        TRY(ancestors_pass(txn, rq, state) && limit_order_passes(txn, rq, &state->order));
    }
    return approval_ask(rq, &state->order, after_approval, &state->approval);
}

bool order_new(struct request *rq)
{
    struct new_order *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(read_new(rq, state));
    TRY(prepare(rq, state));
    rq->state = state;
    rq->release = new_order_release;
    if (rq->caraway->settings->policy_approval_url[0] != '\0')
        return ask_for_approval(rq, state);
    request_submit(rq, insert_order, after_insert);
    return true;
}
