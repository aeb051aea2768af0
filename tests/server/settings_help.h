/* What the tests of the settings share: reading from texts, and the reason of a refusal. */
#pragma once

#include "server/settings/settings.h"
#include "tests/unit.h"

/* The settings from these sources; the test fails with the reason when they are refused. */
static inline struct settings *read_good(const struct settings_sources *sources)
{
    char why[SETTINGS_WHY_SIZE] = "";
    struct settings *settings = settings_read(sources, why);
    if (settings == NULL)
        fail_msg("%s", why);
    return settings;
}

static inline void read_bad(const struct settings_sources *sources, const char *expected)
{
    char why[SETTINGS_WHY_SIZE] = "";
    AUTO(settings) settings = settings_read(sources, why);
    assert_null(settings);
    assert_string_equal(why, expected);
}

static inline struct settings *set_good(const char *name, const char *value)
{
    struct setting_flag flag = { "--set", name, value };
    return read_good(&(struct settings_sources) { .flags = &flag, .flag_count = 1 });
}

static inline void set_bad(const char *name, const char *value, const char *expected)
{
    struct setting_flag flag = { "--set", name, value };
    read_bad(&(struct settings_sources) { .flags = &flag, .flag_count = 1 }, expected);
}
