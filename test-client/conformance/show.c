/* An exchange as a person reads it. */
#include "test-client/conformance/inside.h"

#include "base/encode.h"

enum { SHOWN_BODY_MAX = 6000, ARENA_MAX = 4 << 20 };

/* The length of the UTF-8 sequence that begins here, 0 when none does. */
static size_t sequence_len(const uint8_t *at)
{
    size_t len = *at < 0x80                  ? 1
                 : *at >= 0xC2 && *at < 0xE0 ? 2
                 : (*at & 0xF0) == 0xE0      ? 3
                 : *at >= 0xF0 && *at < 0xF5 ? 4
                                             : 0;
    for (size_t i = 1; i < len; i++) {
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    }
    return len;
}

/* What is shown goes into JSON and XML as well. */
static void keep_utf8(char *text)
{
    for (char *at = text; *at != '\0';) {
        size_t len = sequence_len((const uint8_t *)at);
        if (len == 0)
            *at = '?';
        at += len > 0 ? len : 1;
    }
}

static void show_text(struct buf *out, const char *text, size_t len)
{
    AUTO(arena) arena = arena_create(ARENA_MAX);
    char *copy =
        arena != NULL ? arena_text_of(arena, bytes_of(text, len < SHOWN_BODY_MAX ? len : SHOWN_BODY_MAX)) : NULL;
    if (copy != NULL) {
        keep_utf8(copy);
        tc_print_harmless(out, copy);
    }
    if (len > SHOWN_BODY_MAX)
        buf_text(out, " …");
    buf_char(out, '\n');
}

/* Keeps the lines of a body. */
static void show_lines(struct buf *out, const char *prefix, const struct buf *body)
{
    const char *at = buf_str(body), *end = at + (body->len < SHOWN_BODY_MAX ? body->len : SHOWN_BODY_MAX);
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop != NULL ? stop : end) - at);
        buf_text(out, prefix);
        show_text(out, at, len);
        at += len + 1;
    }
}

static void show_part(struct buf *out, const json_t *jws, const char *member)
{
    AUTO(arena) arena = arena_create(ARENA_MAX);
    const char *text = json_member_text(jws, member);
    struct bytes decoded;
    buf_printf(out, "    > %-9s ", member);
    if (text == NULL)
        buf_text(out, "(none)\n");
    else if (strcmp(member, "signature") != 0 && arena != NULL && b64url_decode(arena, bytes_text(text), &decoded))
        show_text(out, (const char *)decoded.data, decoded.len);
    else
        show_text(out, text, strlen(text));
}

static void show_sent(const struct cf *cf, struct buf *out)
{
    char why[JSON_WHY_SIZE];
    struct bytes sent = tc_session_sent(cf->inside->session);
    AUTO_TYPE(json_t) jws = json_read_object(sent, why);
    buf_printf(out, "    > Content-Type: %s\n", cf->inside->content_type);
    if (jws == NULL || json_object_get(jws, "protected") == NULL) {
        buf_text(out, "    > ");
        show_text(out, (const char *)sent.data, sent.len);
        return;
    }
    show_part(out, jws, "protected");
    show_part(out, jws, "payload");
    show_part(out, jws, "signature");
    const char *key;
    json_t *value;
    json_object_foreach (jws, key, value) {
        if (strcmp(key, "protected") != 0 && strcmp(key, "payload") != 0 && strcmp(key, "signature") != 0)
            buf_printf(out, "    > and a member \"%s\"\n", key);
    }
}

void cf_show_exchange(const struct cf *cf, struct buf *out)
{
    const struct cf_inside *inside = cf->inside;
    if (inside->method == NULL)
        return;
    buf_printf(out, "    > %s %s\n", inside->method, inside->url);
    if (inside->signed_post)
        show_sent(cf, out);
    if (cf->answer == NULL) {
        buf_text(out, "    < no answer\n");
        return;
    }
    buf_printf(out, "    < HTTP status %d\n", cf->answer->status);
    const char *at = buf_str(&cf->answer->headers), *end = at + cf->answer->headers.len;
    for (; at < end; at += strlen(at) + 1) {
        buf_text(out, "    < ");
        show_text(out, at, strlen(at));
    }
    show_lines(out, "    < ", &cf->answer->body);
}
