/* Reads a script line by line: words, variables in them, and the table of commands. */
#include "tests/scenarios/runner.h"

#include "test-client/file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

enum { SCRIPT_MAX = 256 << 10, WORDS_MAX = 256, LINE_ARENA_MAX = 16 << 20, SERIES_MAX = 1000, ANY = WORDS_MAX };

static const struct {
    const char *word;
    size_t least, most;
    bool (*play)(struct scenario *s, words w, size_t count);
} commands[] = {
    { "server", 1, ANY, play_server },
    { "log", 2, 2, play_log },
    { "set", 2, 2, play_set },
    { "expect", 2, 3, play_expect },
    { "key", 2, 2, play_key },
    { "client", 1, 2, play_client },
    { "account", 1, ANY, play_account },
    { "post", 2, ANY, play_post },
    { "request", 2, ANY, play_request },
    { "binding", 3, ANY, play_binding },
    { "order", 3, ANY, play_order },
    { "authorization", 3, 4, play_authorization },
    { "answer", 1, 5, play_answer },
    { "start", 1, 2, play_start },
    { "wait", 2, 3, play_wait },
    { "finalize", 1, ANY, play_finalize },
    { "certificate", 1, 1, play_certificate },
    { "verify", 1, 2, play_verify },
    { "issue", 3, ANY, play_issue },
    { "key-change", 2, ANY, play_key_change },
    { "dns", 2, ANY, play_dns },
    { "target", 2, 2, play_target },
    { "connect", 1, 3, play_connect },
    { "crowd", 4, 4, play_crowd },
    { "secure", 1, 2, play_secure },
    { "hello", 1, 2, play_hello },
    { "send", 2, 3, play_send },
    { "drip", 2, 2, play_drip },
    { "stall", 1, 1, play_stall },
    { "sip", 2, 2, play_sip },
    { "pipeline", 5, 5, play_pipeline },
    { "receive", 2, 2, play_receive },
    { "abandon", 4, 4, play_abandon },
    { "receiver", 2, 4, play_receiver },
    { "files", 1, 1, play_files },
    { "admin", 1, ANY, play_admin },
    { "clock", 1, 2, play_clock },
};

bool fail(struct scenario *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    AUTO_BUF(text, VALUE_MAX);
    buf_vprintf(&text, format, args);
    va_end(args);
    printf("%s:%u: %s\n", s->script, s->line, buf_str(&text));
    if (s->last.status != 0)
        printf("    the last answer: status %d, %.2000s\n", s->last.status, buf_str(&s->last.body));
    return false;
}

/* ---- one line */

struct line {
    struct scenario *s;
    struct arena *arena;
    char *words[WORDS_MAX + 1];
    size_t count;
};

static bool add_word(struct line *line, const char *word)
{
    if (line->count == WORDS_MAX)
        return fail(line->s, "a line has at most %d words", WORDS_MAX);
    line->words[line->count] = arena_text(line->arena, word);
    return line->words[line->count++] != NULL || fail(line->s, "out of memory");
}

/* "n[1-3].test" is "n1.test n2.test n3.test". */
static bool add_series(struct line *line, const char *word)
{
    const char *open = strchr(word, '[');
    unsigned first, last;
    int len = 0;
    if (open == NULL || sscanf(open, "[%u-%u]%n", &first, &last, &len) != 2 || len == 0)
        return add_word(line, word);
    if (last - first >= SERIES_MAX)
        return fail(line->s, "\"%s\" is too long a series", word);
    for (unsigned i = first; i <= last; i++) {
        AUTO_BUF(one, VALUE_MAX);
        buf_printf(&one, "%.*s%u%s", (int)(open - word), word, i, open + len);
        TRY(add_word(line, buf_str(&one)));
    }
    return true;
}

