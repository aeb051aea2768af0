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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_due_runs),
        cmocka_unit_test(what_comes_behind_the_stop_is_taken_and_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
