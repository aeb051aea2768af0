#include "server/protocol/profile.h"

#include "server/caraway.h"
#include "tests/unit.h"

#define DAY_MS INT64_C(86400000)

static void every_profile_is_found_by_its_name(void **state)
{
    (void)state;
    assert_true(profile_count > 0);
    for (size_t i = 0; i < profile_count; i++) {
        assert_ptr_equal(profile_find(profiles[i].name), &profiles[i]);
        assert_true(profiles[i].description[0] != '\0');
    }
    static const char *const others[] = { "", "Classic", "classic ", "tls", "tlsserverx" };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_null(profile_find(others[i]));
}

static void a_profile_never_outlives_the_setting(void **state)
{
    (void)state;
    static const struct {
        const char *profile;
        int64_t setting_ms, life_ms;
    } cases[] = {
        { "classic", 90 * DAY_MS, 90 * DAY_MS },
        { "classic", 398 * DAY_MS, 398 * DAY_MS },
        { "classic", 60000, 60000 },
        { "tlsserver", 90 * DAY_MS, 45 * DAY_MS },
        { "tlsserver", 45 * DAY_MS, 45 * DAY_MS },
        { "tlsserver", 44 * DAY_MS, 44 * DAY_MS },
        { "shortlived", 90 * DAY_MS, 160 * 3600000 },
        { "shortlived", DAY_MS, DAY_MS },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct settings settings = { .ca_lifetime_ms = cases[i].setting_ms };
        assert_int_equal(profile_lifetime_ms(profile_find(cases[i].profile), &settings), cases[i].life_ms);
    }
}

struct asked {
    const struct profile *profile;
    struct acme_problem problem;
    bool good;
};

static struct asked ask(const char *payload)
{
    char why[JSON_WHY_SIZE];
    AUTO(arena) arena = arena_create(1 << 16);
    struct settings settings = { .profile_default = "tlsserver" };
    struct caraway caraway = { .settings = &settings };
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(payload), why);
    struct request rq = { .caraway = &caraway, .arena = arena, .payload = object };
    struct asked asked = { 0 };
    assert_true(arena != NULL && object != NULL);
    asked.good = profile_read(&rq, &asked.profile);
    asked.problem = rq.problem;
    return asked;
}

static void who_names_none_gets_the_default(void **state)
{
    (void)state;
    assert_string_equal(ask("{}").profile->name, "tlsserver");
    assert_string_equal(ask("{\"profile\":\"shortlived\"}").profile->name, "shortlived");
}

static void an_unknown_profile_is_named(void **state)
{
    (void)state;
    struct asked asked = ask("{\"profile\":\"nutmeg\"}");
    assert_false(asked.good);
    assert_int_equal(asked.problem.type, PROBLEM_INVALID_PROFILE);
    assert_non_null(strstr(asked.problem.detail, "nutmeg"));
    assert_int_equal(ask("{\"profile\":7}").problem.type, PROBLEM_MALFORMED);
    assert_int_equal(ask("{\"profile\":null}").problem.type, PROBLEM_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_profile_is_found_by_its_name),
        cmocka_unit_test(a_profile_never_outlives_the_setting),
        cmocka_unit_test(who_names_none_gets_the_default),
        cmocka_unit_test(an_unknown_profile_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
