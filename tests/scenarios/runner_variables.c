/* Variables: those that commands and `set` leave, and those that are read from the last answer. */
#include "tests/scenarios/runner.h"

#include "base/clock_text.h"
#include "base/encode.h"
#include "base/world.h"

#include <regex.h>
#include <stdarg.h>
#include <stdio.h>

static const char acme_error[] = "urn:ietf:params:acme:error:";

bool variable_set(struct scenario *s, const char *name, const char *value)
{
    char *copy = strdup(value);
    if (copy != NULL && text_map_put(s->variables, bytes_text(name), copy))
        return true;
    free(copy);
    return fail(s, "out of memory or variables");
}

bool variable_setf(struct scenario *s, const char *value, const char *format, ...)
{
    char name[128];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    return variable_set(s, name, value);
}

/* ---- of the last answer */

static const json_t *json_step(const json_t *value, const char *step)
{
    char *end;
    size_t index = strtoul(step, &end, 10);
    return json_is_array(value) && *end == '\0' ? json_array_get(value, index) : json_object_get(value, step);
}

static void write_json(const json_t *value, struct buf *out)
{
    AUTO_TYPE(char) text = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    buf_text(out, json_is_string(value) ? json_string_value(value) : text != NULL ? text : "");
}

/* "a.0.b" into an object; a last step "#" counts. */
static bool json_get(struct bytes object, const char *path, struct buf *out)
{
    char why[JSON_WHY_SIZE], step[128];
    AUTO_TYPE(json_t) root = json_read_object(object, why);
    const json_t *value = root;
    while (value != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        snprintf(step, sizeof step, "%.*s", (int)len, path);
        path += len + (path[len] == '.');
        if (strcmp(step, "#") == 0) {
            buf_printf(out, "%zu", json_array_size(value));
            return json_is_array(value);
        }
        value = json_step(value, step);
    }
    if (value != NULL)
        write_json(value, out);
    return value != NULL;
}

static bool body_get(struct scenario *s, const char *path, struct buf *out)
{
    return json_get(buf_bytes(&s->last.body), path, out);
}

static bool output_get(struct scenario *s, const char *path, struct buf *out)
{
    const char *output = text_map_get(s->variables, bytes_text("output"));
    return output != NULL && json_get(bytes_text(output), path, out);
}

static bool status_get(struct scenario *s, const char *rest, struct buf *out)
{
    (void)rest;
    buf_printf(out, "%d", s->last.status);
    return s->last.status != 0;
}

static bool problem_get(struct scenario *s, const char *rest, struct buf *out)
{
    (void)rest;
    AUTO_BUF(type, VALUE_MAX);
    TRY(body_get(s, "type", &type));
    bool ours = strncmp(buf_str(&type), acme_error, sizeof acme_error - 1) == 0;
    buf_text(out, buf_str(&type) + (ours ? sizeof acme_error - 1 : 0));
    return true;
}

static bool detail_get(struct scenario *s, const char *rest, struct buf *out)
{
    (void)rest;
    return body_get(s, "detail", out);
}

static bool whole_body_get(struct scenario *s, const char *rest, struct buf *out)
{
    (void)rest;
    buf_append(out, s->last.body.data, s->last.body.len);
    return true;
}

static bool encoded_body_get(struct scenario *s, const char *rest, struct buf *out)
{
    (void)rest;
    buf_b64url(out, buf_bytes(&s->last.body));
    return true;
}

