#include "test-client/options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static bool refuse(char why[static TC_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(char why[static TC_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, TC_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool set_text(const struct tc_option *option, const char *value, void *target, char why[static TC_WHY_SIZE])
{
    if (*value == '\0')
        return refuse(why, "--%s must not be empty", option->name);
    *(const char **)target = value;
    return true;
}

static bool set_list(const struct tc_option *option, const char *value, void *target, char why[static TC_WHY_SIZE])
{
    struct tc_option_list *list = target;
    if (list->count == TC_OPTION_LIST_MAX)
        return refuse(why, "--%s may be given at most %d times", option->name, TC_OPTION_LIST_MAX);
    list->items[list->count++] = value;
    return true;
}

static bool set_number(const struct tc_option *option, const char *value, void *target, char why[static TC_WHY_SIZE])
{
    char *end;
    errno = 0;
    long number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < option->min || number > option->max)
        return refuse(why, "--%s must be a number from %ld to %ld, not \"%s\"", option->name, option->min, option->max,
                      value);
    *(long *)target = number;
    return true;
}

static bool set_flag(const struct tc_option *option, const char *value, void *target, char why[static TC_WHY_SIZE])
{
    (void)option, (void)value, (void)why;
    *(bool *)target = true;
    return true;
}

static bool set_choice(const struct tc_option *option, const char *value, void *target, char why[static TC_WHY_SIZE])
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], value) == 0) {
            *(int *)target = i;
            return true;
        }
    }
    AUTO_BUF(all, TC_WHY_SIZE);
    for (int i = 0; option->choices[i] != NULL; i++)
        buf_printf(&all, "%s%s", i == 0 ? "" : ", ", option->choices[i]);
    return refuse(why, "--%s must be one of %s, not \"%s\"", option->name, buf_str(&all), value);
}

static bool (*const setters[])(const struct tc_option *, const char *, void *, char *) = {
    [TC_OPTION_TEXT] = set_text, [TC_OPTION_LIST] = set_list,     [TC_OPTION_NUMBER] = set_number,
    [TC_OPTION_FLAG] = set_flag, [TC_OPTION_CHOICE] = set_choice,
};

static const struct tc_option *find_option(const struct tc_option *options, size_t count, const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++) {
        if (strlen(options[i].name) == len && memcmp(options[i].name, name, len) == 0)
            return &options[i];
    }
    return NULL;
}

/* Takes one option from argv[*at] on and moves *at behind it. */
static bool take_option(const struct tc_option *options, size_t count, char **argv, int *at, void *out,
                        char why[static TC_WHY_SIZE])
{
    const char *word = argv[(*at)++];
    if (strncmp(word, "--", 2) != 0)
        return refuse(why, "unexpected argument \"%s\"", word);
    const char *name = word + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    const struct tc_option *option = find_option(options, count, name, len);
    if (option == NULL)
        return refuse(why, "unknown option --%.*s", (int)len, name);
    if (option->kind == TC_OPTION_FLAG && value != NULL)
        return refuse(why, "--%s takes no value", option->name);
    if (option->kind != TC_OPTION_FLAG && value == NULL)
        value = argv[(*at)++];
    if (option->kind != TC_OPTION_FLAG && value == NULL)
        return refuse(why, "--%s needs a value: %s", option->name, option->value);
    return setters[option->kind](option, value, (char *)out + option->offset, why);
}

bool tc_options_parse(const struct tc_option *options, size_t count, int argc, char **argv, void *out,
                      char why[static TC_WHY_SIZE])
{
    for (int at = 0; at < argc;)
        TRY(take_option(options, count, argv, &at, out, why));
    return true;
}

void tc_options_help(const struct tc_option *options, size_t count, struct buf *out)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t width = strlen(options[i].name) + (options[i].value != NULL ? strlen(options[i].value) + 1 : 0);
        widest = width > widest ? width : widest;
    }
    for (size_t i = 0; i < count; i++) {
        const char *value = options[i].value != NULL ? options[i].value : "";
        int left = (int)(widest - strlen(options[i].name) - (*value != '\0'));
        buf_printf(out, "  --%s%s%-*s  %s\n", options[i].name, *value != '\0' ? " " : "", left, value, options[i].help);
    }
}
