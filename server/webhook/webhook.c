#include "server/webhook/webhook_inside.h"

#include "base/text.h"
#include "base/thread.h"
#include "server/protocol/authorization.h"
#include "server/protocol/finalize.h"
#include "server/protocol/order.h"

#include <time.h>

enum { REFUSAL_MAX_BYTES = 8192, IDS_MAX_BYTES = 1 << 20, EVENT_MAX_BYTES = 1 << 20 };

static const char *const kind_texts[] = {
#define X(name, text) [WEBHOOK_##name] = text,
    WEBHOOK_KIND_TABLE(X)
#undef X
};

const char *webhook_kind_text(enum webhook_kind kind)
{
    CHECK(kind < ARRAY_SIZE(kind_texts));
    return kind_texts[kind];
}

/* ---- the handle */

static unsigned wanted_kinds(const struct settings *settings)
{
    unsigned kinds = 0;
    const struct setting_texts *events = &settings->webhook_events;
    for (unsigned kind = 0; settings->webhook_url[0] != '\0' && kind < ARRAY_SIZE(kind_texts); kind++)
        kinds |= text_is_among(events->items, events->count, kind_texts[kind]) ? 1U << kind : 0;
    return kinds;
}

struct webhook *webhook_create(const struct settings *settings)
{
    struct webhook *webhook = calloc(1, sizeof *webhook);
    if (webhook == NULL)
        return NULL;
    webhook->settings = settings;
    webhook->kinds = wanted_kinds(settings);
    pthread_mutex_init(&webhook->lock, NULL);
    monotonic_cond_init(&webhook->wake);
    return webhook;
}

void webhook_drop(struct webhook *webhook)
{
    if (webhook == NULL)
        return;
    pthread_cond_destroy(&webhook->wake);
    pthread_mutex_destroy(&webhook->lock);
    free(webhook);
}

static void set_flag(struct webhook *webhook, bool *flag)
{
    pthread_mutex_lock(&webhook->lock);
    *flag = true;
    pthread_cond_broadcast(&webhook->wake);
    pthread_mutex_unlock(&webhook->lock);
}

static void clock_jumped(void *arg)
{
    struct webhook *webhook = arg;
    set_flag(webhook, &webhook->hurry);
}

bool webhook_start(struct caraway *caraway)
{
    struct webhook *webhook = caraway->webhook;
    if (webhook->kinds == 0)
        return true;
    webhook->caraway = caraway;
    webhook->watch = (struct world_watch) { .moved = clock_jumped, .arg = webhook };
    webhook->running = thread_start(&webhook->thread, webhook_run, webhook);
    if (webhook->running)
        world_watch(caraway->world, &webhook->watch);
    return webhook->running;
}

void webhook_stop(struct webhook *webhook)
{
    if (webhook == NULL || !webhook->running)
        return;
    world_unwatch(webhook->caraway->world, &webhook->watch);
    pthread_mutex_lock(&webhook->lock);
    webhook->stop = true;
    pthread_cond_broadcast(&webhook->wake);
    pthread_mutex_unlock(&webhook->lock);
    pthread_join(webhook->thread, NULL);
    webhook->running = false;
}

void webhook_kick(struct caraway *caraway)
{
    if (caraway->webhook->kinds != 0)
        set_flag(caraway->webhook, &caraway->webhook->kicked);
}

/* ---- noting */

static bool wants(const struct caraway *caraway, enum webhook_kind kind)
{
    return (caraway->webhook->kinds & 1U << kind) != 0;
}

/* Refusals, which anyone can cause, leave half of the room to the others. */
static void note(struct caraway *caraway, struct store_txn *txn, enum webhook_kind kind, struct webhook_event *event)
{
    struct webhook *webhook = caraway->webhook;
    char id[ID_SIZE];
    int64_t room = webhook->settings->webhook_queue / (kind == WEBHOOK_REFUSED ? 2 : 1);
    if (webhook->stored >= room) {
        webhook->dropped++;
        return;
    }
    world_make_id(caraway->world, id);
    event->id = id;
    event->event = webhook_kind_text(kind);
    event->created_ms = world_now_ms(caraway->world);
    event->next_ms = event->created_ms;
    store_put_webhook_event(txn, event);
    webhook->stored++;
}

void webhook_certificate(struct caraway *caraway, struct store_txn *txn, enum webhook_kind kind,
                         const struct certificate *certificate)
{
    if (!wants(caraway, kind))
        return;
    struct webhook_event event = {
        .account = certificate->account,
        .owner = certificate->owner,
        .order = certificate->order,
        .serial = certificate->serial,
        .identifiers = certificate->identifiers,
        .profile = certificate->profile,
        .not_before_ms = certificate->not_before_ms,
        .not_after_ms = certificate->not_after_ms,
        .reason = certificate->revoked_reason,
    };
    note(caraway, txn, kind, &event);
}

void webhook_order_refused(struct caraway *caraway, struct store_txn *txn, const struct order *order,
                           const struct acme_problem *problem)
{
    if (!wants(caraway, WEBHOOK_REFUSED))
        return;
    struct webhook_event event = {
        .account = order->account,
        .order = order->id,
        .identifiers = order->identifiers,
        .profile = order->profile,
        .problem = problem_type_text(problem->type),
        .detail = problem->detail,
    };
    note(caraway, txn, WEBHOOK_REFUSED, &event);
}

