#include "base/world.h"
#include "tests/unit.h"

static void the_manual_clock_moves_only_by_hand(void **state)
{
    (void)state;
    struct world_manual clock;
    struct world world = world_manual(&clock, 1000);
    assert_int_equal(world_now_ms(&world), 1000);
    assert_int_equal(world_now_ms(&world), 1000);
    clock.now_ms += 500;
    assert_int_equal(world_now_ms(&world), 1500);
}

static void the_real_clock_is_after_this_was_written(void **state)
{
    (void)state;
    assert_true(world_now_ms(world_real()) > 1700000000000);
    int64_t before = monotonic_ms();
    assert_true(monotonic_ms() >= before);
}

static void chance_fills_everything(void **state)
{
    (void)state;
    uint8_t sum[64] = { 0 };
    for (int round = 0; round < 32; round++) {
        uint8_t random[64] = { 0 };
        world_random(world_real(), random, sizeof random);
        for (size_t i = 0; i < sizeof sum; i++)
            sum[i] |= random[i];
    }
    for (size_t i = 0; i < sizeof sum; i++)
        assert_int_not_equal(sum[i], 0);
}

static void ids_are_lower_case_and_distinct(void **state)
{
    (void)state;
    struct world_manual clock;
    struct world world = world_manual(&clock, 1795525098000);
    char a[ID_SIZE], b[ID_SIZE];
    world_make_id(&world, a);
    world_make_id(&world, b);
    assert_int_equal(strlen(a), ID_SIZE - 1);
    assert_int_equal(strspn(a, "0123456789abcdefghijklmnopqrstuv"), ID_SIZE - 1);
    assert_string_not_equal(a, b);
    assert_memory_equal(a, b, 9); /* 45 of the 48 bits of time */
}

static void ids_sort_by_their_millisecond(void **state)
{
    (void)state;
    struct world_manual clock;
    struct world world = world_manual(&clock, 0);
    char before[ID_SIZE] = "";
    for (int64_t now = 1; now < INT64_C(1) << 48; now = now * 3 + 1) {
        clock.now_ms = now;
        char id[ID_SIZE];
        world_make_id(&world, id);
        assert_true(strcmp(before, id) < 0);
        memcpy(before, id, sizeof id);
    }
}

static void a_movable_clock_runs_from_where_it_was_put(void **state)
{
    (void)state;
    struct world_jumps jumps;
    struct world world = world_movable(&jumps);
    int64_t before = world_now_ms(world_real());
    assert_in_range(world_now_ms(&world), before, before + 60000);
    world_move(&jumps, 90 * INT64_C(86400000));
    assert_in_range(world_now_ms(&world) - 90 * INT64_C(86400000), before, before + 60000);
    world_move(&jumps, -91 * INT64_C(86400000));
    assert_in_range(world_now_ms(&world) + INT64_C(86400000), before, before + 60000);
}

static void count_move(void *arg)
{
    (*(int *)arg)++;
}

static void who_watches_hears_of_each_jump(void **state)
{
    (void)state;
    struct world_jumps jumps;
    struct world world = world_movable(&jumps);
    int heard[3] = { 0 };
    struct world_watch watches[3];
    for (int i = 0; i < 3; i++) {
        watches[i] = (struct world_watch) { .moved = count_move, .arg = &heard[i] };
        world_watch(&world, &watches[i]);
    }
    world_move(&jumps, 1);
    world_unwatch(&world, &watches[1]);
    world_move(&jumps, 1);
    world_unwatch(&world, &watches[0]);
    world_unwatch(&world, &watches[2]);
    world_move(&jumps, 1);
    assert_int_equal(heard[0], 2);
    assert_int_equal(heard[1], 1);
    assert_int_equal(heard[2], 2);
}

static void a_clock_that_never_jumps_can_be_watched(void **state)
{
    (void)state;
    struct world_watch watch = { .moved = count_move };
    world_watch(world_real(), &watch);
    world_unwatch(world_real(), &watch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_manual_clock_moves_only_by_hand),
        cmocka_unit_test(the_real_clock_is_after_this_was_written),
        cmocka_unit_test(chance_fills_everything),
        cmocka_unit_test(ids_are_lower_case_and_distinct),
        cmocka_unit_test(ids_sort_by_their_millisecond),
        cmocka_unit_test(a_movable_clock_runs_from_where_it_was_put),
        cmocka_unit_test(who_watches_hears_of_each_jump),
        cmocka_unit_test(a_clock_that_never_jumps_can_be_watched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
