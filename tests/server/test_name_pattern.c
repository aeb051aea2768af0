#include "server/policy/name_pattern.h"

#include "tests/unit.h"

static struct acme_identifier identifier(struct arena *arena, const char *text)
{
    struct acme_identifier out;
    char why[IDENTIFIER_WHY_SIZE];
    if (!identifier_make(arena, IDENTIFIER_DNS, bytes_text(text), &out, why))
        assert_true(identifier_make(arena, IDENTIFIER_IP, bytes_text(text), &out, why));
    return out;
}

static void good_patterns_are_written_alike(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "www.Example.TEST", "www.example.test" },
        { "*.Team-A.Internal", "*.team-a.internal" },
        { "test", "test" },
        { "*.test", "*.test" },
        { "10.0.0.0/8", "10.0.0.0/8" },
        { "192.0.2.1", "192.0.2.1" },
        { "2001:db8::/32", "2001:db8::/32" },
    };
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *out = NULL;
        char why[NAME_PATTERN_WHY_SIZE];
        assert_true(name_pattern_read(arena, cases[i][0], &out, why));
        assert_string_equal(out, cases[i][1]);
    }
}

static void bad_patterns_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",        "*",          "*.",          "a..test",        "*.*.test", "x*.test", "www.*.test",
        "*team.a", "10.0.0.1/8", "10.0.0.0/33", "2001:db8::/200", "a b",      ".test"
    };
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *out = NULL;
        char why[NAME_PATTERN_WHY_SIZE] = "";
        if (name_pattern_read(arena, cases[i], &out, why))
            fail_msg("\"%s\" was taken", cases[i]);
        assert_null(out);
        assert_true(why[0] != '\0');
    }
}

static const struct {
    const char *pattern, *name;
    bool covers, touches;
} names[] = {
    { "a.test", "a.test", true, true },
    { "a.test", "A.Test", true, true },
    { "a.test", "b.a.test", false, false },
    { "a.test", "xa.test", false, false },
    { "a.test", "test", false, false },
    { "a.test", "*.a.test", false, false },
    { "a.test", "*.test", false, true },
    { "b.a.test", "*.test", false, false },
    { "*.a.test", "a.test", false, false },
    { "*.a.test", "b.a.test", true, true },
    { "*.a.test", "c.b.a.test", true, true },
    { "*.a.test", "xa.test", false, false },
    { "*.a.test", "a.test.evil", false, false },
    { "*.a.test", "*.a.test", true, true },
    { "*.a.test", "*.b.a.test", true, true },
    { "*.a.test", "*.test", false, false },
    { "*.test", "test", false, false },
    { "test", "*.test", false, false },
    { "10.0.0.0/8", "10.1.2.3", true, true },
    { "10.0.0.0/8", "11.1.2.3", false, false },
    { "10.0.0.0/8", "::ffff:10.1.2.3", false, true },
    { "::ffff:10.0.0.0/104", "10.1.2.3", false, true },
    { "2001:db8::/32", "2001:db8::1", true, true },
    { "2001:db8::/32", "2001:db9::1", false, false },
    { "a.test", "10.1.2.3", false, false },
    { "10.0.0.0/8", "a.test", false, false },
};

static void names_are_covered_and_touched_by_whole_labels(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct acme_identifier name = identifier(arena, names[i].name);
        if (name_pattern_covers(names[i].pattern, &name, SCOPE_NAME) != names[i].covers)
            fail_msg("%s covers %s", names[i].pattern, names[i].name);
        if (name_pattern_touches(names[i].pattern, &name) != names[i].touches)
            fail_msg("%s touches %s", names[i].pattern, names[i].name);
    }
}

static void all_below_a_name_is_covered_by_subtrees_alone(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool covers;
    } cases[] = {
        { "a.test", "a.test", false },     { "*.a.test", "a.test", true }, { "*.a.test", "b.a.test", true },
        { "*.b.a.test", "a.test", false }, { "*.a.test", "test", false },
    };
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct acme_identifier name = identifier(arena, cases[i].name);
        if (name_pattern_covers(cases[i].pattern, &name, SCOPE_SUBDOMAINS) != cases[i].covers)
            fail_msg("%s covers all below %s", cases[i].pattern, cases[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_patterns_are_written_alike),
        cmocka_unit_test(bad_patterns_are_refused_with_a_reason),
        cmocka_unit_test(names_are_covered_and_touched_by_whole_labels),
        cmocka_unit_test(all_below_a_name_is_covered_by_subtrees_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
