#include "server/protocol/order.h"

#include "server/protocol/authorization.h"
#include "server/caraway.h"

#include <stdio.h>

enum { ORDERS_PER_PAGE = 100, ORDER_MAX_BYTES = 512 * 1024 };

/* RFC 8555 §7.1.6:
 *    pending ──▶ ready ──▶ processing ──▶ valid
 *       └──────────┴───────────┴────────▶ invalid */
void order_move(struct order *order, enum order_state to)
{
    CHECK(state_may(&order_states, order->state, to));
    order->state = to;
}

enum order_state order_state_at(const struct order *order, int64_t now_ms)
{
    bool open = order->state == ORDER_PENDING || order->state == ORDER_READY;
    return open && now_ms >= order->expires_ms ? ORDER_INVALID : order->state;
}

bool order_follow(struct store_txn *txn, struct order *order, int64_t now_ms)
{
    bool open = order->state == ORDER_PENDING || order->state == ORDER_READY;
    if (!open)
        return true;
    AUTO(arena) scratch = arena_create(AUTHORIZATION_MAX_BYTES);
    if (scratch == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    for (size_t i = 0; i < order->authorizations.count; i++) {
        struct authorization one;
        bool found = store_get_authorization(txn, scratch, order->authorizations.items[i], &one);
        TRY(store_txn_status(txn) == STORE_OK);
        enum authorization_state state = found ? authorization_state_at(&one, now_ms) : AUTHORIZATION_EXPIRED;
        arena_reset(scratch);
        if (state == AUTHORIZATION_PENDING || state == AUTHORIZATION_VALID)
            continue;
        order_move(order, ORDER_INVALID);
        return true;
    }
    return true;
}

bool order_is_proved(struct store_txn *txn, const struct order *order, const struct authorization *decided,
                     int64_t now_ms)
{
    AUTO(arena) scratch = arena_create(AUTHORIZATION_MAX_BYTES);
    if (scratch == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    for (size_t i = 0; i < order->authorizations.count; i++) {
        struct authorization one;
        if (strcmp(order->authorizations.items[i], decided->id) == 0)
            continue;
        TRY(store_get_authorization(txn, scratch, order->authorizations.items[i], &one));
        TRY(authorization_state_at(&one, now_ms) == AUTHORIZATION_VALID);
        arena_reset(scratch); /* there may be many, and each may hold a long trace */
    }
    return true;
}

bool order_load(struct request *rq, struct store_txn *txn, struct order *out)
{
    if (!store_get_order(txn, rq->arena, rq->params[0], out)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading an order");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no order %s", rq->params[0]);
    }
    if (strcmp(out->account, rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This order belongs to another account");
    if (!order_follow(txn, out, rq->now_ms))
        return problem_from_store(&rq->problem, store_txn_status(txn), "reading an order's authorizations");
    return true;
}

static void write_identifiers(struct json_out *out, const struct identifiers *identifiers)
{
    json_out_array(out, "identifiers");
    for (size_t i = 0; i < identifiers->count; i++) {
        json_out_object(out, NULL);
        json_out_text(out, "type", identifier_type_text(identifiers->items[i].type));
        json_out_text(out, "value", identifiers->items[i].value);
        json_out_end_object(out);
    }
    json_out_end_array(out);
}

static void write_url(struct json_out *out, const char *key, const char *url)
{
    if (url != NULL)
        json_out_text(out, key, url);
    else
        out->buf->failed = true; /* memory is out: the edge cuts the connection */
}

bool order_reply(struct request *rq, const struct order *order, int status)
{
    const struct settings *settings = rq->caraway->settings;
    enum order_state state = order_state_at(order, rq->now_ms);
    reply_header(rq, "Location", request_url(rq, "/order/%s", order->id));
    if (state == ORDER_PROCESSING)
        reply_header(rq, "Retry-After", arena_printf(rq->arena, "%d", (int)(settings->retry_after_order_ms / 1000)));
    struct json_out out = reply_json(rq, status);
    json_out_object(&out, NULL);
    json_out_text(&out, "status", state_text(&order_states, state));
    json_out_time(&out, "expires", order->expires_ms);
    write_identifiers(&out, &order->identifiers);
    if (order->profile != NULL)
        json_out_text(&out, "profile", order->profile);
    if (order->replaces_id != NULL)
        json_out_text(&out, "replaces", order->replaces_id);
    if (order->not_before_ms != 0)
        json_out_time(&out, "notBefore", order->not_before_ms);
    if (order->not_after_ms != 0)
        json_out_time(&out, "notAfter", order->not_after_ms);
    json_out_array(&out, "authorizations");
    for (size_t i = 0; i < order->authorizations.count; i++)
        write_url(&out, NULL, request_url(rq, "/authorization/%s", order->authorizations.items[i]));
    json_out_end_array(&out);
    write_url(&out, "finalize", request_url(rq, "/order/%s/finalize", order->id));
    if (order->certificate != NULL)
        write_url(&out, "certificate", request_url(rq, "/certificate/%s", order->certificate));
    if (order->error != NULL)
        json_out_raw(&out, "error", order->error);
    json_out_end_object(&out);
    return true;
}

bool order_get(struct request *rq)
{
    struct order order;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an order");
    TRY(order_load(rq, txn, &order));
    return order_reply(rq, &order, 200);
}

/* §7.1.2.1: not those that are invalid, which nobody can do anything with. */
static bool is_worth_listing(struct request *rq, struct store_txn *txn, const char *id)
{
    AUTO(arena) scratch = arena_create(ORDER_MAX_BYTES);
    struct order order;
    return scratch != NULL && store_get_order(txn, scratch, id, &order) && order_follow(txn, &order, rq->now_ms) &&
           order_state_at(&order, rq->now_ms) != ORDER_INVALID;
}

bool orders_list(struct request *rq)
{
    if (strcmp(rq->params[0], rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "These orders belong to another account");
    struct store_page page;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "listing orders");
    if (!store_list(txn, rq->arena, STORE_ORDER_BY_ACCOUNT, rq->account.id, request_argument(rq, "after"),
                    ORDERS_PER_PAGE, false, &page))
        return problem_from_list(rq, txn);
    if (page.next != NULL)
        reply_link(rq, "next", request_url(rq, "/account/%s/orders?after=%s", rq->account.id, page.next));
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_array(&out, "orders");
    for (size_t i = 0; i < page.ids.count; i++) {
        if (is_worth_listing(rq, txn, page.ids.items[i]))
            write_url(&out, NULL, request_url(rq, "/order/%s", page.ids.items[i]));
    }
    json_out_end_array(&out);
    json_out_end_object(&out);
    return true;
}
