#include "server/command/config.h"
#include "tests/unit.h"

#include <stdio.h>

enum { TEXT_MAX = 1 << 20 };

static void what_is_shown_says_where_it_comes_from(void **state)
{
    (void)state;
    char why[SETTINGS_WHY_SIZE];
    struct setting_flag flag = { "--listen", "listen", "127.0.0.1:1,[::1]:2" };
    const char *const environment[] = { "CARAWAY_CA_LIFETIME=36h", NULL };
    struct settings_sources sources = { .environment = environment, .flags = &flag, .flag_count = 1 };
    AUTO(settings) settings = settings_read(&sources, why);
    AUTO_BUF(text, TEXT_MAX);
    assert_non_null(settings);
    config_show(settings, &text);
    assert_non_null(strstr(buf_str(&text), "listen: [\"127.0.0.1:1\", \"[::1]:2\"] # --listen\n"));
    assert_non_null(strstr(buf_str(&text), "ca.lifetime: 36h # CARAWAY_CA_LIFETIME\n"));
    assert_non_null(strstr(buf_str(&text), "storage.sync: true # default\n"));
}

static void the_reference_page_is_current(void **state)
{
    (void)state;
    AUTO_BUF(expected, TEXT_MAX);
    AUTO_BUF(page, TEXT_MAX);
    config_reference(&expected);
    FILE *file = fopen(CARAWAY_DOCS "/settings.md", "r");
    assert_non_null(file);
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(&page, block, got);
    fclose(file);
    assert_string_equal(buf_str(&page), buf_str(&expected)); /* else: caraway config reference > docs/settings.md */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shown_says_where_it_comes_from),
        cmocka_unit_test(the_reference_page_is_current),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
