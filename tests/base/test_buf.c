#include "base/buf.h"
#include "tests/unit.h"

static void appends_follow_each_other(void **state)
{
    (void)state;
    AUTO_BUF(buf, 1000);
    assert_string_equal(buf_str(&buf), "");
    buf_text(&buf, "ab");
    buf_char(&buf, 'c');
    buf_append(&buf, "de", 2);
    buf_append(&buf, NULL, 0);
    buf_printf(&buf, "-%d-%s", 42, "f");
    assert_false(buf.failed);
    assert_string_equal(buf_str(&buf), "abcde-42-f");
    assert_true(bytes_equal_text(buf_bytes(&buf), "abcde-42-f"));
}

static void it_grows_to_its_maximum_exactly(void **state)
{
    (void)state;
    AUTO_BUF(buf, 1000);
    for (int i = 0; i < 1000; i++)
        buf_char(&buf, 'x');
    assert_false(buf.failed);
    assert_int_equal(buf.len, 1000);
    buf_char(&buf, 'x');
    assert_true(buf.failed);
    assert_int_equal(buf.len, 1000);
}

static void the_error_sticks(void **state)
{
    (void)state;
    AUTO_BUF(buf, 4);
    buf_text(&buf, "ab");
    buf_text(&buf, "too long");
    buf_text(&buf, "c");
    buf_printf(&buf, "%d", 1);
    assert_true(buf.failed);
    assert_string_equal(buf_str(&buf), "ab");
}

/* Around the sizes at which memory grows, and at the maximum. */
static void printed_texts_of_every_length_are_whole(void **state)
{
    (void)state;
    for (int len = 0; len < 600; len++) {
        AUTO_BUF(buf, 600);
        buf_char(&buf, '<');
        buf_printf(&buf, "%0*d", len + 1, 7);
        buf_char(&buf, '>');
        assert_int_equal(buf.failed, len + 3 > 600);
        if (len + 3 > 600)
            continue;
        assert_int_equal(strlen(buf_str(&buf)), len + 3);
        assert_string_equal(buf_str(&buf) + len + 1, "7>");
        assert_int_equal(strspn(buf_str(&buf) + 1, "0"), len);
    }
}

static void a_printed_text_that_does_not_fit_leaves_nothing(void **state)
{
    (void)state;
    AUTO_BUF(buf, 4);
    buf_text(&buf, "ab");
    buf_printf(&buf, "%s", "cde");
    assert_true(buf.failed);
    assert_int_equal(buf.len, 2);
    assert_string_equal(buf_str(&buf), "ab");
}

static void clear_forgets_text_and_error(void **state)
{
    (void)state;
    AUTO_BUF(buf, 4);
    buf_text(&buf, "too long");
    buf_clear(&buf);
    buf_text(&buf, "abcd");
    assert_false(buf.failed);
    assert_string_equal(buf_str(&buf), "abcd");
    buf_clear(&buf);
    assert_string_equal(buf_str(&buf), "");
}

static void over_memory_of_the_caller_it_fills_that_exactly(void **state)
{
    (void)state;
    char memory[5] = "....";
    struct buf buf = BUF_OVER(memory, sizeof memory);
    buf_text(&buf, "abcd");
    assert_false(buf.failed);
    assert_ptr_equal(buf.data, memory);
    assert_string_equal(memory, "abcd");
    buf_char(&buf, 'e');
    assert_true(buf.failed);
    assert_string_equal(memory, "abcd");
}

static void reserve_refuses_what_cannot_fit(void **state)
{
    (void)state;
    AUTO_BUF(buf, 100);
    assert_true(buf_reserve(&buf, 100));
    assert_false(buf_reserve(&buf, SIZE_MAX));
    assert_true(buf.failed);
}

static void take_moves_the_memory_out(void **state)
{
    (void)state;
    AUTO_BUF(buf, 100);
    buf_text(&buf, "gift");
    size_t len;
    AUTO_TYPE(char) taken = buf_take(&buf, &len);
    assert_string_equal(taken, "gift");
    assert_int_equal(len, 4);
    assert_int_equal(buf.len, 0);
    assert_null(buf.data);
    AUTO_TYPE(char) empty = buf_take(&buf, &len);
    assert_string_equal(empty, "");
    assert_int_equal(len, 0);
}

static void take_gives_nothing_after_an_error(void **state)
{
    (void)state;
    AUTO_BUF(buf, 2);
    buf_text(&buf, "ab");
    buf_text(&buf, "c");
    size_t len;
    assert_null(buf_take(&buf, &len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_follow_each_other),
        cmocka_unit_test(it_grows_to_its_maximum_exactly),
        cmocka_unit_test(the_error_sticks),
        cmocka_unit_test(printed_texts_of_every_length_are_whole),
        cmocka_unit_test(a_printed_text_that_does_not_fit_leaves_nothing),
        cmocka_unit_test(clear_forgets_text_and_error),
        cmocka_unit_test(over_memory_of_the_caller_it_fills_that_exactly),
        cmocka_unit_test(reserve_refuses_what_cannot_fit),
        cmocka_unit_test(take_moves_the_memory_out),
        cmocka_unit_test(take_gives_nothing_after_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
