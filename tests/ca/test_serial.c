#include "tests/ca/support.h"

#define NOW_MS INT64_C(1760000000000)

static void make_at(int64_t now_ms, char out[static CA_SERIAL_TEXT_SIZE])
{
    struct world_manual clock;
    struct world world = world_manual(&clock, now_ms);
    ca_make_serial(&world, out);
}

static void test_text_is_32_hex_digits(void **state)
{
    (void)state;
    char serial[CA_SERIAL_TEXT_SIZE];
    make_at(NOW_MS, serial);
    assert_int_equal(strlen(serial), 32);
    assert_int_equal(strspn(serial, "0123456789abcdef"), 32);
    assert_memory_equal(serial, "0199c82cc000", 12); /* the milliseconds */
}

static void test_order_is_the_order_of_time(void **state)
{
    (void)state;
    char before[CA_SERIAL_TEXT_SIZE], after[CA_SERIAL_TEXT_SIZE];
    for (int64_t step = 1; step < INT64_C(1) << 40; step *= 16) {
        make_at(NOW_MS, before);
        make_at(NOW_MS + step, after);
        assert_true(strcmp(before, after) < 0);
    }
}

static void test_same_moment_gives_different_serials(void **state)
{
    (void)state;
    char a[CA_SERIAL_TEXT_SIZE], b[CA_SERIAL_TEXT_SIZE];
    make_at(NOW_MS, a);
    make_at(NOW_MS, b);
    assert_string_not_equal(a, b);
    assert_memory_equal(a, b, 12);
}

static void test_positive_and_never_padded_at_any_time(void **state)
{
    (void)state;
    static const int64_t times[] = { INT64_MIN, -1, 0, 1, NOW_MS, INT64_C(1) << 47, INT64_MAX };
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        char serial[CA_SERIAL_TEXT_SIZE];
        make_at(times[i], serial);
        assert_true(serial[0] < '8');
        assert_true(memcmp(serial, "00", 2) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_32_hex_digits),
        cmocka_unit_test(test_order_is_the_order_of_time),
        cmocka_unit_test(test_same_moment_gives_different_serials),
        cmocka_unit_test(test_positive_and_never_padded_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
