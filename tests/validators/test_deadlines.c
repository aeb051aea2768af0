#include "validators/deadlines.h"

#include "tests/unit.h"

struct fixture {
    uv_loop_t loop;
    struct val_deadlines list;
    struct val_deadline waiting[4];
};

struct seen { /* what `passed` saw; the test's program has one thread and one list at a time */
    struct val_deadline *order[8];
    size_t count;
};
static struct seen seen;

static void on_passed(struct val_deadline *deadline)
{
    assert_false(list_holds(&deadline->link));
    seen.order[seen.count++] = deadline;
}

static void start(struct fixture *f, int64_t after_ms)
{
    *f = (struct fixture) { 0 };
    seen = (struct seen) { 0 };
    assert_int_equal(uv_loop_init(&f->loop), 0);
    val_deadlines_init(&f->list, &f->loop, after_ms, on_passed);
}

static void stop(struct fixture *f)
{
    val_deadlines_close(&f->list);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void pass_in_order_of_arrival(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 5);
    for (size_t i = 0; i < 4; i++)
        val_deadline_add(&f.list, &f.waiting[i]);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(seen.order[i], &f.waiting[i]);
    assert_null(val_deadlines_first(&f.list));
    stop(&f);
}

static void removed_ones_do_not_pass(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 1);
    for (size_t i = 0; i < 4; i++)
        val_deadline_add(&f.list, &f.waiting[i]);
    val_deadline_remove(&f.waiting[0]);
    val_deadline_remove(&f.waiting[2]);
    val_deadline_remove(&f.waiting[2]);
    assert_ptr_equal(val_deadlines_first(&f.list), &f.waiting[1]);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.count, 2);
    assert_ptr_equal(seen.order[0], &f.waiting[1]);
    assert_ptr_equal(seen.order[1], &f.waiting[3]);
    stop(&f);
}

static void a_timer_set_for_a_removed_one_is_set_again(void **state)
{
    (void)state;
    struct fixture f;
    start(&f, 20);
    val_deadline_add(&f.list, &f.waiting[0]);
    uint64_t first_at = f.waiting[0].at_ms;
    while (uv_now(&f.loop) < first_at - 10)
        uv_update_time(&f.loop);
    val_deadline_remove(&f.waiting[0]);
    val_deadline_add(&f.list, &f.waiting[1]);
    uint64_t due = f.waiting[1].at_ms;
    assert_true(due > first_at);
    uv_run(&f.loop, UV_RUN_DEFAULT);
    assert_int_equal(seen.count, 1);
    assert_true(uv_now(&f.loop) >= due);
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pass_in_order_of_arrival),
        cmocka_unit_test(removed_ones_do_not_pass),
        cmocka_unit_test(a_timer_set_for_a_removed_one_is_set_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
