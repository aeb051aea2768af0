#include "server/settings/nearest.h"
#include "tests/unit.h"

#include <string.h>

static const char *const names[] = { "serve", "init", "config", "version", "log.level" };

static const char *nearest(const char *wanted)
{
    return nearest_name(wanted, names, ARRAY_SIZE(names));
}

static void typing_errors_are_forgiven(void **state)
{
    (void)state;
    assert_string_equal(nearest("serv"), "serve");
    assert_string_equal(nearest("server"), "serve");
    assert_string_equal(nearest("confgi"), "config");
    assert_string_equal(nearest("verzion"), "version");
}

static void the_last_part_of_a_name_is_enough(void **state)
{
    (void)state;
    assert_string_equal(nearest("level"), "log.level");
}

static void another_word_is_nothing_near(void **state)
{
    (void)state;
    assert_null(nearest("certificates"));
    assert_null(nearest("xx"));
    char endless[300];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_null(nearest(endless));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(typing_errors_are_forgiven),
        cmocka_unit_test(the_last_part_of_a_name_is_enough),
        cmocka_unit_test(another_word_is_nothing_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
