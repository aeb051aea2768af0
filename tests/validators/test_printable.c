#include "validators/printable.h"

#include "tests/unit.h"

static void printable_text_stays(void **state)
{
    (void)state;
    char out[VAL_SHOWN_SIZE];
    assert_string_equal(val_printable(bytes_text("not here ~!"), out), "not here ~!");
    assert_string_equal(val_printable(bytes_of(NULL, 0), out), "");
}

static void the_rest_is_escaped(void **state)
{
    (void)state;
    char out[VAL_SHOWN_SIZE];
    assert_string_equal(val_printable(bytes_of("a\0\"\\\r\x7f\xc3\xa9", 8), out), "a\\x00\\\"\\\\\\x0d\\x7f\\xc3\\xa9");
}

static void long_texts_are_cut(void **state)
{
    (void)state;
    char out[VAL_SHOWN_SIZE];
    uint8_t bytes[VAL_SHOWN_BYTES + 1];
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(strlen(val_printable(bytes_of(bytes, VAL_SHOWN_BYTES), out)), 4 * VAL_SHOWN_BYTES);
    assert_int_equal(strlen(val_printable(bytes_of(bytes, VAL_SHOWN_BYTES + 1), out)), 4 * VAL_SHOWN_BYTES + 3);
    assert_string_equal(out + 4 * VAL_SHOWN_BYTES, "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_text_stays),
        cmocka_unit_test(the_rest_is_escaped),
        cmocka_unit_test(long_texts_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
