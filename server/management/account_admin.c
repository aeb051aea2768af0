#include "server/management/account_admin.h"

#include "server/protocol/account.h"
#include "server/caraway.h"
#include "storage/codec.h"

struct account_step {
    enum account_state from, to;
    struct account account;
};

static bool store_step(struct store_txn *txn, struct request *rq)
{
    struct account_step *step = rq->state;
    if (!store_get_account(txn, rq->arena, rq->params[0], &step->account))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no account \"%s\"", rq->params[0]);
    if (step->account.state == step->to)
        return true;
    if (step->account.state != step->from)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 409, "The account is %s",
                                   state_text(&account_states, step->account.state));
    account_move(&step->account, step->to);
    store_put_account(txn, &step->account);
    return true;
}

static bool after_step(struct request *rq)
{
    const struct account *account = &((struct account_step *)rq->state)->account;
    log_event(rq->caraway->log, LOG_ACCOUNT_UPDATED, LOG_TEXT("account", account->id),
              LOG_TEXT("owner", account->owner), LOG_TEXT("status", state_text(&account_states, account->state)));
    struct json_out out = reply_json(rq, 200);
    record_to_json(&out, NULL, record_type_of(RECORD_account), account);
    return true;
}

static bool take_step(struct request *rq, enum account_state from, enum account_state to)
{
    struct account_step *step = arena_alloc(rq->arena, sizeof *step);
    if (step == NULL)
        return problem_out_of_memory(&rq->problem);
    *step = (struct account_step) { .from = from, .to = to };
    rq->state = step;
    request_submit(rq, store_step, after_step);
    return true;
}

bool account_suspend(struct request *rq)
{
    return take_step(rq, ACCOUNT_VALID, ACCOUNT_SUSPENDED);
}

bool account_resume(struct request *rq)
{
    return take_step(rq, ACCOUNT_SUSPENDED, ACCOUNT_VALID);
}
