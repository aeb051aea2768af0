#include "base/json.h"

#include "base/clock_text.h"
#include "base/json_plain.h"
#include "base/memory.h"

#include <stdio.h>

void json_watch_memory(void)
{
    json_set_alloc_funcs(memory_take, free);
}

json_t *json_read_object(struct bytes text, char why[static JSON_WHY_SIZE])
{
    json_error_t error;
    json_t *value = json_read_plain(text);
    if (value != NULL)
        return value;
    value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL) {
        snprintf(why, JSON_WHY_SIZE, "%.120s at line %d, column %d", error.text, error.line, error.column);
        return NULL;
    }
    if (!json_is_object(value)) {
        snprintf(why, JSON_WHY_SIZE, "a JSON object is expected");
        json_decref(value);
        return NULL;
    }
    return value;
}

const char *json_member_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void line_break(struct json_out *out)
{
    if (out->indent == 0)
        return;
    buf_char(out->buf, '\n');
    for (unsigned i = 0; i < out->depth * out->indent; i++)
        buf_char(out->buf, ' ');
}

static void escaped(struct buf *buf, struct bytes value)
{
    static const char short_escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: byte, letter behind the backslash */
    buf_char(buf, '"');
    size_t from = 0;
    for (size_t i = 0; i < value.len; i++) {
        uint8_t c = value.data[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_append(buf, value.data + from, i - from);
        from = i + 1;
        size_t pair = 0;
        while (pair < sizeof short_escapes - 1 && (uint8_t)short_escapes[pair] != c)
            pair += 2;
        if (pair < sizeof short_escapes - 1)
            buf_printf(buf, "\\%c", short_escapes[pair + 1]);
        else
            buf_printf(buf, "\\u%04x", c);
    }
    if (from < value.len)
        buf_append(buf, value.data + from, value.len - from);
    buf_char(buf, '"');
}

static void member(struct json_out *out, const char *key)
{
    if (!out->first)
        buf_char(out->buf, ',');
    if (out->depth > 0)
        line_break(out);
    out->first = false;
    if (key == NULL)
        return;
    escaped(out->buf, bytes_text(key));
    buf_text(out->buf, out->indent == 0 ? ":" : ": ");
}

static void open_bracket(struct json_out *out, const char *key, char bracket)
{
    member(out, key);
    buf_char(out->buf, bracket);
    out->depth++;
    out->first = true;
}

static void close_bracket(struct json_out *out, char bracket)
{
    CHECK(out->depth > 0);
    out->depth--;
    if (!out->first)
        line_break(out);
    buf_char(out->buf, bracket);
    out->first = false;
}

void json_out_object(struct json_out *out, const char *key)
{
    open_bracket(out, key, '{');
}

void json_out_end_object(struct json_out *out)
{
    close_bracket(out, '}');
}

void json_out_array(struct json_out *out, const char *key)
{
    open_bracket(out, key, '[');
}

void json_out_end_array(struct json_out *out)
{
    close_bracket(out, ']');
}

void json_out_bytes(struct json_out *out, const char *key, struct bytes value)
{
    member(out, key);
    escaped(out->buf, value);
}

void json_out_text(struct json_out *out, const char *key, const char *value)
{
    json_out_bytes(out, key, bytes_text(value));
}

void json_out_texts(struct json_out *out, const char *key, const char *const *values, size_t count)
{
    json_out_array(out, key);
    for (size_t i = 0; i < count; i++)
        json_out_text(out, NULL, values[i]);
    json_out_end_array(out);
}

void json_out_int(struct json_out *out, const char *key, int64_t value)
{
    member(out, key);
    buf_printf(out->buf, "%lld", (long long)value);
}

void json_out_bool(struct json_out *out, const char *key, bool value)
{
    json_out_raw(out, key, value ? "true" : "false");
}

void json_out_null(struct json_out *out, const char *key)
{
    json_out_raw(out, key, "null");
}

void json_out_time(struct json_out *out, const char *key, int64_t ms)
{
    char text[TIME_TEXT_SIZE];
    time_text(ms, text);
    json_out_text(out, key, text);
}

void json_out_raw(struct json_out *out, const char *key, const char *json)
{
    member(out, key);
    buf_text(out->buf, json);
}