/* All headers of that name, with ", " between. */
static bool header_get(struct scenario *s, const char *name, struct buf *out)
{
    const char *value;
    for (unsigned i = 0; (value = tc_answer_header(&s->last, name, i)) != NULL; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", value);
    return tc_answer_header(&s->last, name, 0) != NULL;
}

/* The target of the first link with that relation. */
static bool link_get(struct scenario *s, const char *relation, struct buf *out)
{
    const char *target = tc_answer_link(&s->last, s->arena, relation, 0);
    if (target != NULL)
        buf_text(out, target);
    return target != NULL;
}

/* The last URL that the detail names, up to a blank. */
static bool detail_url_get(struct scenario *s, const char *rest, struct buf *out)
{
    AUTO_BUF(detail, VALUE_MAX);
    const char *url = NULL;
    TRY(detail_get(s, rest, &detail));
    for (const char *at = buf_str(&detail); (at = strstr(at, "https://")) != NULL; at++)
        url = at;
    TRY(url != NULL);
    buf_append(out, url, strcspn(url, " "));
    return true;
}

static int64_t moment(int64_t ms, const char *later)
{
    char unit = 's';
    int amount = 0;
    sscanf(later, "%d%c", &amount, &unit);
    int64_t second = unit == 'd' ? 86400 : unit == 'h' ? 3600 : unit == 'm' ? 60 : 1;
    return ms + amount * second * 1000;
}

static bool write_moment(int64_t ms, const char *later, struct buf *out)
{
    char text[TIME_TEXT_SIZE];
    time_text(moment(ms, later), text);
    buf_text(out, text);
    return true;
}

/* now, now+30d, now-1h: by the server's clock */
static bool now_get(struct scenario *s, const char *rest, struct buf *out)
{
    return write_moment(world_now_ms(world_real()) + s->offset_ms, rest, out);
}

/* seconds+1h: the same as a number, for persistUntil */
static bool seconds_get(struct scenario *s, const char *rest, struct buf *out)
{
    buf_printf(out, "%lld", (long long)(moment(world_now_ms(world_real()) + s->offset_ms, rest) / 1000));
    return true;
}

/* retry, retry-2s: the moment that a refusal named */
static bool retry_get(struct scenario *s, const char *rest, struct buf *out)
{
    static const char before[] = "retry after ";
    AUTO_TYPE(json_t) body = json_read_object(buf_bytes(&s->last.body), (char[JSON_WHY_SIZE]) { 0 });
    const char *detail = body != NULL ? json_member_text(body, "detail") : NULL;
    const char *at = detail != NULL ? strstr(detail, before) : NULL;
    char text[TIME_TEXT_SIZE];
    int64_t ms;
    TRY(at != NULL);
    snprintf(text, sizeof text, "%.10sT%.8sZ", at + strlen(before), at + strlen(before) + 11);
    return time_parse(text, &ms) && write_moment(ms, rest, out);
}

static const struct {
    const char *prefix;
    bool open; /* more follows the prefix */
    bool (*get)(struct scenario *s, const char *rest, struct buf *out);
} readers[] = {
    { "status", false, status_get },   { "problem", false, problem_get },
    { "detail", false, detail_get },   { "body.", true, body_get },
    { "body", false, whole_body_get }, { "header.", true, header_get },
    { "now", true, now_get },          { "link.", true, link_get },
    { "output.", true, output_get },   { "body64", false, encoded_body_get },
    { "retry", true, retry_get },      { "detail.url", false, detail_url_get },
    { "seconds", true, seconds_get },
};

bool variable_get(struct scenario *s, const char *name, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        size_t len = strlen(readers[i].prefix);
        if (strncmp(name, readers[i].prefix, len) == 0 && (readers[i].open || name[len] == '\0'))
            return readers[i].get(s, name + len, out);
    }
    const char *value = text_map_get(s->variables, bytes_text(name));
    if (value != NULL)
        buf_text(out, value);
    return value != NULL;
}

bool play_set(struct scenario *s, words w, size_t count)
{
    (void)count;
    return variable_set(s, w[0], w[1]);
}

/* ---- expect NAME OPERATOR VALUE */

static bool is_equal(const char *left, const char *right)
{
    return strcmp(left, right) == 0;
}

static bool is_other(const char *left, const char *right)
{
    return strcmp(left, right) != 0;
}

static bool has(const char *left, const char *right)
{
    return strstr(left, right) != NULL;
}

static bool has_not(const char *left, const char *right)
{
    return strstr(left, right) == NULL;
}

static bool matches(const char *left, const char *right)
{
    regex_t pattern;
    if (regcomp(&pattern, right, REG_EXTENDED | REG_NOSUB) != 0)
        return false;
    bool found = regexec(&pattern, left, 0, NULL, 0) == 0;
    regfree(&pattern);
    return found;
}

/* So are times. */
static bool is_before(const char *left, const char *right)
{
    return strcmp(left, right) < 0;
}

static bool is_behind(const char *left, const char *right)
{
    return strcmp(left, right) > 0;
}

static const struct {
    const char *text;
    bool (*holds)(const char *left, const char *right);
} operators[] = {
    { "==", is_equal }, { "!=", is_other }, { "~", has },       { "!~", has_not },
    { "=~", matches },  { "<", is_before }, { ">", is_behind },
};

static bool expect_presence(struct scenario *s, const char *name, const char *wanted)
{
    AUTO_BUF(value, VALUE_MAX);
    bool there = variable_get(s, name, &value), absent = strcmp(wanted, "absent") == 0;
    if (!absent && strcmp(wanted, "present") != 0)
        return fail(s, "expect NAME present, or absent, or an operator and a value");
    return there != absent || fail(s, "%s is %s", name, there ? buf_str(&value) : "absent");
}

bool play_expect(struct scenario *s, words w, size_t count)
{
    if (count == 2)
        return expect_presence(s, w[0], w[1]);
    AUTO_BUF(value, VALUE_MAX);
    if (!variable_get(s, w[0], &value))
        return fail(s, "there is no %s", w[0]);
    s->refused &= strcmp(w[0], "status") != 0 && strcmp(w[0], "problem") != 0 && strcmp(w[0], "exit") != 0;
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        if (strcmp(operators[i].text, w[1]) == 0)
            return operators[i].holds(buf_str(&value), w[2]) ||
                   fail(s, "%s is \"%s\", expected %s \"%s\"", w[0], buf_str(&value), w[1], w[2]);
    }
    return fail(s, "there is no operator \"%s\"", w[1]);
}
