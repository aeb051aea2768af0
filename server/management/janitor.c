#include "server/management/janitor.h"

#include "base/thread.h"

#include <stdio.h>
#include <time.h>

enum {
    PERIOD_MS = 60000,
    WALK_STEPS = 100,
    PAGE_MAX_BYTES = 1 << 20,
    RECORD_MAX_BYTES = 64 << 20,
    POSITION_BYTES = 128,
    TOLD_MAX = 100,
};

/* What is to be done with a record. */
enum verdict { VERDICT_PRUNE, VERDICT_KEEP, VERDICT_STOP /* and with all behind it: their time comes later */ };

union any_record {
#define X(record, fields, class, id_field) struct record record;
    RECORD_TABLE(X)
#undef X
};

struct view {
    struct store_txn *txn;
    struct arena *arena;
    const union any_record *record;
    int64_t until_ms;
};
typedef enum verdict judge(const struct view *view);

static enum verdict judge_expiry(int64_t expires_ms, const struct view *view)
{
    return expires_ms <= view->until_ms ? VERDICT_PRUNE : VERDICT_STOP;
}

/* An order in processing waits for its certificate, however late. */
static enum verdict judge_order(const struct view *view)
{
    const struct order *order = &view->record->order;
    return order->state == ORDER_PROCESSING ? VERDICT_KEEP : judge_expiry(order->expires_ms, view);
}

static enum verdict judge_authorization(const struct view *view)
{
    return judge_expiry(view->record->authorization.expires_ms, view);
}

static enum verdict judge_certificate(const struct view *view)
{
    return judge_expiry(view->record->certificate.not_after_ms, view);
}

/* Ids are in the order of time. A suspended account stays, for its key would else be free to make another. */
static enum verdict judge_account(const struct view *view)
{
    const struct account *account = &view->record->account;
    bool used = store_find(view->txn, view->arena, STORE_ORDER_BY_ACCOUNT, account->id) != NULL ||
                store_find(view->txn, view->arena, STORE_CERTIFICATE_BY_ACCOUNT, account->id) != NULL;
    bool kept = used || account->state == ACCOUNT_SUSPENDED || account->created_ms > view->until_ms;
    return kept ? VERDICT_KEEP : VERDICT_PRUNE;
}

/* A bucket that is full again says as much as none. */
static enum verdict judge_rate_bucket(const struct view *view)
{
    return view->record->rate_bucket.full_us / 1000 >= view->until_ms ? VERDICT_KEEP : VERDICT_PRUNE;
}

static enum verdict judge_pause(const struct view *view)
{
    const struct pause *pause = &view->record->pause;
    return pause->paused_ms != 0 || pause->grace_until_ms > view->until_ms ? VERDICT_KEEP : VERDICT_PRUNE;
}

static enum verdict judge_webhook_event(const struct view *view)
{
    const struct webhook_event *event = &view->record->webhook_event;
    return event->next_ms != 0 || event->created_ms > view->until_ms ? VERDICT_KEEP : VERDICT_PRUNE;
}

/* Rows with an index are looked at in the order of their end; the others, which have none, are walked through, a part
 * in each sweep. Kept: the setting that says how much longer than its end a record stays, 0 for ever. */
#define ALWAYS SIZE_MAX
static const struct rule {
    const char *what;
    enum record_class class;
    enum store_index index; /* 0: none */
    size_t kept;            /* of the setting in struct settings, or ALWAYS: not at all */
    judge *judge;
    void (*remove)(struct store_txn *txn, const char *id);
} rules[] = {
#define BY_TIME(record, index, setting)                                                                                \
    {                                                                                                                  \
#record, RECORD_##record, index, offsetof(struct settings, setting), judge_##record, store_delete_##record     \
    }
#define BY_WALK(record, offset)                                                                                        \
    {                                                                                                                  \
#record, RECORD_##record, 0, offset, judge_##record, store_delete_##record                                     \
    }
    BY_TIME(order, STORE_EXPIRY_ORDER, retention_orders_ms),
    BY_TIME(authorization, STORE_EXPIRY_AUTHORIZATION, retention_authorizations_ms),
    BY_TIME(certificate, STORE_EXPIRY_CERTIFICATE, retention_certificates_ms),
    BY_WALK(account, offsetof(struct settings, retention_unused_accounts_ms)),
    BY_WALK(webhook_event, offsetof(struct settings, retention_webhook_events_ms)),
    BY_WALK(rate_bucket, ALWAYS),
    BY_WALK(pause, ALWAYS),
};

