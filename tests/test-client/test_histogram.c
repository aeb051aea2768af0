#include "test-client/histogram.h"
#include "tests/unit.h"

static void nothing_gives_zero(void **state)
{
    (void)state;
    struct tc_histogram histogram = { 0 };
    assert_int_equal(tc_histogram_at(&histogram, 500), 0);
    assert_int_equal(tc_histogram_at(&histogram, 1000), 0);
}

static void one_sample_is_every_percentile(void **state)
{
    (void)state;
    struct tc_histogram histogram = { 0 };
    tc_histogram_add(&histogram, 1234567);
    assert_int_equal(tc_histogram_at(&histogram, 1), 1234567);
    assert_int_equal(tc_histogram_at(&histogram, 1000), 1234567);
}

static void small_values_are_exact(void **state)
{
    (void)state;
    struct tc_histogram histogram = { 0 };
    for (uint64_t us = 1; us <= 100; us++)
        tc_histogram_add(&histogram, us);
    assert_int_equal(tc_histogram_at(&histogram, 500), 50);
    assert_int_equal(tc_histogram_at(&histogram, 900), 90);
    assert_int_equal(tc_histogram_at(&histogram, 990), 99);
    assert_int_equal(tc_histogram_at(&histogram, 1000), 100);
}

static void every_value_is_found_within_a_sixty_fourth(void **state)
{
    (void)state;
    for (uint64_t us = 0; us < 2000000000; us = us * 33 / 32 + 1) {
        struct tc_histogram histogram = { 0 };
        tc_histogram_add(&histogram, us);
        tc_histogram_add(&histogram, UINT64_MAX);
        uint64_t found = tc_histogram_at(&histogram, 500);
        if (found < us || found > us + us / 64)
            fail_msg("%llu is found as %llu", (unsigned long long)us, (unsigned long long)found);
    }
}

static void a_value_beyond_all_buckets_counts_in_the_last(void **state)
{
    (void)state;
    struct tc_histogram histogram = { 0 };
    tc_histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram.count, 1);
    assert_int_equal(histogram.buckets[TC_HISTOGRAM_BUCKETS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_gives_zero),
        cmocka_unit_test(one_sample_is_every_percentile),
        cmocka_unit_test(small_values_are_exact),
        cmocka_unit_test(every_value_is_found_within_a_sixty_fourth),
        cmocka_unit_test(a_value_beyond_all_buckets_counts_in_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
