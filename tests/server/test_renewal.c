#include "server/protocol/renewal.h"

#include "base/clock_text.h"
#include "tests/unit.h"

#define SECOND_MS INT64_C(1000)
#define DAY_MS    (86400 * SECOND_MS)
#define BIRTH_MS  INT64_C(1760000000999)

static struct renewal_window window_after(int64_t life_ms)
{
    const struct certificate certificate = { .state = CERTIFICATE_VALID,
                                             .not_before_ms = BIRTH_MS,
                                             .not_after_ms = BIRTH_MS + life_ms };
    return renewal_window(&certificate);
}

static void it_lies_at_two_thirds_of_the_life(void **state)
{
    (void)state;
    struct renewal_window window = window_after(90 * DAY_MS);
    assert_int_equal(window.from_ms, BIRTH_MS + 60 * DAY_MS - 9 * DAY_MS / 10);
    assert_int_equal(window.until_ms, BIRTH_MS + 60 * DAY_MS + 9 * DAY_MS / 10);
}

static void it_lies_at_half_of_a_short_life(void **state)
{
    (void)state;
    struct renewal_window window = window_after(6 * DAY_MS);
    assert_int_equal((window.from_ms + window.until_ms) / 2, BIRTH_MS + 3 * DAY_MS);
}

/* [9773-4.2-3] As it is sent, in whole seconds. */
static void it_ends_after_it_starts_for_every_life(void **state)
{
    (void)state;
    for (int64_t life_ms = 1; life_ms <= 398 * DAY_MS; life_ms += 1 + life_ms / 7) {
        struct renewal_window window = window_after(life_ms);
        char from[TIME_TEXT_SIZE], until[TIME_TEXT_SIZE];
        time_text(window.from_ms, from);
        time_text(window.until_ms, until);
        if (strcmp(from, until) >= 0)
            fail_msg("a life of %lld ms: %s to %s", (long long)life_ms, from, until);
    }
}

static void it_is_past_for_what_is_revoked(void **state)
{
    (void)state;
    const struct certificate certificate = { .state = CERTIFICATE_REVOKED,
                                             .not_before_ms = BIRTH_MS,
                                             .not_after_ms = BIRTH_MS + 90 * DAY_MS,
                                             .revoked_ms = BIRTH_MS + DAY_MS };
    struct renewal_window window = renewal_window(&certificate);
    assert_true(window.from_ms < window.until_ms);
    assert_true(window.until_ms < certificate.revoked_ms);
}

static void the_operators_comes_before_all(void **state)
{
    (void)state;
    const struct certificate certificate = {
        .state = CERTIFICATE_REVOKED, .revoked_ms = BIRTH_MS, .renew_from_ms = 1000, .renew_until_ms = 5000
    };
    struct renewal_window window = renewal_window(&certificate);
    assert_int_equal(window.from_ms, 1000);
    assert_int_equal(window.until_ms, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lies_at_two_thirds_of_the_life),      cmocka_unit_test(it_lies_at_half_of_a_short_life),
        cmocka_unit_test(it_ends_after_it_starts_for_every_life), cmocka_unit_test(it_is_past_for_what_is_revoked),
        cmocka_unit_test(the_operators_comes_before_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