/* What stays from one sweep to the next. */
struct janitor_walks {
    char after[ARRAY_SIZE(rules)][POSITION_BYTES]; /* of each rule, where its next step begins; "": at the start */
    /* damaged records that the log has, so that it gets each once; behind the last of them no more */
    char told[TOLD_MAX][STORE_ID_MAX_BYTES + 1];
    size_t told_count;
};

/* ---- one step: a job */

struct step {
    const struct rule *rule;
    int64_t until_ms;
    const char *after;
    struct arena *arena;   /* the page */
    struct arena *scratch; /* one record */
    const char *damaged[JANITOR_STEP];
    size_t damaged_count;
    size_t removed;
    char next[POSITION_BYTES]; /* "": nothing is left to look at */
};

static bool list_page(struct store_txn *txn, const struct step *step, struct store_page *out)
{
    const char *after = *step->after != '\0' ? step->after : NULL;
    const struct rule *rule = step->rule;
    if (rule->index != 0)
        return store_list(txn, step->arena, rule->index, "", after, JANITOR_STEP, false, out);
    return store_list_all(txn, step->arena, rule->class, after, JANITOR_STEP, false, out);
}

/* One that is damaged stays, and is no reason to keep what stands behind it. */
static enum verdict judge_one(struct store_txn *txn, struct step *step, const char *id)
{
    union any_record record;
    arena_reset(step->scratch);
    enum store_status status = store_read(txn, step->scratch, step->rule->class, id, &record);
    if (status == STORE_OK)
        return step->rule->judge(&(struct view) { txn, step->scratch, &record, step->until_ms });
    if (status == STORE_CORRUPT)
        step->damaged[step->damaged_count++] = id;
    else if (status != STORE_NOT_FOUND)
        store_txn_fail(txn, status);
    return VERDICT_KEEP;
}

static void step_work(struct store_txn *txn, void *arg)
{
    struct step *step = arg;
    struct store_page page;
    arena_reset(step->arena);
    step->damaged_count = 0;
    step->removed = 0;
    step->next[0] = '\0';
    if (!list_page(txn, step, &page))
        return;
    for (size_t i = 0; i < page.ids.count; i++) {
        enum verdict verdict = judge_one(txn, step, page.ids.items[i]);
        if (verdict == VERDICT_STOP || store_txn_status(txn) != STORE_OK)
            return;
        if (verdict == VERDICT_PRUNE) {
            step->rule->remove(txn, page.ids.items[i]);
            step->removed++;
        }
    }
    if (page.next != NULL && strlen(page.next) < sizeof step->next)
        memcpy(step->next, page.next, strlen(page.next) + 1);
}

/* ---- one sweep */

static bool run_step(struct caraway *caraway, const struct rule *rule, struct step *step)
{
    enum store_status status = store_write(caraway->store, step_work, step);
    if (status != STORE_OK)
        log_event(caraway->log, LOG_STORE_FAILED, LOG_TEXT("doing", "pruning"), LOG_TEXT("record", rule->what),
                  LOG_TEXT("cause", store_status_text(status)));
    return status == STORE_OK;
}

static bool was_told(const struct janitor_walks *walks, const char *id)
{
    for (size_t i = 0; i < walks->told_count; i++) {
        if (strcmp(walks->told[i], id) == 0)
            return true;
    }
    return false;
}

static void tell_damaged(struct caraway *caraway, struct janitor_walks *walks, const struct step *step)
{
    for (size_t i = 0; i < step->damaged_count && walks->told_count < TOLD_MAX; i++) {
        if (was_told(walks, step->damaged[i]))
            continue;
        snprintf(walks->told[walks->told_count++], sizeof walks->told[0], "%s", step->damaged[i]);
        log_event(caraway->log, LOG_STORE_FAILED, LOG_TEXT("doing", "pruning"), LOG_TEXT("record", step->rule->what),
                  LOG_TEXT("id", step->damaged[i]), LOG_TEXT("cause", "it is damaged and stays; see caraway check"));
    }
}

static int64_t until(const struct caraway *caraway, const struct rule *rule, int64_t kept_ms)
{
    return world_now_ms(caraway->world) - (rule->kept == ALWAYS ? 0 : kept_ms);
}

struct sweep {
    struct caraway *caraway;
    struct janitor_walks *walks;
    struct arena *page, *record;
    const atomic_bool *stop;
};

