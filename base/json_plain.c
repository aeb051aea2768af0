#include "base/json_plain.h"

enum { DEPTH_MAX = 4, KEY_MAX_BYTES = 63 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_space(struct bytes *in)
{
    while (in->len > 0 && is_space(in->data[0]))
        *in = bytes_of(in->data + 1, in->len - 1);
}

/* The next character that is no space, when it is this one. */
static bool take(struct bytes *in, char wanted)
{
    skip_space(in);
    TRY(in->len > 0 && in->data[0] == (uint8_t)wanted);
    *in = bytes_of(in->data + 1, in->len - 1);
    return true;
}

static bool take_string(struct bytes *in, struct bytes *out)
{
    TRY(take(in, '"'));
    const uint8_t *end = memchr(in->data, '"', in->len);
    TRY(end != NULL);
    size_t len = (size_t)(end - in->data);
    bool plain = true;
    for (size_t i = 0; i < len; i++)
        plain &= in->data[i] >= ' ' && in->data[i] <= '~' && in->data[i] != '\\';
    TRY(plain);
    *out = bytes_of(in->data, len);
    *in = bytes_of(end + 1, in->len - len - 1);
    return true;
}

static json_t *read_object(struct bytes *in, unsigned depth);

static json_t *read_value(struct bytes *in, unsigned depth)
{
    struct bytes text;
    skip_space(in);
    if (in->len > 0 && in->data[0] == '{')
        return depth < DEPTH_MAX ? read_object(in, depth + 1) : NULL;
    return take_string(in, &text) ? json_stringn_nocheck((const char *)text.data, text.len) : NULL;
}

static bool read_member(struct bytes *in, json_t *object, unsigned depth)
{
    struct bytes name;
    char key[KEY_MAX_BYTES + 1];
    TRY(take_string(in, &name) && name.len <= KEY_MAX_BYTES && take(in, ':'));
    memcpy(key, name.data, name.len);
    key[name.len] = '\0';
    TRY(json_object_get(object, key) == NULL);
    json_t *value = read_value(in, depth);
    return value != NULL && json_object_set_new_nocheck(object, key, value) == 0;
}

static json_t *read_object(struct bytes *in, unsigned depth)
{
    AUTO_TYPE(json_t) object = json_object();
    if (object == NULL || !take(in, '{'))
        return NULL;
    if (take(in, '}'))
        return TAKE(object);
    do {
        if (!read_member(in, object, depth))
            return NULL;
    } while (take(in, ','));
    return take(in, '}') ? TAKE(object) : NULL;
}

json_t *json_read_plain(struct bytes text)
{
    AUTO_TYPE(json_t) object = read_object(&text, 1);
    skip_space(&text);
    return text.len == 0 ? TAKE(object) : NULL;
}
