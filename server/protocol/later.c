#include "server/protocol/later.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

struct later {
    const struct world *world;
    struct world_watch watch;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t changed;
    struct later_task *first; /* by due_ms */
    bool ends;
    bool running; /* not joined yet; for the owner alone */
};

static void wake(void *arg)
{
    struct later *later = arg;
    pthread_mutex_lock(&later->lock);
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
}

static void insert(struct later *later, struct later_task *task)
{
    struct later_task **at = &later->first;
    while (*at != NULL && (*at)->due_ms <= task->due_ms)
        at = &(*at)->next;
    task->next = *at;
    *at = task;
}

/* Waits for the first task's moment, or for a change. */
static void wait_for_first(struct later *later)
{
    if (later->first == NULL) {
        pthread_cond_wait(&later->changed, &later->lock);
        return;
    }
    int64_t until = monotonic_ms() + later->first->due_ms - world_now_ms(later->world);
    struct timespec moment = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    pthread_cond_timedwait(&later->changed, &later->lock, &moment);
}

static void *later_run(void *arg)
{
    struct later *later = arg;
    pthread_mutex_lock(&later->lock);
    while (!later->ends) {
        struct later_task *task = later->first;
        if (task == NULL || task->due_ms > world_now_ms(later->world)) {
            wait_for_first(later);
            continue;
        }
        later->first = task->next;
        pthread_mutex_unlock(&later->lock);
        task->run(task);
        pthread_mutex_lock(&later->lock);
    }
    pthread_mutex_unlock(&later->lock);
    return NULL;
}

static bool start_thread(struct later *later)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool started = pthread_create(&later->thread, NULL, later_run, later) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

struct later *later_start(const struct world *world)
{
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return NULL;
    later->world = world;
    later->watch = (struct world_watch) { .moved = wake, .arg = later };
    pthread_mutex_init(&later->lock, NULL);
    monotonic_cond_init(&later->changed);
    if (!start_thread(later)) {
        pthread_cond_destroy(&later->changed);
        pthread_mutex_destroy(&later->lock);
        free(later);
        return NULL;
    }
    later->running = true;
    world_watch(world, &later->watch);
    return later;
}

void later_stop(struct later *later)
{
    if (later == NULL || !later->running)
        return;
    world_unwatch(later->world, &later->watch);
    pthread_mutex_lock(&later->lock);
    later->ends = true;
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
    pthread_join(later->thread, NULL);
    later->running = false;
}

void later_drop(struct later *later)
{
    if (later == NULL)
        return;
    later_stop(later);
    pthread_cond_destroy(&later->changed);
    pthread_mutex_destroy(&later->lock);
    free(later);
}

void later_add(struct later *later, struct later_task *task, int64_t due_ms)
{
    task->due_ms = due_ms;
    pthread_mutex_lock(&later->lock);
    insert(later, task);
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
}

void later_hurry(struct later *later, bool (*wanted)(const struct later_task *task, const void *arg), const void *arg)
{
    pthread_mutex_lock(&later->lock);
    struct later_task *all = TAKE(later->first);
    while (all != NULL) {
        struct later_task *task = all;
        all = task->next;
        if (wanted(task, arg))
            task->due_ms = INT64_MIN;
        insert(later, task);
    }
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
}
