#include "test-client/options.h"
#include "tests/unit.h"

#include <string.h>

struct values {
    const char *text;
    struct tc_option_list list;
    long number;
    bool flag;
    int choice;
};

static const char *const colours[] = { "red", "green", NULL };

#define AT(field) .offset = offsetof(struct values, field)
static const struct tc_option options[] = {
    { "text", "FILE", "a text", TC_OPTION_TEXT, AT(text) },
    { "list", "NAME", "a list", TC_OPTION_LIST, AT(list) },
    { "number", "N", "a number", TC_OPTION_NUMBER, AT(number), -5, 10 },
    { "flag", NULL, "a flag", TC_OPTION_FLAG, AT(flag) },
    { "choice", "COLOUR", "a choice", TC_OPTION_CHOICE, AT(choice), .choices = colours },
};

enum { WORDS_MAX = TC_OPTION_LIST_MAX * 2 + 4 };

static bool parse(struct values *out, char *why, const char *const *words)
{
    char *argv[WORDS_MAX + 1] = { 0 };
    int argc = 0;
    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)words[argc];
    return tc_options_parse(options, ARRAY_SIZE(options), argc, argv, out, why);
}
#define WORDS(...) ((const char *const[]) { __VA_ARGS__, NULL })

static void every_kind_is_read(void **state)
{
    (void)state;
    struct values values = { 0 };
    char why[TC_WHY_SIZE];
    assert_true(
        parse(&values, why,
              WORDS("--text", "a b", "--list=x", "--list", "y=z", "--number", "-5", "--flag", "--choice=green")));
    assert_string_equal(values.text, "a b");
    assert_int_equal(values.list.count, 2);
    assert_string_equal(values.list.items[0], "x");
    assert_string_equal(values.list.items[1], "y=z");
    assert_int_equal(values.number, -5);
    assert_true(values.flag);
    assert_int_equal(values.choice, 1);
}

static void nothing_given_changes_nothing(void **state)
{
    (void)state;
    struct values values = { .text = "kept", .number = 7 };
    char why[TC_WHY_SIZE];
    assert_true(parse(&values, why, WORDS(NULL)));
    assert_string_equal(values.text, "kept");
    assert_int_equal(values.number, 7);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *words[3], *why;
    } cases[] = {
        { { "--txet", "a" }, "unknown option --txet" },
        { { "--txet=a" }, "unknown option --txet" },
        { { "--tex", "a" }, "unknown option --tex" },
        { { "text" }, "unexpected argument \"text\"" },
        { { "-t" }, "unexpected argument \"-t\"" },
        { { "--text" }, "--text needs a value: FILE" },
        { { "--text=" }, "--text must not be empty" },
        { { "--flag=1" }, "--flag takes no value" },
        { { "--number", "11" }, "--number must be a number from -5 to 10, not \"11\"" },
        { { "--number", "-6" }, "--number must be a number from -5 to 10, not \"-6\"" },
        { { "--number", "1x" }, "--number must be a number from -5 to 10, not \"1x\"" },
        { { "--number=" }, "--number must be a number from -5 to 10, not \"\"" },
        { { "--choice", "blue" }, "--choice must be one of red, green, not \"blue\"" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct values values = { 0 };
        char why[TC_WHY_SIZE] = "";
        assert_false(parse(&values, why, cases[i].words));
        assert_string_equal(why, cases[i].why);
    }
}

static void a_list_has_an_end(void **state)
{
    (void)state;
    const char *words[TC_OPTION_LIST_MAX + 2];
    for (size_t i = 0; i <= TC_OPTION_LIST_MAX; i++)
        words[i] = "--list=x";
    words[TC_OPTION_LIST_MAX + 1] = NULL;
    struct values values = { 0 };
    char why[TC_WHY_SIZE];
    assert_false(parse(&values, why, words));
    assert_int_equal(values.list.count, TC_OPTION_LIST_MAX);
}

static void help_is_aligned(void **state)
{
    (void)state;
    AUTO_BUF(help, 4096);
    tc_options_help(options, ARRAY_SIZE(options), &help);
    assert_string_equal(buf_str(&help), "  --text FILE      a text\n"
                                        "  --list NAME      a list\n"
                                        "  --number N       a number\n"
                                        "  --flag           a flag\n"
                                        "  --choice COLOUR  a choice\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_read), cmocka_unit_test(nothing_given_changes_nothing),
        cmocka_unit_test(mistakes_are_named), cmocka_unit_test(a_list_has_an_end),
        cmocka_unit_test(help_is_aligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
