/* new-order (RFC 8555 §7.4): checks what is asked for, makes the order and an authorization for every name that the
 * account has not proved yet. */
#include "server/authorization.h"
#include "server/caraway.h"
#include "server/order.h"
#include "server/payload.h"

struct new_order {
    struct order order;
    struct authorization *authorizations; /* one for each identifier; stored only where none can be reused */
};

/* ---- identifiers */

struct refusals {
    struct acme_subproblem *items;
    size_t count;
};

static bool read_identifier(struct request *rq, const json_t *entry, struct acme_identifier *out,
                            struct refusals *refusals)
{
    const char *type_text = json_member_text(entry, "type");
    const char *value = json_member_text(entry, "value");
    if (type_text == NULL || value == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "Each entry of \"identifiers\" must have the strings \"type\" and \"value\"");
    if (!identifier_type_from_text(type_text, &out->type))
        return problem_fail(&rq->problem, PROBLEM_UNSUPPORTED_IDENTIFIER,
                            "The identifier type \"%.50s\" is not known here; use \"dns\" or \"ip\"", type_text);
    char why[IDENTIFIER_WHY_SIZE];
    if (identifier_make(rq->arena, out->type, bytes_text(value), out, why))
        return true;
    struct acme_subproblem *refusal = &refusals->items[refusals->count++];
    *refusal = (struct acme_subproblem) {
        .type = PROBLEM_REJECTED_IDENTIFIER,
        .identifier = { out->type, arena_text(rq->arena, value) },
        .detail = arena_printf(rq->arena, "Cannot issue for \"%.260s\": %s", value, why),
    };
    if (refusal->identifier.value == NULL || refusal->detail == NULL)
        return problem_out_of_memory(&rq->problem);
    return true;
}

static bool refuse_identifiers(struct request *rq, const struct refusals *refusals)
{
    problem_fail(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, "%s", refusals->items[0].detail);
    if (refusals->count > 1) {
        problem_fail(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, "%zu identifiers are refused; see the subproblems",
                     refusals->count);
        rq->problem.subproblems = refusals->items;
        rq->problem.subproblem_count = refusals->count;
    }
    return false;
}

static bool read_identifiers(struct request *rq, struct identifiers *out)
{
    const json_t *list = json_object_get(rq->payload, "identifiers");
    size_t count = json_array_size(list);
    size_t most = (size_t)rq->caraway->settings->order_max_identifiers;
    if (count == 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The order needs \"identifiers\": an array with at least one identifier");
    if (count > most)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The order has %zu identifiers; at most %zu are taken",
                            count, most);
    struct acme_identifier *items = arena_array(rq->arena, count, sizeof *items);
    struct refusals refusals = { .items = arena_array(rq->arena, count, sizeof *refusals.items) };
    if (items == NULL || refusals.items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < count; i++)
        TRY(read_identifier(rq, json_array_get(list, i), &items[i], &refusals));
    if (refusals.count > 0)
        return refuse_identifiers(rq, &refusals);
    *out = (struct identifiers) { items, identifier_sort_unique(items, count) };
    return true;
}

/* ---- validity */

static bool read_validity(struct request *rq, struct order *order)
{
    const struct settings *settings = rq->caraway->settings;
    TRY(payload_time(rq, "notBefore", &order->not_before_ms));
    TRY(payload_time(rq, "notAfter", &order->not_after_ms));
    int64_t from = order->not_before_ms != 0 ? order->not_before_ms : rq->now_ms;
    if (order->not_before_ms != 0 && order->not_before_ms < rq->now_ms - settings->ca_backdate_ms)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"notBefore\" lies too far in the past");
    if (order->not_after_ms != 0 && (order->not_after_ms <= from || order->not_after_ms <= rq->now_ms))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"notAfter\" must lie behind \"notBefore\" and now");
    if (order->not_after_ms != 0 && order->not_after_ms - from > settings->ca_lifetime_ms)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The certificate would live longer than %lld hours, the most this server gives",
                            (long long)(settings->ca_lifetime_ms / 3600000));
    return true;
}

/* ---- storing */

static bool insert_order(struct store_txn *txn, struct request *rq)
{
    struct new_order *state = rq->state;
    struct order *order = &state->order;
    order->state = ORDER_PENDING;
    order->expires_ms = rq->now_ms + rq->caraway->settings->order_lifetime_ms;
    size_t proved = 0;
    for (size_t i = 0; i < order->identifiers.count; i++) {
        struct authorization reused;
        const struct authorization *fresh = &state->authorizations[i];
        bool reuse = authorization_find_valid(txn, rq, &fresh->identifier, fresh->wildcard, &reused);
        order->authorizations.items[i] = reuse ? reused.id : fresh->id;
        if (!reuse)
            store_put_authorization(txn, fresh);
        else if (reused.expires_ms < order->expires_ms)
            order->expires_ms = reused.expires_ms;
        proved += reuse;
    }
    if (proved == order->identifiers.count)
        order_move(order, ORDER_READY);
    store_put_order(txn, order);
    return true;
}

static bool after_insert(struct request *rq)
{
    const struct order *order = &((struct new_order *)rq->state)->order;
    log_event(rq->caraway->log, LOG_ORDER_CREATED, LOG_TEXT("order", order->id), LOG_TEXT("account", order->account),
              LOG_TEXT("name", order->identifiers.items[0].value), LOG_INT("names", (int64_t)order->identifiers.count));
    return order_reply(rq, order, 201);
}

static bool prepare(struct request *rq, struct new_order *state)
{
    struct order *order = &state->order;
    char id[ID_SIZE];
    world_make_id(rq->caraway->world, id);
    size_t count = order->identifiers.count;
    order->id = arena_text(rq->arena, id);
    order->account = rq->account.id;
    order->created_ms = rq->now_ms;
    state->authorizations = arena_array(rq->arena, count, sizeof *state->authorizations);
    order->authorizations = (struct texts) { arena_array(rq->arena, count, sizeof(char *)), count };
    if (order->id == NULL || state->authorizations == NULL || order->authorizations.items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < count; i++)
        TRY(authorization_make(rq, order->id, &order->identifiers.items[i], &state->authorizations[i]));
    return true;
}

bool order_new(struct request *rq)
{
    struct new_order *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(payload_required(rq));
    TRY(read_identifiers(rq, &state->order.identifiers));
    TRY(read_validity(rq, &state->order));
    TRY(prepare(rq, state));
    rq->state = state;
    request_submit(rq, insert_order, after_insert);
    return true;
}
