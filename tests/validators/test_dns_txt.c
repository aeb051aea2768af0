#include "validators/dns.h"

#include "tests/unit.h"

static size_t join(const char *rdata, size_t len, char out[static 512])
{
    memset(out, 0, 512);
    return val_txt_join(bytes_of(rdata, len), (uint8_t *)out, 511);
}

static void strings_are_joined(void **state)
{
    (void)state;
    char out[512];
    assert_int_equal(join("\3abc", 4, out), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(join("\1a\0\2bc", 6, out), 3);
    assert_string_equal(out, "abc");
    assert_int_equal(join("\0", 1, out), 0);
    assert_int_equal(join("", 0, out), 0);
}

static void what_is_cut_off_is_left_out(void **state)
{
    (void)state;
    char out[512];
    assert_int_equal(join("\3ab", 3, out), 0);
    assert_int_equal(join("\1a\5bcd", 6, out), 1);
    assert_string_equal(out, "a");
    assert_int_equal(join("\xff", 1, out), 0);
}

static void long_records_keep_to_the_buffer(void **state)
{
    (void)state;
    uint8_t rdata[512], out[4] = "....";
    memset(rdata, 'x', sizeof rdata);
    rdata[0] = rdata[256] = 255;
    assert_int_equal(val_txt_join(bytes_of(rdata, sizeof rdata), out, 3), 510);
    assert_memory_equal(out, "xxx.", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_joined),
        cmocka_unit_test(what_is_cut_off_is_left_out),
        cmocka_unit_test(long_records_keep_to_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
