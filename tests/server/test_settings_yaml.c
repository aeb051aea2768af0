#include "tests/server/settings_help.h"

#include "server/settings/settings_row.h"

struct fixture {
    struct arena *arena;
    struct setting_inputs inputs;
    char why[SETTINGS_WHY_SIZE];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(4 << 20);
    *state = f;
    return f->arena != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    arena_drop(f->arena);
    free(f);
    return 0;
}

static bool read_yaml(struct fixture *f, const char *text)
{
    f->inputs.count = 0;
    f->why[0] = '\0';
    return settings_read_yaml(f->arena, "c.yaml", bytes_text(text), &f->inputs, f->why);
}

static void good(struct fixture *f, const char *text)
{
    if (!read_yaml(f, text))
        fail_msg("%s", f->why);
}

static void bad(struct fixture *f, const char *text, const char *expected)
{
    assert_false(read_yaml(f, text));
    assert_string_equal(f->why, expected);
}

static void nothing_says_nothing(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = { "", "\n\n", "# only a comment\n", "{}", "---\n{}\n...\n" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        good(f, texts[i]);
        assert_int_equal(f->inputs.count, 0);
    }
}

static void groups_and_dots_are_the_same(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = { "validation:\n  http-port: 80\n", "validation: {http-port: 80}",
                                         "validation.http-port: 80", "{\"validation\": {\"http-port\": 80}}" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        good(f, texts[i]);
        assert_int_equal(f->inputs.count, 1);
        assert_int_equal(f->inputs.items[0].id, SETTING_validation_http_port);
        assert_string_equal(f->inputs.items[0].pairs[0].text, "80");
    }
    good(f, "# first\nvalidation:\n  http-port: 80\n");
    assert_string_equal(f->inputs.items[0].origin, "c.yaml:3");
}

static void lists_and_maps(void **state)
{
    struct fixture *f = *state;
    good(f, "listen:\n- a:1\n- 'b:2'\ndns.hosts: {a.test: 10.0.0.1, '*.b.test': [10.0.0.2, '::1']}\nwebsite: ~\n");
    assert_int_equal(f->inputs.count, 3);
    assert_int_equal(f->inputs.items[0].count, 2);
    assert_string_equal(f->inputs.items[0].pairs[1].text, "b:2");
    assert_int_equal(f->inputs.items[1].count, 3);
    assert_string_equal(f->inputs.items[1].pairs[2].key, "*.b.test");
    assert_string_equal(f->inputs.items[1].pairs[2].text, "::1");
    assert_string_equal(f->inputs.items[2].pairs[0].text, "");
}

static void unknown_keys_are_named_with_their_line(void **state)
{
    struct fixture *f = *state;
    bad(f, "listen: a:1\nlog:\n  levle: info\n",
        "c.yaml:3: unknown setting \"log.levle\"; did you mean \"log.level\"?");
    bad(f, "zzzzzz: 1\n", "c.yaml:1: unknown setting \"zzzzzz\"; see caraway config reference");
    bad(f, "validation: 80\n", "c.yaml:1: validation is a group of settings; write them below it");
    bad(f, "? [a]\n: b\n", "c.yaml:1: a plain value is expected, not a list or map");
}

static void a_setting_stands_once(void **state)
{
    struct fixture *f = *state;
    bad(f, "validation: {http-port: 80}\n\nvalidation.http-port: 81\n",
        "c.yaml:3: validation.http-port stands twice, first at c.yaml:1");
}

static void shapes_are_checked(void **state)
{
    struct fixture *f = *state;
    bad(f, "[listen]", "c.yaml:1: settings are expected, one \"name: value\" a line");
    bad(f, "listen", "c.yaml:1: settings are expected, one \"name: value\" a line");
    bad(f, "listen: [[a]]", "c.yaml:1: a plain value is expected, not a list or map");
    bad(f, "dns.hosts: {a: {b: c}}", "c.yaml:1: a plain value is expected, not a list or map");
    bad(f, "{}\n---\n{}\n", "c.yaml:2: a second document is not taken");
    bad(f, "ca.name: \"a\\0b\"", "c.yaml:1: the value holds a NUL byte");
}

static void anchors_aliases_and_tags_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char refusal[] = "c.yaml:1: anchors, aliases and tags are not taken; write it out";
    static const char *const texts[] = { "listen: &a [x:1]", "listen: &a x:1",    "listen: *a", "&a {}",
                                         "ca.name: !!str x", "listen: !!seq [a]", "!!map {}",   "dns.hosts: &a {}" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        bad(f, texts[i], refusal);
}

static void what_is_not_yaml_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = { "a: b: c",           "listen: [",        "{",        "\"",
                                         "listen: a\n\tb: c", "listen: \xff\xfe", "listen: @" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_false(read_yaml(f, texts[i]));
        assert_non_null(strstr(f->why, "c.yaml:"));
    }
}

static void a_cut_off_file_never_reads_past_its_end(void **state)
{
    struct fixture *f = *state;
    static const char text[] =
        "{\"listen\": [\"a:1\"], \"dns\": {\"hosts\": {\"a.test\": [\"::1\"]}}, \"log.level\": \"info\"}";
    for (size_t len = 1; len < sizeof text - 1; len++) {
        char *exact = malloc(len);
        memcpy(exact, text, len);
        f->inputs.count = 0;
        assert_false(settings_read_yaml(f->arena, "c.yaml", bytes_of(exact, len), &f->inputs, f->why));
        free(exact);
    }
    good(f, text);
}

static void deep_and_wide_files_are_bounded(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(deep, 1 << 20);
    buf_text(&deep, "listen: ");
    for (int i = 0; i < 500000; i++)
        buf_char(&deep, '[');
    bad(f, buf_str(&deep), "c.yaml:1: a plain value is expected, not a list or map");
    AUTO_BUF(wide, 1 << 20);
    buf_text(&wide, "listen:\n");
    for (int i = 0; i <= SETTING_PAIRS_MAX; i++)
        buf_text(&wide, "- a:1\n");
    bad(f, buf_str(&wide), "c.yaml:4098: more than 4096 entries");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_says_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_and_dots_are_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_and_maps, set_up, tear_down),
        cmocka_unit_test_setup_teardown(unknown_keys_are_named_with_their_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_setting_stands_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shapes_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(anchors_aliases_and_tags_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_yaml_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cut_off_file_never_reads_past_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deep_and_wide_files_are_bounded, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