/* ---- refusals of requests */

struct refusal {
    struct store_job job;
    struct caraway *caraway;
    struct arena *arena;
    struct webhook_event event;
};

static void refusal_drop(struct refusal *refusal)
{
    if (refusal == NULL)
        return;
    arena_drop(refusal->arena);
    free(refusal);
}
DEFINE_DROP(refusal, refusal_drop)

static void store_refusal(struct store_txn *txn, void *arg)
{
    struct refusal *refusal = arg;
    note(refusal->caraway, txn, WEBHOOK_REFUSED, &refusal->event);
}

static void refusal_stored(void *arg, enum store_status status)
{
    AUTO(refusal) refusal = arg;
    if (status == STORE_OK)
        webhook_kick(refusal->caraway);
    else
        log_event(refusal->caraway->log, LOG_STORE_FAILED, LOG_TEXT("doing", "keeping an event for the webhook"),
                  LOG_TEXT("cause", store_status_text(status)));
}

static bool is_told(const struct request *rq)
{
    static request_handler *const asking[] = { order_new, order_finalize, authorization_new };
    static const enum acme_problem_type types[] = { PROBLEM_REJECTED_IDENTIFIER, PROBLEM_UNAUTHORIZED,
                                                    PROBLEM_INVALID_PROFILE, PROBLEM_RATE_LIMITED, PROBLEM_CAA };
    bool asks = false, refused = false;
    for (size_t i = 0; rq->route != NULL && i < ARRAY_SIZE(asking); i++)
        asks |= rq->route->handler == asking[i];
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        refused |= rq->problem.type == types[i];
    /* without an account nothing is known of who asks, so that is no refusal but noise */
    return asks && refused && rq->account.id != NULL && rq->key != NULL;
}

static bool fill(struct refusal *refusal, const struct request *rq)
{
    struct arena *arena = refusal->arena;
    struct webhook_event *event = &refusal->event;
    event->account = arena_text(arena, rq->account.id);
    event->owner = rq->account.owner != NULL ? arena_text(arena, rq->account.owner) : NULL;
    event->problem = problem_type_text(rq->problem.type);
    event->detail = arena_text(arena, rq->problem.detail);
    return event->account != NULL && event->detail != NULL;
}

void webhook_refused(struct request *rq)
{
    if (!wants(rq->caraway, WEBHOOK_REFUSED) || !is_told(rq))
        return;
    AUTO(refusal) refusal = calloc(1, sizeof *refusal);
    if (refusal != NULL)
        refusal->arena = arena_create(REFUSAL_MAX_BYTES);
    if (refusal == NULL || refusal->arena == NULL || !fill(refusal, rq)) {
        rq->caraway->webhook->dropped++;
        return;
    }
    refusal->caraway = rq->caraway;
    refusal->job = (struct store_job) { .work = store_refusal, .done = refusal_stored, .arg = refusal };
    struct store_job *job = &TAKE(refusal)->job;
    store_submit(rq->caraway->store, job);
}

/* ---- the operator's retry */

static bool retry_one(struct store_txn *txn, struct arena *arena, const char *id, int64_t now_ms)
{
    struct webhook_event event;
    arena_reset(arena);
    TRY(store_get_webhook_event(txn, arena, id, &event));
    event.next_ms = now_ms;
    store_put_webhook_event(txn, &event);
    return true;
}

int64_t webhook_retry_all(struct store_txn *txn, int64_t now_ms)
{
    AUTO(arena) ids = arena_create(IDS_MAX_BYTES);
    AUTO(arena) scratch = arena_create(EVENT_MAX_BYTES);
    struct store_page page = { .next = NULL };
    int64_t count = 0;
    if (ids == NULL || scratch == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return 0;
    }
    (void)!store_list_all(txn, ids, RECORD_webhook_event, NULL, STORE_PAGE_MAX, false, &page);
    for (size_t i = 0; i < page.ids.count; i++)
        count += retry_one(txn, scratch, page.ids.items[i], now_ms);
    return count;
}

static bool store_retry(struct store_txn *txn, struct request *rq)
{
    int64_t *count = rq->state;
    if (strcmp(rq->params[0], "all") == 0) {
        *count = webhook_retry_all(txn, rq->now_ms);
        return true;
    }
    AUTO(arena) scratch = arena_create(EVENT_MAX_BYTES);
    *count = 1;
    return (scratch != NULL && retry_one(txn, scratch, rq->params[0], rq->now_ms)) ||
           problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no event \"%s\"", rq->params[0]);
}

static bool after_retry(struct request *rq)
{
    struct webhook *webhook = rq->caraway->webhook;
    set_flag(webhook, &webhook->hurry);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_int(&out, "retried", *(const int64_t *)rq->state);
    json_out_end_object(&out);
    return true;
}

bool webhook_retry(struct request *rq)
{
    rq->state = arena_alloc(rq->arena, sizeof(int64_t));
    if (rq->state == NULL)
        return problem_out_of_memory(&rq->problem);
    request_submit(rq, store_retry, after_retry);
    return true;
}
