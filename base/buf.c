#include "base/buf.h"

#include "base/memory.h"

#include <stdio.h>

enum { BUF_FIRST_BYTES = 256 };

void buf_free(struct buf *buf)
{
    free(buf->data);
    *buf = BUF_INIT(buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

static bool buf_fail(struct buf *buf)
{
    buf->failed = true;
    return false;
}

bool buf_reserve(struct buf *buf, size_t more)
{
    if (buf->failed || more > buf->max - buf->len)
        return buf_fail(buf);
    size_t need = buf->len + more + 1;
    if (need <= buf->cap)
        return true;
    size_t cap = buf->cap != 0 ? buf->cap : BUF_FIRST_BYTES;
    while (cap < need)
        cap *= 2;
    char *data = memory_resize(buf->data, cap);
    if (data == NULL)
        return buf_fail(buf);
    buf->data = data;
    buf->cap = cap;
    return true;
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    if (!buf_reserve(buf, len))
        return;
    if (len > 0)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void buf_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_char(struct buf *buf, char c)
{
    buf_append(buf, &c, 1);
}

/* Most texts fit where there is room already, and are written once. */
void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    if (!buf_reserve(buf, 0))
        return;
    va_list again;
    va_copy(again, args);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(buf->data + buf->len, room, format, args);
    if (len >= 0 && buf_reserve(buf, (size_t)len)) {
        if ((size_t)len >= room)
            vsnprintf(buf->data + buf->len, (size_t)len + 1, format, again);
        buf->len += (size_t)len;
    }
    buf->data[buf->len] = '\0';
    va_end(again);
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

const char *buf_str(const struct buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}

char *buf_take(struct buf *buf, size_t *out_len)
{
    if (buf->failed || !buf_reserve(buf, 0))
        return NULL;
    buf->data[buf->len] = '\0';
    *out_len = buf->len;
    char *data = TAKE(buf->data);
    *buf = BUF_INIT(buf->max);
    return data;
}
