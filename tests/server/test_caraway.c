/* What a start refuses before anything is opened. */
#include "server/caraway.h"

#include "tests/server/settings_help.h"

#include <string.h>

static void a_clock_that_was_never_set_is_refused(void **state)
{
    (void)state;
    char why[CARAWAY_WHY_SIZE] = "";
    struct world_manual clock;
    struct world world = world_manual(&clock, 60000);
    struct caraway caraway = { .world = &world };
    AUTO(settings) settings = set_good("storage.driver", "memory");
    assert_false(caraway_open(&caraway, settings, why));
    assert_non_null(strstr(why, "clock says 1970-01-01T00:01:00Z; set it"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_never_set_is_refused),
    };
    return cmocka_run_group_tests_name("caraway", tests, NULL, NULL);
}
