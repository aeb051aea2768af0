/* Things to do at a moment of the world's clock, on a thread of their own that sleeps until then and looks again when
 * the clock jumps. */
#pragma once

#include "base/list.h"
#include "base/world.h"

struct later;

struct later_task {                       /* embedded in what is to be done; the caller's memory */
    void (*run)(struct later_task *task); /* on the thread; must not block */
    int64_t due_ms;
    struct list link; /* the queue's, from add to run */
};

MUST_USE struct later *later_start(const struct world *world);
/* Joins the thread: nothing runs from then on, also of what is added still. Takes NULL. */
void later_stop(struct later *later);
/* Stops it first; forgets what has not run. Takes NULL. */
void later_drop(struct later *later);
void later_add(struct later *later, struct later_task *task, int64_t due_ms);
/* Runs at once those for which `wanted` says so. */
void later_hurry(struct later *later, bool (*wanted)(const struct later_task *task, const void *arg), const void *arg);