static size_t sweep_rule(const struct sweep *sweep, const struct rule *rule)
{
    struct caraway *caraway = sweep->caraway;
    char *after = sweep->walks->after[rule - rules];
    int64_t kept_ms = 0;
    if (rule->kept != ALWAYS)
        memcpy(&kept_ms, (const char *)caraway->settings + rule->kept, sizeof kept_ms);
    if (rule->kept != ALWAYS && kept_ms == 0)
        return 0;
    size_t removed = 0;
    if (rule->index != 0)
        after[0] = '\0';
    for (size_t steps = 0; !*sweep->stop && (rule->index != 0 || steps < WALK_STEPS); steps++) {
        struct step step = { .rule = rule, .after = after, .arena = sweep->page, .scratch = sweep->record };
        step.until_ms = until(caraway, rule, kept_ms);
        if (!run_step(caraway, rule, &step))
            break;
        tell_damaged(caraway, sweep->walks, &step);
        removed += step.removed;
        memcpy(after, step.next, POSITION_BYTES);
        if (after[0] == '\0')
            break;
    }
    if (removed > 0)
        log_event(caraway->log, LOG_JANITOR_PRUNED, LOG_TEXT("record", rule->what), LOG_INT("count", (int64_t)removed));
    return removed;
}

size_t janitor_sweep(struct caraway *caraway, struct janitor_walks *walks, const atomic_bool *stop)
{
    AUTO(arena) page = arena_create(PAGE_MAX_BYTES);
    AUTO(arena) record = arena_create(RECORD_MAX_BYTES);
    const struct sweep sweep = { caraway, walks, page, record, stop };
    size_t removed = 0;
    for (size_t i = 0; page != NULL && record != NULL && i < ARRAY_SIZE(rules); i++)
        removed += sweep_rule(&sweep, &rules[i]);
    return removed;
}

struct janitor_walks *janitor_walks_create(void)
{
    return calloc(1, sizeof(struct janitor_walks));
}

void janitor_walks_drop(struct janitor_walks *walks)
{
    free(walks);
}

/* ---- the thread */

struct janitor {
    struct caraway *caraway;
    struct janitor_walks *walks;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    struct world_watch watch;
    pthread_mutex_t lock; /* guards wake and jumped */
    pthread_cond_t wake;
    bool jumped; /* the clock has; what has run out since is not known yet */
};

static void wait_for_next(struct janitor *janitor)
{
    int64_t at = monotonic_ms() + PERIOD_MS;
    struct timespec deadline = { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
    pthread_mutex_lock(&janitor->lock);
    while (!janitor->stop && !janitor->jumped && pthread_cond_timedwait(&janitor->wake, &janitor->lock, &deadline) == 0)
        continue;
    janitor->jumped = false;
    pthread_mutex_unlock(&janitor->lock);
}

static void clock_jumped(void *arg)
{
    struct janitor *janitor = arg;
    pthread_mutex_lock(&janitor->lock);
    janitor->jumped = true;
    pthread_cond_signal(&janitor->wake);
    pthread_mutex_unlock(&janitor->lock);
}

static void *run(void *arg)
{
    struct janitor *janitor = arg;
    while (!janitor->stop) {
        (void)janitor_sweep(janitor->caraway, janitor->walks, &janitor->stop);
        wait_for_next(janitor);
    }
    return NULL;
}

static void init_wake(struct janitor *janitor)
{
    pthread_mutex_init(&janitor->lock, NULL);
    monotonic_cond_init(&janitor->wake);
}

DEFINE_DROP(janitor, janitor_stop)

struct janitor *janitor_start(struct caraway *caraway)
{
    AUTO(janitor) janitor = calloc(1, sizeof *janitor);
    if (janitor == NULL)
        return NULL;
    janitor->caraway = caraway;
    init_wake(janitor);
    janitor->watch = (struct world_watch) { .moved = clock_jumped, .arg = janitor };
    world_watch(caraway->world, &janitor->watch);
    janitor->walks = janitor_walks_create();
    if (janitor->walks == NULL)
        return NULL;
    janitor->running = thread_start(&janitor->thread, run, janitor);
    return janitor->running ? TAKE(janitor) : NULL;
}

void janitor_stop(struct janitor *janitor)
{
    if (janitor == NULL)
        return;
    world_unwatch(janitor->caraway->world, &janitor->watch);
    pthread_mutex_lock(&janitor->lock);
    janitor->stop = true;
    pthread_cond_signal(&janitor->wake);
    pthread_mutex_unlock(&janitor->lock);
    if (janitor->running)
        pthread_join(janitor->thread, NULL);
    pthread_cond_destroy(&janitor->wake);
    pthread_mutex_destroy(&janitor->lock);
    janitor_walks_drop(janitor->walks);
    free(janitor);
}
