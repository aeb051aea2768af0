#include "test-client/challtestsrv/flags.h"

#include <stdio.h>

static const struct {
    const char *text, *fallback, *value, *help;
} rows[CTS_FLAGS] = {
#define X(name, text, fallback, value, help) [CTS_##name] = { text, fallback, value, help },
    CTS_FLAG_TABLE(X)
#undef X
};

const char *cts_flag_text(enum cts_flag flag)
{
    return rows[flag].text;
}

static bool is_word(const char *name, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(name, word, len) == 0;
}

static bool find_flag(const char *name, size_t len, enum cts_flag *out)
{
    for (enum cts_flag flag = 0; flag < CTS_FLAGS; flag++) {
        bool old_name = flag == CTS_DNSSERVER && is_word(name, len, "dns01");
        if (old_name || is_word(name, len, rows[flag].text)) {
            *out = flag;
            return true;
        }
    }
    return false;
}

static enum cts_flags_result wrong(char why[static CTS_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static enum cts_flags_result wrong(char why[static CTS_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CTS_WHY_SIZE, format, args);
    va_end(args);
    return CTS_FLAGS_WRONG;
}

/* Takes one flag from argv[*at] on and moves *at behind it. */
static enum cts_flags_result take_flag(char **argv, int *at, struct cts_flags *flags, char why[static CTS_WHY_SIZE])
{
    const char *word = argv[(*at)++];
    if (word[0] != '-' || word[1] == '\0' || strcmp(word, "--") == 0)
        return wrong(why, "\"%.200s\" is no flag, and there are no other arguments", word);
    const char *name = word + (word[1] == '-' ? 2 : 1);
    size_t len = strcspn(name, "=");
    if (is_word(name, len, "help") || is_word(name, len, "h"))
        return CTS_FLAGS_HELP;
    if (is_word(name, len, "version"))
        return CTS_FLAGS_VERSION;
    enum cts_flag flag;
    if (!find_flag(name, len, &flag))
        return wrong(why, "unknown flag %.200s", word);
    const char *value = name[len] == '=' ? name + len + 1 : argv[(*at)++];
    if (value == NULL)
        return wrong(why, "%.200s needs a value; \"\" switches it off", word);
    flags->values[flag] = strcmp(value, "\"\"") == 0 ? "" : value;
    flags->given[flag] = true;
    return CTS_FLAGS_RUN;
}

enum cts_flags_result cts_flags_parse(int argc, char **argv, struct cts_flags *out, char why[static CTS_WHY_SIZE])
{
    struct cts_flags flags = { 0 };
    for (enum cts_flag flag = 0; flag < CTS_FLAGS; flag++)
        flags.values[flag] = rows[flag].fallback;
    for (int at = 1; at < argc;) {
        enum cts_flags_result result = take_flag(argv, &at, &flags, why);
        if (result != CTS_FLAGS_RUN)
            return result;
    }
    if ((*flags.values[CTS_DOH_CERT] != '\0') != (*flags.values[CTS_DOH_CERT_KEY] != '\0'))
        return wrong(why, "-doh-cert and -doh-cert-key go together");
    if (!flags.given[CTS_DOH] && *flags.values[CTS_DOH_CERT] == '\0')
        flags.values[CTS_DOH] = "";
    *out = flags;
    return CTS_FLAGS_RUN;
}

void cts_flags_help(struct buf *out)
{
    for (enum cts_flag flag = 0; flag < CTS_FLAGS; flag++) {
        buf_printf(out, "  -%-13s %-7s  %s", rows[flag].text, rows[flag].value, rows[flag].help);
        if (rows[flag].fallback[0] != '\0')
            buf_printf(out, " (%s)", rows[flag].fallback);
        buf_char(out, '\n');
    }
}
