#include "server/management/dry_run.h"

#include "server/protocol/account.h"
#include "server/caraway.h"
#include "server/management/limit_admin.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/order.h"
#include "server/web/payload.h"

static bool load_account(struct request *rq, struct store_txn *txn)
{
    const char *id = NULL;
    TRY(payload_text(rq, "account", &id));
    if (id == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The \"account\" that would sign the order is missing");
    return store_get_account(txn, rq->arena, id, &rq->account) ||
           problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no account \"%.100s\"", id);
}

/* Fills the problem where new-order would. */
static bool would_pass(struct request *rq, struct store_txn *txn, struct order *order)
{
    return account_may_act(&rq->account, &rq->problem) && order_read_new(rq, order) &&
           order_check_new(txn, rq, order) && limit_order_passes(txn, rq, order);
}

static void write_limits(struct request *rq, struct store_txn *txn, const struct order *order, struct json_out *out)
{
    struct limit_standing standing = limit_standing(txn, rq->arena, order, rq->now_ms);
    struct limit_asks asks;
    json_out_text(out, "exemption", limit_exemption_text(standing.exemption));
    if (limit_order_asks(rq->caraway->limits, rq->arena, order, standing, &asks))
        limit_write_buckets(rq, txn, out, "limits", &asks);
}

bool dry_run_post(struct request *rq)
{
    struct order order = { 0 };
    TRY(payload_read(rq));
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading");
    TRY(load_account(rq, txn));
    bool passes = would_pass(rq, txn, &order);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_bool(&out, "passes", passes);
    if (!passes)
        problem_write(&out, "problem", &rq->problem);
    if (!passes && rq->problem.cause[0] != '\0')
        json_out_text(&out, "cause", rq->problem.cause);
    if (order.identifiers.count > 0)
        write_limits(rq, txn, &order, &out);
    json_out_end_object(&out);
    return true;
}
