#include "test-client/text_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int dropped; /* values the map has dropped since the test began */

static void count_drop(void *value)
{
    (void)value;
    dropped++;
}

static struct bytes key_of(char out[16], int i)
{
    snprintf(out, 16, "key-%d", i);
    return bytes_text(out);
}

static void test_get_finds_what_was_put(void **state)
{
    (void)state;
    AUTO(text_map) map = text_map_create(1000, NULL);
    int values[500];
    char text[16];
    for (int i = 0; i < 500; i++)
        assert_true(text_map_put(map, key_of(text, i), &values[i]));
    for (int i = 0; i < 500; i++)
        assert_ptr_equal(text_map_get(map, key_of(text, i)), &values[i]);
    assert_int_equal(text_map_count(map), 500);
    assert_null(text_map_get(map, bytes_text("key-500")));
    assert_null(text_map_get(map, bytes_text("")));
}

static void test_put_replaces_and_drops_the_old_value(void **state)
{
    (void)state;
    dropped = 0;
    AUTO(text_map) map = text_map_create(1, count_drop);
    int old, new;
    assert_true(text_map_put(map, bytes_text("a"), &old));
    assert_true(text_map_put(map, bytes_text("a"), &new));
    assert_int_equal(dropped, 1);
    assert_ptr_equal(text_map_get(map, bytes_text("a")), &new);
    assert_int_equal(text_map_count(map), 1);
}

static void test_remove_forgets(void **state)
{
    (void)state;
    dropped = 0;
    AUTO(text_map) map = text_map_create(10, count_drop);
    int value;
    assert_true(text_map_put(map, bytes_text("a"), &value));
    text_map_remove(map, bytes_text("b"));
    assert_int_equal(dropped, 0);
    text_map_remove(map, bytes_text("a"));
    assert_int_equal(dropped, 1);
    assert_null(text_map_get(map, bytes_text("a")));
    assert_int_equal(text_map_count(map), 0);
}

static void test_full_map_refuses_and_leaves_the_value_to_the_caller(void **state)
{
    (void)state;
    dropped = 0;
    AUTO(text_map) map = text_map_create(2, count_drop);
    int value;
    assert_true(text_map_put(map, bytes_text("a"), &value));
    assert_true(text_map_put(map, bytes_text("b"), &value));
    assert_false(text_map_put(map, bytes_text("c"), &value));
    assert_int_equal(dropped, 0);
}

static void test_drop_drops_every_value(void **state)
{
    (void)state;
    dropped = 0;
    struct text_map *map = text_map_create(300, count_drop);
    int value;
    char text[16];
    for (int i = 0; i < 300; i++)
        assert_true(text_map_put(map, key_of(text, i), &value));
    text_map_drop(map);
    assert_int_equal(dropped, 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_finds_what_was_put),
        cmocka_unit_test(test_put_replaces_and_drops_the_old_value),
        cmocka_unit_test(test_remove_forgets),
        cmocka_unit_test(test_full_map_refuses_and_leaves_the_value_to_the_caller),
        cmocka_unit_test(test_drop_drops_every_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
