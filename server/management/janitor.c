#include "server/management/janitor.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

enum {
    PERIOD_MS = 60000,
    WALK_STEPS = 100,
    PAGE_ARENA_MAX = 1 << 20,
    RECORD_ARENA_MAX = 8 << 20,
    POSITION_BYTES = 128
};

/* What is to be done with a record. */
enum verdict { VERDICT_PRUNE, VERDICT_KEEP, VERDICT_STOP /* and with all behind it: their time comes later */ };

typedef enum verdict judge(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms);

static enum verdict judge_expiry(int64_t expires_ms, int64_t until_ms)
{
    return expires_ms <= until_ms ? VERDICT_PRUNE : VERDICT_STOP;
}

/* An order in processing waits for its certificate, however late. */
static enum verdict judge_order(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct order order;
    if (!store_get_order(txn, arena, id, &order) || order.state == ORDER_PROCESSING)
        return VERDICT_KEEP;
    return judge_expiry(order.expires_ms, until_ms);
}

static enum verdict judge_authorization(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct authorization authorization;
    if (!store_get_authorization(txn, arena, id, &authorization))
        return VERDICT_KEEP;
    return judge_expiry(authorization.expires_ms, until_ms);
}

static enum verdict judge_certificate(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct certificate certificate;
    if (!store_get_certificate(txn, arena, id, &certificate))
        return VERDICT_KEEP;
    return judge_expiry(certificate.not_after_ms, until_ms);
}

/* Ids are in the order of time. A suspended account stays, for its key would else be free to make another. */
static enum verdict judge_account(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct account account;
    if (!store_get_account(txn, arena, id, &account))
        return VERDICT_KEEP;
    bool used = store_find(txn, arena, STORE_ORDER_BY_ACCOUNT, id) != NULL ||
                store_find(txn, arena, STORE_CERTIFICATE_BY_ACCOUNT, id) != NULL;
    return used || account.state == ACCOUNT_SUSPENDED || account.created_ms > until_ms ? VERDICT_KEEP : VERDICT_PRUNE;
}

/* A bucket that is full again says as much as none. */
static enum verdict judge_rate_bucket(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct rate_bucket bucket;
    bool spent = !store_get_rate_bucket(txn, arena, id, &bucket) || bucket.full_us / 1000 >= until_ms;
    return spent ? VERDICT_KEEP : VERDICT_PRUNE;
}

static enum verdict judge_pause(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct pause pause;
    bool in_force = !store_get_pause(txn, arena, id, &pause) || pause.paused_ms != 0 || pause.grace_until_ms > until_ms;
    return in_force ? VERDICT_KEEP : VERDICT_PRUNE;
}

static enum verdict judge_webhook_event(struct store_txn *txn, struct arena *arena, const char *id, int64_t until_ms)
{
    struct webhook_event event;
    bool kept = !store_get_webhook_event(txn, arena, id, &event) || event.next_ms != 0 || event.created_ms > until_ms;
    return kept ? VERDICT_KEEP : VERDICT_PRUNE;
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

/* Of each rule, where its next step begins; "": at the start. */
struct janitor_walks {
    char after[ARRAY_SIZE(rules)][POSITION_BYTES];
};

/* ---- one step: a job */

struct step {
    const struct rule *rule;
    int64_t until_ms;
    const char *after;
    struct arena *arena;   /* of the page */
    struct arena *scratch; /* of one record after the other: some are large */
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

static void step_work(struct store_txn *txn, void *arg)
{
    struct step *step = arg;
    struct store_page page;
    arena_reset(step->arena);
    step->removed = 0;
    step->next[0] = '\0';
    if (!list_page(txn, step, &page))
        return;
    for (size_t i = 0; i < page.ids.count; i++) {
        arena_reset(step->scratch);
        enum verdict verdict = step->rule->judge(txn, step->scratch, page.ids.items[i], step->until_ms);
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

static int64_t until(const struct caraway *caraway, const struct rule *rule, int64_t kept_ms)
{
    return world_now_ms(caraway->world) - (rule->kept == ALWAYS ? 0 : kept_ms);
}

static size_t sweep_rule(struct caraway *caraway, const struct rule *rule, char after[static POSITION_BYTES],
                         struct arena *arena, struct arena *scratch, const atomic_bool *stop)
{
    int64_t kept_ms = 0;
    if (rule->kept != ALWAYS)
        memcpy(&kept_ms, (const char *)caraway->settings + rule->kept, sizeof kept_ms);
    if (rule->kept != ALWAYS && kept_ms == 0)
        return 0;
    size_t removed = 0;
    if (rule->index != 0)
        after[0] = '\0';
    for (size_t steps = 0; !*stop && (rule->index != 0 || steps < WALK_STEPS); steps++) {
        struct step step = { rule, until(caraway, rule, kept_ms), after, arena, scratch, .removed = 0 };
        if (!run_step(caraway, rule, &step))
            break;
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
    AUTO(arena) arena = arena_create(PAGE_ARENA_MAX);
    AUTO(arena) scratch = arena_create(RECORD_ARENA_MAX);
    size_t removed = 0;
    for (size_t i = 0; arena != NULL && scratch != NULL && i < ARRAY_SIZE(rules); i++)
        removed += sweep_rule(caraway, &rules[i], walks->after[i], arena, scratch, stop);
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
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    janitor->running = pthread_create(&janitor->thread, NULL, run, janitor) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
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
