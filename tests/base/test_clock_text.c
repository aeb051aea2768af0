#include "base/clock_text.h"
#include "tests/unit.h"

static const struct {
    const char *text;
    int64_t ms;
} good[] = {
    { "1970-01-01T00:00:00Z", 0 },
    { "2026-11-24T12:58:18Z", 1795525098000 },
    { "2026-11-24t12:58:18z", 1795525098000 },
    { "2026-11-24T13:58:18+01:00", 1795525098000 },
    { "2026-11-24T07:28:18-05:30", 1795525098000 },
    { "2026-11-24T12:58:18.5Z", 1795525098500 },
    { "2026-11-24T12:58:18.123456789Z", 1795525098123 },
    { "2024-02-29T00:00:00Z", 1709164800000 },
    { "2016-12-31T23:59:60Z", 1483228800000 }, /* a leap second is the next second */
    { "1969-12-31T23:59:59Z", -1000 },
    { "0001-01-01T00:00:00Z", -62135596800000 },
    { "9999-12-31T23:59:59.999Z", 253402300799999 },
};

static const char *const bad[] = {
    "",
    "now",
    "2026",
    "2026-11-24",
    "2026-11-24 12:58:18Z",
    "2026-11-24T12:58:18",
    "2026-11-24T12:58Z",
    "2026-11-24T12:58:18Zx",
    "2026-11-24T12:58:18.Z",
    "2026-11-24T12:58:18+1:00",
    "2026-11-24T12:58:18+0100",
    "2026-11-24T12:58:18+24:00",
    "2026-11-24T24:00:00Z",
    "2026-11-24T12:60:00Z",
    "2026-11-24T12:00:61Z",
    "2026-13-01T00:00:00Z",
    "2026-00-01T00:00:00Z",
    "2026-01-00T00:00:00Z",
    "2026-02-31T10:00:00Z",
    "2026-02-31T10:00:30Z",
    "2026-02-29T00:00:00Z",
    "2026-04-31T23:59:60Z",
    "2100-02-29T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00+00:01",
    "9999-12-31T23:59:59-00:01",
    "12026-01-01T00:00:00Z",
    "-026-01-01T00:00:00Z",
    "2026-1-01T00:00:00Z",
    " 2026-11-24T12:58:18Z",
};

static void good_times_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        int64_t ms = INT64_MIN;
        if (!time_parse(good[i].text, &ms) || ms != good[i].ms)
            fail_msg("%s gave %lld", good[i].text, (long long)ms);
    }
}

static void bad_times_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        int64_t ms = 7;
        if (time_parse(bad[i], &ms) || ms != 7)
            fail_msg("\"%s\" gave %lld", bad[i], (long long)ms);
    }
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    static const char whole[] = "2026-11-24T12:58:18.5+01:00";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        char part[sizeof whole] = "";
        memcpy(part, whole, len);
        int64_t ms;
        assert_false(time_parse(part, &ms));
    }
}

static void times_are_written_in_whole_seconds(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        { 0, "1970-01-01T00:00:00Z" },
        { 1795525098999, "2026-11-24T12:58:18Z" },
        { -1, "1969-12-31T23:59:59Z" },
        { -1000, "1969-12-31T23:59:59Z" },
        { -62135596800000, "0001-01-01T00:00:00Z" },
        { 253402300799999, "9999-12-31T23:59:59Z" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[TIME_TEXT_SIZE];
        time_text(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        { "500ms", 500 },      { "30s", 30000 },     { "5m", 300000 }, { "3h", 10800000 },
        { "90d", 7776000000 }, { "1h30m", 5400000 }, { "0s", 0 },      { "1d2h3m4s5ms", 93784005 },
        { "1m1ms", 60001 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms = -1;
        if (!duration_parse(cases[i].text, &ms))
            fail_msg("\"%s\" was refused", cases[i].text);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = { "",        "5",    "h",    "-5h", "5h ", " 5h",  "5 h",
                                         "5x",      "1h30", "5.5h", "5hh", "5H",  "5mss", "99999999999999999999s",
                                         "9999999d" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        int64_t ms = 7;
        if (duration_parse(texts[i], &ms))
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(ms, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_times_are_read),         cmocka_unit_test(bad_times_are_refused),
        cmocka_unit_test(every_truncation_is_refused), cmocka_unit_test(times_are_written_in_whole_seconds),
        cmocka_unit_test(durations_are_read),          cmocka_unit_test(what_is_no_duration_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
