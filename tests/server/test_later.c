/* What is to be done later: in the order of its time, and nothing behind the stop. */
#include "server/protocol/later.h"

#include "tests/unit.h"

#include <semaphore.h>

struct chore {
    struct later_task task;
    sem_t *done;
};

static void run(struct later_task *task)
{
    sem_post(((struct chore *)task)->done);
}

static void what_is_due_runs(void **state)
{
    (void)state;
    sem_t done;
    sem_init(&done, 0, 0);
    struct later *later = later_start(world_real());
    struct chore chore = { .task = { .run = run }, .done = &done };
    assert_non_null(later);
    later_add(later, &chore.task, world_now_ms(world_real()));
    sem_wait(&done);
    later_drop(later);
    sem_destroy(&done);
}

/* The store's last jobs end when the thread is gone already. */
static void what_comes_behind_the_stop_is_taken_and_forgotten(void **state)
{
    (void)state;
    int ran = 0;
    sem_t done;
    sem_init(&done, 0, 0);
    struct later *later = later_start(world_real());
    struct chore chore = { .task = { .run = run }, .done = &done };
    assert_non_null(later);
    later_stop(later);
    later_add(later, &chore.task, 0);
    later_drop(later);
    sem_getvalue(&done, &ran);
    assert_int_equal(ran, 0);
    sem_destroy(&done);
}

/* As many as wait when a zone is down, and a client that is impatient. */
enum { CROWD = 200000 };

static bool is_third(const struct later_task *task, const void *arg)
{
    return task == arg;
}

static void of_a_crowd_only_who_is_wanted_is_hurried(void **state)
{
    (void)state;
    int ran = 0;
    sem_t done;
    sem_init(&done, 0, 0);
    struct world_manual clock;
    struct world world = world_manual(&clock, 0);
    struct chore *crowd = calloc(CROWD, sizeof *crowd);
    struct later *later = later_start(&world);
    assert_true(crowd != NULL && later != NULL);
    for (int i = 0; i < CROWD; i++) {
        crowd[i] = (struct chore) { .task = { .run = run }, .done = &done };
        later_add(later, &crowd[i].task, 3600000 + i);
    }
    later_hurry(later, is_third, &crowd[3].task);
    sem_wait(&done);
    later_drop(later);
    sem_getvalue(&done, &ran);
    assert_int_equal(ran, 0);
    sem_destroy(&done);
    free(crowd);
}

static int order[3], order_count;

static void note(struct later_task *task)
{
    order[order_count++] = (int)task->due_ms;
    run(task);
}

static void they_run_in_the_order_of_their_moments(void **state)
{
    (void)state;
    sem_t done;
    sem_init(&done, 0, 0);
    struct world_manual clock;
    struct world world = world_manual(&clock, 0);
    struct later *later = later_start(&world);
    struct chore chores[3];
    static const int64_t moments[] = { 20, 30, 10 };
    for (int i = 0; i < 3; i++) {
        chores[i] = (struct chore) { .task = { .run = note }, .done = &done };
        later_add(later, &chores[i].task, moments[i]);
    }
    clock.now_ms = 30;
    struct chore wake = { .task = { .run = run }, .done = &done };
    later_add(later, &wake.task, 30);
    for (int i = 0; i < 4; i++)
        sem_wait(&done);
    later_drop(later);
    assert_true(order[0] == 10 && order[1] == 20 && order[2] == 30);
    sem_destroy(&done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_runs),
        cmocka_unit_test(what_comes_behind_the_stop_is_taken_and_forgotten),
        cmocka_unit_test(of_a_crowd_only_who_is_wanted_is_hurried),
        cmocka_unit_test(they_run_in_the_order_of_their_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
