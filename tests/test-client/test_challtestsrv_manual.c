/* The man page and --help name every flag, every default and every order, and no others. */
#include "test-client/challtestsrv/api.h"
#include "test-client/challtestsrv/order.h"

#include "tests/unit.h"

#include <stdio.h>

enum { MANUAL_MAX = 1 << 20 };

static const struct {
    const char *name, *fallback;
} flags[] = {
#define X(name, text, fallback, value, help) { text, fallback },
    CTS_FLAG_TABLE(X)
#undef X
};

static const char *const paths[] = {
#define X(path, group, function, about, members) path,
    CTS_ENDPOINT_TABLE(X)
#undef X
};

static int set_up(void **state)
{
    struct buf *manual = calloc(1, sizeof *manual);
    FILE *file = fopen(MANUAL, "r");
    assert_true(manual != NULL && file != NULL);
    *manual = BUF_INIT(MANUAL_MAX);
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(manual, block, got);
    fclose(file);
    *state = manual;
    return 0;
}

static int tear_down(void **state)
{
    buf_free(*state);
    free(*state);
    return 0;
}

/* The word behind each `mark`, up to a blank or the end of the line. */
static bool holds(const struct buf *manual, const char *mark, const char *word)
{
    const char *at = buf_str(manual);
    while ((at = strstr(at, mark)) != NULL) {
        at += strlen(mark);
        if (strcspn(at, " \n") == strlen(word) && strncmp(at, word, strlen(word)) == 0)
            return true;
    }
    return false;
}

static void test_the_manual_has_all_flags(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (!holds(*state, "\n.It Fl ", flags[i].name) || !holds(*state, "Fl ", flags[i].name))
            fail_msg("-%s is not in the manual", flags[i].name);
        if (flags[i].fallback[0] != '\0' && !holds(*state, ".Pq Ql ", flags[i].fallback)) {
            AUTO_BUF(with_comma, 64);
            buf_printf(&with_comma, ".Pq Ql %s ", flags[i].fallback);
            if (strstr(buf_str(*state), buf_str(&with_comma)) == NULL)
                fail_msg("the default %s of -%s is not in the manual", flags[i].fallback, flags[i].name);
        }
    }
}

static bool is_flag(const char *word, size_t len)
{
    static const char *const others[] = { "help", "version" };
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if (strlen(flags[i].name) == len && strncmp(flags[i].name, word, len) == 0)
            return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        if (strlen(others[i]) == len && strncmp(others[i], word, len) == 0)
            return true;
    }
    return false;
}

static bool is_path(const char *word, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (strlen(paths[i]) == len && strncmp(paths[i], word, len) == 0)
            return true;
    }
    return false;
}

static void assert_all(const struct buf *manual, const char *mark, bool (*known)(const char *word, size_t len))
{
    const char *at = buf_str(manual);
    while ((at = strstr(at, mark)) != NULL) {
        at += strlen(mark);
        size_t len = strcspn(at, " \n");
        if (!known(at, len))
            fail_msg("there is no %.*s", (int)len, at);
    }
}

static void test_the_manual_has_all_orders(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        if (!holds(*state, "Pa ", paths[i]))
            fail_msg("%s is not in the manual", paths[i]);
    }
}

static void test_the_manual_has_nothing_else(void **state)
{
    assert_all(*state, "\n.It Fl ", is_flag);
    assert_all(*state, "Pa ", is_path);
}

static void test_help_has_all_orders(void **state)
{
    (void)state;
    AUTO_BUF(help, 1 << 16);
    cts_api_help(&help);
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        AUTO_BUF(line, 256);
        buf_printf(&line, "  %s ", paths[i]);
        assert_non_null(strstr(buf_str(&help), buf_str(&line)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_manual_has_all_flags),
        cmocka_unit_test(test_the_manual_has_all_orders),
        cmocka_unit_test(test_the_manual_has_nothing_else),
        cmocka_unit_test(test_help_has_all_orders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
