/* A borrowed view of bytes. Untrusted input travels as a view, never as a C string. The view owns nothing. */
#pragma once

#include "base/macros.h"

#include <string.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

static inline struct bytes bytes_of(const void *data, size_t len)
{
    return (struct bytes) { data, len };
}

static inline struct bytes bytes_text(const char *text)
{
    return (struct bytes) { (const uint8_t *)text, strlen(text) };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
    return bytes_equal(a, bytes_text(text));
}
