#include "server/log.h"

#include "base/text.h"
#include "base/clock_text.h"
#include "base/json.h"

#include <stdio.h>
#include <unistd.h>

/* A line stays below PIPE_BUF, so that lines of several processes on one pipe never mix. */
enum { LOG_LINE_MAX = 4000, LOG_VALUE_MAX = 600, LOG_EVENT_WIDTH = 20, LOG_LEVEL_WIDTH = 7 };

struct log {
    const struct world *world;
    int fd;
    enum log_level level;
    bool json;
    bool colour;
};

static const struct {
    const char *name;
    const char *colour;
} log_levels[] = {
#define X(name, text, colour) { text, colour },
    LOG_LEVEL_TABLE(X)
#undef X
};

static const struct {
    const char *name;
    enum log_level level;
} log_events[] = {
#define X(name, text, level) { text, LOG_LEVEL_##level },
    LOG_EVENT_TABLE(X)
#undef X
};

bool log_level_from_text(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(log_levels); i++)
        if (strcmp(text, log_levels[i].name) == 0) {
            *out = (enum log_level)i;
            return true;
        }
    return false;
}

bool log_format_from_text(const char *text, enum log_format *out)
{
    static const char *const names[] = {
#define X(name, text) text,
        LOG_FORMAT_TABLE(X)
#undef X
    };
    size_t i = text_index(names, ARRAY_SIZE(names), text);
    TRY(i < ARRAY_SIZE(names));
    *out = (enum log_format)i;
    return true;
}

struct log *log_open(int fd, enum log_level level, enum log_format format, const struct world *world)
{
    struct log *log = malloc(sizeof *log);
    if (log == NULL)
        return NULL;
    bool terminal = isatty(fd) == 1;
    *log = (struct log) { .world = world, .fd = fd, .level = level };
    log->json = format == LOG_FORMAT_JSON || (format == LOG_FORMAT_AUTO && !terminal);
    log->colour = terminal && getenv("NO_COLOR") == NULL;
    return log;
}

void log_drop(struct log *log)
{
    free(log);
}

bool log_wants(const struct log *log, enum log_event event)
{
    return log != NULL && log_events[event].level >= log->level;
}

/* What came from outside must not forge a line or steer a terminal, and can be told from its looks. */
static void log_clean(struct buf *out, const char *text)
{
    for (; *text != '\0' && out->len < LOG_VALUE_MAX; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '\\')
            buf_text(out, "\\\\");
        else if (c >= ' ' && c < 0x7f)
            buf_char(out, *text);
        else
            buf_printf(out, "\\x%02x", c);
    }
    if (*text != '\0')
        buf_text(out, "...");
}

/* RFC 3339 with milliseconds; text lines leave the date out. */
static void log_now(const struct log *log, bool date, struct buf *out)
{
    int64_t now = world_now_ms(log->world);
    char seconds[TIME_TEXT_SIZE];
    time_text(now, seconds);
    const char *from = date ? seconds : strchr(seconds, 'T') + 1;
    buf_printf(out, "%.*s.%03dZ", (int)strlen(from) - 1, from, (int)(now % 1000));
}

static void log_json(const struct log *log, enum log_event event, const struct log_field *fields, struct buf *line)
{
    AUTO_BUF(now, TIME_TEXT_SIZE);
    log_now(log, true, &now);
    struct json_out out = JSON_OUT(line, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, "time", buf_str(&now));
    json_out_text(&out, "level", log_levels[log_events[event].level].name);
    json_out_text(&out, "event", log_events[event].name);
    for (; fields->key != NULL; fields++) {
        AUTO_BUF(value, LOG_LINE_MAX);
        if (fields->type == LOG_FIELD_INT)
            json_out_int(&out, fields->key, fields->number);
        else if (fields->type == LOG_FIELD_BOOL)
            json_out_bool(&out, fields->key, fields->number != 0);
        else if (fields->text != NULL) {
            log_clean(&value, fields->text);
            json_out_text(&out, fields->key, buf_str(&value));
        }
    }
    json_out_end_object(&out);
}

static void log_text_value(struct buf *line, const char *text)
{
    AUTO_BUF(value, LOG_LINE_MAX);
    log_clean(&value, text);
    bool bare = value.len > 0 && strpbrk(buf_str(&value), " \"=") == NULL;
    if (bare) {
        buf_text(line, buf_str(&value));
        return;
    }
    buf_char(line, '"');
    for (const char *c = buf_str(&value); *c != '\0'; c++)
        buf_printf(line, "%s%c", *c == '"' ? "\\" : "", *c);
    buf_char(line, '"');
}

static void log_text(const struct log *log, enum log_event event, const struct log_field *fields, struct buf *line)
{
    log_now(log, false, line);
    enum log_level level = log_events[event].level;
    buf_printf(line, " %s%-*s%s %-*s", log->colour ? log_levels[level].colour : "", LOG_LEVEL_WIDTH,
               log_levels[level].name, log->colour ? "\033[0m" : "", fields->key != NULL ? LOG_EVENT_WIDTH : 0,
               log_events[event].name);
    for (; fields->key != NULL; fields++) {
        if (fields->type == LOG_FIELD_INT)
            buf_printf(line, " %s=%lld", fields->key, (long long)fields->number);
        else if (fields->type == LOG_FIELD_BOOL)
            buf_printf(line, " %s=%s", fields->key, fields->number != 0 ? "yes" : "no");
        else if (fields->text != NULL) {
            buf_printf(line, " %s=", fields->key);
            log_text_value(line, fields->text);
        }
    }
}

void log_write(struct log *log, enum log_event event, const struct log_field *fields)
{
    if (!log_wants(log, event))
        return;
    AUTO_BUF(line, LOG_LINE_MAX);
    if (log->json)
        log_json(log, event, fields, &line);
    else
        log_text(log, event, fields, &line);
    if (line.failed) { /* fields beyond a line's length are dropped, never the event */
        log_write(log, event, &(const struct log_field) { .key = NULL });
        return;
    }
    buf_char(&line, '\n');
    /* A log that cannot be written must not stop the server, and there is nowhere else to say so. */
    if (write(log->fd, line.data, line.len) < 0)
        return;
}