static bool substitute(struct line *line, const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;
    for (const char *at = text; at < end; at++) {
        const char *close = at[0] == '$' && at[1] == '{' ? memchr(at, '}', (size_t)(end - at)) : NULL;
        if (close == NULL) {
            buf_char(out, *at);
            continue;
        }
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)(close - at - 2), at + 2);
        if (!variable_get(line->s, name, out))
            return fail(line->s, "there is no ${%s}", name);
        at = close;
    }
    return !out->failed || fail(line->s, "a word is too long");
}

/* A quote that opens a word or stands behind its first '=' keeps blanks together. */
static size_t word_len(const char *text)
{
    bool quoted = false;
    size_t len = 0;
    for (; text[len] != '\0' && (quoted || !isspace((unsigned char)text[len])); len++)
        quoted ^= text[len] == '\'';
    return len;
}

static bool read_word(struct line *line, const char *text, size_t len)
{
    AUTO_BUF(bare, VALUE_MAX);
    AUTO_BUF(word, VALUE_MAX);
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\'')
            buf_char(&bare, text[i]);
    }
    TRY(substitute(line, buf_str(&bare), bare.len, &word));
    return memchr(text, '\'', len) != NULL ? add_word(line, buf_str(&word)) : add_series(line, buf_str(&word));
}

static bool read_words(struct line *line, const char *text)
{
    for (;;) {
        text += strspn(text, " \t\r\n");
        if (*text == '\0' || *text == '#')
            return true;
        size_t len = word_len(text);
        TRY(read_word(line, text, len));
        text += len;
    }
}

bool command_play(struct scenario *s, words w, size_t count)
{
    const char *word = w[0];
    if (s->refused && strcmp(word, "expect") != 0)
        return fail(s, "the request before this line was refused, and no line expects it");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i].word, word) != 0)
            continue;
        if (count - 1 < commands[i].least || count - 1 > commands[i].most)
            return fail(s, "\"%s\" takes %zu to %zu words", word, commands[i].least, commands[i].most);
        return commands[i].play(s, w + 1, count - 1);
    }
    return fail(s, "there is no command \"%s\"", word);
}

/* repeat TIMES COMMAND …: its words are read once. */
static bool run_line(struct scenario *s, struct line *line)
{
    bool repeated = line->count > 2 && strcmp(line->words[0], "repeat") == 0;
    size_t skip = repeated ? 2 : 0;
    for (unsigned long left = repeated ? strtoul(line->words[1], NULL, 10) : 1; left > 0; left--)
        TRY(command_play(s, line->words + skip, line->count - skip));
    return true;
}

static bool play_line(struct scenario *s, const char *text)
{
    AUTO(arena) arena = arena_create(LINE_ARENA_MAX);
    struct line line = { .s = s, .arena = arena };
    if (arena == NULL)
        return fail(s, "out of memory");
    if (s->verbose)
        printf("%4u  %s\n", s->line, text);
    return read_words(&line, text) && (line.count == 0 || run_line(s, &line));
}

/* ---- the script */

/* A backslash at the end of a line joins the next one to it; the line's number is the last one's. */
static void next_line(struct scenario *s, const char **at, struct buf *out)
{
    bool more = true;
    while (more && **at != '\0') {
        size_t len = strcspn(*at, "\n");
        more = len > 0 && (*at)[len - 1] == '\\';
        buf_append(out, *at, more ? len - 1 : len);
        *at += len + ((*at)[len] == '\n');
        s->line++;
    }
}

static bool play_lines(struct scenario *s, const char *at)
{
    while (*at != '\0') {
        AUTO_BUF(text, SCRIPT_MAX);
        next_line(s, &at, &text);
        TRY(play_line(s, buf_str(&text)));
    }
    return !s->refused || fail(s, "the last request was refused, and no line expects it");
}

bool scenario_play(struct scenario *s)
{
    char why[TC_WHY_SIZE];
    AUTO_BUF(script, SCRIPT_MAX);
    if (!tc_file_read(s->script, &script, why))
        return fail(s, "%s", why);
    if (buf_str(&script)[0] != '#')
        return fail(s, "the first line must be a comment that says what the scenario shows");
    return play_lines(s, buf_str(&script)) && daemon_stop(s) && daemon_was_sane(s);
}
