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

static void as_much_as_fits(void **state)
{
    (void)state;
    char out[8];
    val_printable_long(bytes_text("1234"), out, sizeof out);
    assert_string_equal(out, "1234");
    val_printable_long(bytes_text("12345678"), out, sizeof out);
    assert_string_equal(out, "1234...");
    val_printable_long(bytes_text("123\n5678"), out, sizeof out);
    assert_string_equal(out, "123...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(printable_text_stays),
        cmocka_unit_test(the_rest_is_escaped),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(as_much_as_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
