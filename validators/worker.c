#include "validators/worker.h"

#include "base/thread.h"

static void on_total_timeout(struct val_deadline *deadline)
{
    struct val_attempt *attempt = CONTAINER_OF(deadline, struct val_attempt, deadline);
    attempt->timed_out = true;
    val_attempt_run(attempt);
}

/* Ends every handle, so that uv_run returns. */
static void close_all(struct val_worker *worker)
{
    struct val_deadline *first;
    while ((first = val_deadlines_first(&worker->attempts)) != NULL)
        val_attempt_drop(CONTAINER_OF(first, struct val_attempt, deadline));
    val_deadlines_close(&worker->attempts);
    if (worker->dns != NULL)
        val_dns_close(worker->dns);
    if (worker->fetcher != NULL)
        val_fetcher_close(worker->fetcher);
    val_prober_close(&worker->prober);
    uv_close((uv_handle_t *)&worker->wake, NULL);
}

static void on_wake(uv_async_t *wake)
{
    struct val_worker *worker = wake->data;
    pthread_mutex_lock(&worker->lock);
    struct validation *next = worker->queue;
    bool stopping = worker->stopping;
    worker->queue = NULL;
    worker->queue_end = &worker->queue;
    pthread_mutex_unlock(&worker->lock);
    if (stopping) {
        close_all(worker);
        return;
    }
    while (next != NULL) {
        struct validation *validation = next;
        next = validation->queued_next;
        val_attempt_start(worker, validation);
    }
}

static void *run(void *arg)
{
    struct val_worker *worker = arg;
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    return NULL;
}

static bool open_all(struct val_worker *worker)
{
    const struct validators_options *options = &worker->shared->options;
    worker->wake.data = worker;
    val_deadlines_init(&worker->attempts, &worker->loop, options->total_timeout_ms, on_total_timeout);
    val_prober_open(&worker->prober, &worker->loop, options->connect_timeout_ms, options->files_below);
    bool ok = val_dns_open(&worker->loop, &worker->shared->dns_plan, options->dns_timeout_ms, options->files_below,
                           &worker->shared->resolver_setup, &worker->dns);
    return ok && val_fetcher_open(&worker->loop, options->user_agent, options->connect_timeout_ms, options->files_below,
                                  &worker->fetcher);
}

static void free_all(struct val_worker *worker)
{
    CHECK(uv_loop_close(&worker->loop) == 0);
    val_dns_drop(TAKE(worker->dns));
    val_fetcher_drop(TAKE(worker->fetcher));
    pthread_mutex_destroy(&worker->lock);
}

bool val_worker_start(struct val_worker *worker, struct val_shared *shared)
{
    worker->shared = shared;
    worker->queue_end = &worker->queue;
    pthread_mutex_init(&worker->lock, NULL);
    TRY(uv_loop_init(&worker->loop) == 0);
    if (uv_async_init(&worker->loop, &worker->wake, on_wake) != 0) {
        CHECK(uv_loop_close(&worker->loop) == 0);
        return false;
    }
    if (open_all(worker) && thread_start(&worker->thread, run, worker))
        return true;
    close_all(worker);
    run(worker);
    free_all(worker);
    return false;
}

void val_worker_give(struct val_worker *worker, struct validation *validation)
{
    validation->queued_next = NULL;
    pthread_mutex_lock(&worker->lock);
    bool idle = worker->queue == NULL;
    *worker->queue_end = validation;
    worker->queue_end = &validation->queued_next;
    pthread_mutex_unlock(&worker->lock);
    if (idle)
        uv_async_send(&worker->wake);
}

void val_worker_stop(struct val_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_mutex_unlock(&worker->lock);
    uv_async_send(&worker->wake);
    pthread_join(worker->thread, NULL);
    free_all(worker);
}
