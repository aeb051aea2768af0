#include "server/limits/pause.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/limits/limit.h"
#include "server/web/page.h"

#define DAY_MS INT64_C(86400000)

enum { GRACE_DAYS = 14, ARENA_MAX_BYTES = 1 << 20 };

static const char *pause_id(struct arena *arena, const char *account, const char *name)
{
    uint8_t digest[SHA256_BYTES];
    const char *text = arena_printf(arena, "%s/%s", account, name);
    if (text == NULL)
        return NULL;
    crypto_digest_sha256(bytes_text(text), digest);
    return arena_hex(arena, bytes_of(digest, SHA256_BYTES / 2));
}

void pause_name(struct store_txn *txn, struct arena *arena, const struct authorization *authorization, int64_t now_ms)
{
    struct pause pause;
    const char *id = pause_id(arena, authorization->account, authorization->identifier.value);
    if (id == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    if (store_get_pause(txn, arena, id, &pause) && now_ms < pause.grace_until_ms)
        return;
    pause = (struct pause) {
        .id = id, .account = authorization->account, .name = authorization->identifier.value, .paused_ms = now_ms
    };
    store_put_pause(txn, &pause);
}

bool pause_check(struct store_txn *txn, struct request *rq, const struct acme_identifier *identifier)
{
    struct pause pause;
    const char *id = pause_id(rq->arena, rq->account.id, identifier_base(identifier));
    if (id == NULL)
        return problem_out_of_memory(&rq->problem);
    if (!store_get_pause(txn, rq->arena, id, &pause) || pause.paused_ms == 0)
        return true;
    const char *page = page_url(rq, PAGE_UNPAUSE);
    if (page == NULL)
        return problem_out_of_memory(&rq->problem);
    problem_fail(&rq->problem, PROBLEM_RATE_LIMITED,
                 "Orders for %s, and perhaps for other names, are paused for this account after too many failed "
                 "authorizations in a row. When the cause is mended, resume them at %s",
                 identifier_base(identifier), page);
    rq->problem.help = rq->caraway->settings->limits_help_url;
    return false;
}

/* ---- resuming */

static bool list_paused(struct store_txn *txn, struct request *rq, struct arena *arena, const char *account,
                        struct store_page *out)
{
    return store_list(txn, arena, STORE_PAUSE_BY_ACCOUNT, account, NULL, PAUSE_RESUMED_AT_ONCE, false, out) ||
           problem_from_list(rq, txn);
}

bool pause_list(struct store_txn *txn, struct request *rq, const char *account, struct texts *out)
{
    struct store_page page;
    *out = (struct texts) { NULL, 0 };
    if (account == NULL)
        return true;
    TRY(list_paused(txn, rq, rq->arena, account, &page));
    out->items = arena_array(rq->arena, page.ids.count, sizeof *out->items);
    if (out->items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < page.ids.count; i++) {
        struct pause pause;
        if (store_get_pause(txn, rq->arena, page.ids.items[i], &pause))
            out->items[out->count++] = pause.name;
    }
    return true;
}

static bool resume_one(struct store_txn *txn, struct request *rq, struct arena *arena, struct pause *pause)
{
    const char *subject = arena_printf(arena, "%s/%s", pause->account, pause->name);
    const char *bucket = subject != NULL ? limit_bucket_id(arena, LIMIT_FAILURES_BEFORE_PAUSE, subject) : NULL;
    if (bucket == NULL)
        return problem_out_of_memory(&rq->problem);
    pause->paused_ms = 0;
    pause->grace_until_ms = rq->now_ms + GRACE_DAYS * DAY_MS;
    store_put_pause(txn, pause);
    store_delete_rate_bucket(txn, bucket);
    return true;
}

bool pause_resume(struct store_txn *txn, struct request *rq, const char *account, size_t *out_count)
{
    struct store_page page;
    struct pause pause;
    AUTO(arena) arena = arena_create(ARENA_MAX_BYTES); /* the request's would have to hold all jobs' */
    size_t count = 0;
    if (arena == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(list_paused(txn, rq, arena, account, &page));
    for (size_t i = 0; i < page.ids.count; i++) {
        if (!store_get_pause(txn, arena, page.ids.items[i], &pause))
            continue;
        TRY(resume_one(txn, rq, arena, &pause));
        count++;
    }
    *out_count = count;
    return true;
}

/* ---- the page */

bool pause_page_get(struct request *rq)
{
    const char *account;
    TRY(page_account(rq, PAGE_UNPAUSE, &account));
    page_reply(
        rq, "Paused names",
        "<p>Account <code>%s</code> kept asking for certificates that it could not prove, so its orders for those "
        "names are refused. Mend the cause first: the failed authorizations say what it is.</p>"
        "<form method=\"post\"><button>It is mended, resume my orders</button></form>",
        account);
    return true;
}

struct resume {
    const char *account;
    size_t now, all;
};

static bool store_resume(struct store_txn *txn, struct request *rq)
{
    struct resume *state = rq->state;
    return pause_resume(txn, rq, state->account, &state->now);
}

static bool after_resume(struct request *rq)
{
    struct resume *state = rq->state;
    state->all += state->now;
    if (state->now == PAUSE_RESUMED_AT_ONCE)
        request_submit(rq, store_resume, after_resume);
    else
        page_reply(rq, "Resumed", "<p>%zu name%s of account <code>%s</code> can be ordered again.</p>", state->all,
                   state->all == 1 ? "" : "s", state->account);
    return true;
}

bool pause_page_post(struct request *rq)
{
    struct resume *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(page_account(rq, PAGE_UNPAUSE, &state->account));
    rq->state = state;
    request_submit(rq, store_resume, after_resume);
    return true;
}
