/* The Link header as RFC 8288 §3 writes it: <target>; name=value; name="quoted", <target>… */
#include "test-client/answer.h"

#include <strings.h>

static void skip_space(struct bytes *rest)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = bytes_of(rest->data + 1, rest->len - 1);
}

static bool take_char(struct bytes *rest, char c)
{
    skip_space(rest);
    if (rest->len == 0 || rest->data[0] != (uint8_t)c)
        return false;
    *rest = bytes_of(rest->data + 1, rest->len - 1);
    return true;
}

/* What stands before the first of the given characters; everything when none of them comes. */
static struct bytes take_until(struct bytes *rest, const char *stops)
{
    size_t len = 0, stop_count = strlen(stops);
    while (len < rest->len && memchr(stops, rest->data[len], stop_count) == NULL)
        len++;
    struct bytes taken = bytes_of(rest->data, len);
    *rest = bytes_of(rest->data + len, rest->len - len);
    return taken;
}

/* A relation holds no quotes and no escapes, so an escaped character only has to be stepped over. */
static bool take_quoted(struct bytes *rest, struct bytes *out)
{
    size_t len = 0;
    while (len < rest->len && rest->data[len] != '"')
        len += rest->data[len] == '\\' ? 2 : 1;
    if (len >= rest->len)
        return false;
    *out = bytes_of(rest->data, len);
    *rest = bytes_of(rest->data + len + 1, rest->len - len - 1);
    return true;
}

static bool take_value(struct bytes *rest, struct bytes *out)
{
    if (take_char(rest, '"'))
        return take_quoted(rest, out);
    *out = take_until(rest, " \t;,");
    return true;
}

static bool named(struct bytes name, const char *text)
{
    return name.len == strlen(text) && strncasecmp((const char *)name.data, text, name.len) == 0;
}

static bool take_parameter(struct bytes *rest, struct tc_link *link)
{
    skip_space(rest);
    struct bytes name = take_until(rest, " \t=;,\""), value = { 0 };
    if (take_char(rest, '='))
        TRY(take_value(rest, &value));
    /* RFC 8288 §3.3: the first rel counts */
    if (named(name, "rel") && link->rel.len == 0)
        link->rel = value;
    return true;
}

bool tc_link_next(struct bytes *rest, struct tc_link *out)
{
    struct tc_link link = { 0 };
    while (take_char(rest, ',')) {
    }
    TRY(take_char(rest, '<'));
    link.target = take_until(rest, ">");
    TRY(take_char(rest, '>'));
    while (take_char(rest, ';'))
        TRY(take_parameter(rest, &link));
    skip_space(rest);
    TRY(rest->len == 0 || rest->data[0] == ',');
    *out = link;
    return true;
}

bool tc_link_is(const struct tc_link *link, const char *rel)
{
    struct bytes rest = link->rel;
    while (rest.len > 0) {
        skip_space(&rest);
        if (named(take_until(&rest, " \t"), rel))
            return true;
    }
    return false;
}

const char *tc_answer_link(const struct tc_answer *answer, struct arena *arena, const char *rel, unsigned index)
{
    const char *value;
    for (unsigned header = 0; (value = tc_answer_header(answer, "Link", header)) != NULL; header++) {
        struct bytes rest = bytes_text(value);
        for (struct tc_link link; tc_link_next(&rest, &link);) {
            if (tc_link_is(&link, rel) && index-- == 0)
                return arena_text_of(arena, link.target);
        }
    }
    return NULL;
}
