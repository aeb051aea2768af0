#include "server/protocol/outcome.h"

enum { PAUSE_LEAST_MS = 1000, PAUSE_MOST_MS = 8000 };

static void store_again(struct later_task *task)
{
    struct outcome *outcome = CONTAINER_OF(task, struct outcome, again);
    store_submit(outcome->caraway->store, &outcome->job);
}

/* Told once: a disk that stays full is no news every few seconds. */
static void log_failure(const struct outcome *outcome, enum store_status status)
{
    if (outcome->pause_ms == 0)
        log_event(outcome->caraway->log, LOG_STORE_FAILED, LOG_TEXT(outcome->what, outcome->id),
                  LOG_TEXT("cause", store_status_text(status)));
}

static void job_done(void *arg, enum store_status status)
{
    struct outcome *outcome = arg;
    const struct caraway *caraway = outcome->caraway;
    if (status == STORE_OK) {
        outcome->stored(outcome->arg);
        return;
    }
    log_failure(outcome, status);
    int64_t longer_ms = outcome->pause_ms == 0 ? PAUSE_LEAST_MS : 2 * outcome->pause_ms;
    outcome->pause_ms = longer_ms < PAUSE_MOST_MS ? longer_ms : PAUSE_MOST_MS;
    outcome->again.run = store_again;
    later_add(caraway->later, &outcome->again, world_now_ms(caraway->world) + outcome->pause_ms);
}

static void job_work(struct store_txn *txn, void *arg)
{
    struct outcome *outcome = arg;
    outcome->work(txn, outcome->arg);
}

void outcome_store(struct outcome *outcome)
{
    outcome->pause_ms = 0;
    outcome->job = (struct store_job) { .work = job_work, .done = job_done, .arg = outcome };
    store_submit(outcome->caraway->store, &outcome->job);
}
