#include "server/protocol/later.h"

#include "base/thread.h"

#include <time.h>

struct later {
    const struct world *world;
    struct world_watch watch;
    pthread_t thread;
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t changed;
    struct list tasks; /* by due_ms */
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

static struct later_task *first_of(const struct later *later)
{
    struct list *link = list_first(&later->tasks);
    return link != NULL ? CONTAINER_OF(link, struct later_task, link) : NULL;
}

/* Mostly it is the last: it is looked for from there. */
static void insert(struct later *later, struct later_task *task)
{
    struct list *behind = later->tasks.previous;
    while (behind != &later->tasks && CONTAINER_OF(behind, struct later_task, link)->due_ms > task->due_ms)
        behind = behind->previous;
    list_add(behind->next, &task->link); /* in front of what follows */
}

/* Waits for the first task's moment, or for a change. */
static void wait_for_first(struct later *later)
{
    const struct later_task *first = first_of(later);
    if (first == NULL) {
        pthread_cond_wait(&later->changed, &later->lock);
        return;
    }
    int64_t until = monotonic_ms() + first->due_ms - world_now_ms(later->world);
    struct timespec moment = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    pthread_cond_timedwait(&later->changed, &later->lock, &moment);
}

static void *later_run(void *arg)
{
    struct later *later = arg;
    pthread_mutex_lock(&later->lock);
    while (!later->ends) {
        struct later_task *task = first_of(later);
        if (task == NULL || task->due_ms > world_now_ms(later->world)) {
            wait_for_first(later);
            continue;
        }
        list_remove(&task->link);
        pthread_mutex_unlock(&later->lock);
        task->run(task);
        pthread_mutex_lock(&later->lock);
    }
    pthread_mutex_unlock(&later->lock);
    return NULL;
}

struct later *later_start(const struct world *world)
{
    struct later *later = calloc(1, sizeof *later);
    if (later == NULL)
        return NULL;
    later->world = world;
    later->watch = (struct world_watch) { .moved = wake, .arg = later };
    list_init(&later->tasks);
    pthread_mutex_init(&later->lock, NULL);
    monotonic_cond_init(&later->changed);
    if (!thread_start(&later->thread, later_run, later)) {
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
    for (struct list *link = later->tasks.next, *next; link != &later->tasks; link = next) {
        struct later_task *task = CONTAINER_OF(link, struct later_task, link);
        next = link->next;
        if (!wanted(task, arg))
            continue;
        list_remove(link);
        task->due_ms = INT64_MIN;
        list_add(later->tasks.next, link); /* in front of all */
    }
    pthread_cond_signal(&later->changed);
    pthread_mutex_unlock(&later->lock);
}
