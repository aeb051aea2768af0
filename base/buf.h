/* The one growing byte buffer: a hard maximum and a sticky error, so a chain of appends is checked once, at the end.
 * Not thread-safe. `BUF_INIT(max)` starts one on the stack; AUTO_BUF frees it on every exit. */
#pragma once

#include "base/bytes.h"

#include <stdarg.h>

struct buf {
    char *data; /* NUL-terminated whenever not NULL; the NUL is not counted in len */
    size_t len;
    size_t cap;
    size_t max;  /* most bytes that len may reach */
    bool failed; /* an append did not fit or memory ran out; later appends do nothing */
};

#define BUF_INIT(most)       ((struct buf) { .max = (most) })
#define AUTO_BUF(name, most) __attribute__((cleanup(buf_free))) struct buf name = BUF_INIT(most)

/* Over `size` bytes of the caller's, NUL included: an append that fits cannot fail. Not to be freed. */
#define BUF_OVER(memory, size) ((struct buf) { .data = (memory), .cap = (size), .max = (size)-1 })

void buf_free(struct buf *buf);
void buf_clear(struct buf *buf); /* length 0, error cleared, memory kept */

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_text(struct buf *buf, const char *text);
void buf_char(struct buf *buf, char c);
void buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0);
bool buf_reserve(struct buf *buf, size_t more); /* room for `more` bytes and a NUL; false sets the sticky error */

/* The contents as a C string; "" when empty. Valid until the next append. */
const char *buf_str(const struct buf *buf);
static inline struct bytes buf_bytes(const struct buf *buf)
{
    return bytes_of(buf->data, buf->len);
}

/* Gives the malloc'ed contents to the caller (NULL when failed) and leaves the buffer empty. */
MUST_USE char *buf_take(struct buf *buf, size_t *out_len);
