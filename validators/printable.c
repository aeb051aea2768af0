#include "validators/printable.h"

/* Returns how many characters stand for the byte, at most 4. */
static size_t put(uint8_t c, char out[static 4])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    if (c == '"' || c == '\\')
        *p++ = '\\';
    if (c >= 0x20 && c < 0x7f) {
        *p++ = (char)c;
        return (size_t)(p - out);
    }
    *p++ = '\\';
    *p++ = 'x';
    *p++ = digits[c >> 4];
    *p++ = digits[c & 15];
    return (size_t)(p - out);
}

static const char dots[] = "...";

void val_printable_long(struct bytes bytes, char *out, size_t size)
{
    char one[4];
    size_t used = 0;
    CHECK(size >= sizeof dots);
    for (size_t i = 0; i < bytes.len; i++) {
        size_t len = put(bytes.data[i], one);
        if (used + len + sizeof dots > size) {
            memcpy(out + used, dots, sizeof dots);
            return;
        }
        memcpy(out + used, one, len);
        used += len;
    }
    out[used] = '\0';
}

const char *val_printable(struct bytes bytes, char out[static VAL_SHOWN_SIZE])
{
    size_t shown = bytes.len < VAL_SHOWN_BYTES ? bytes.len : VAL_SHOWN_BYTES;
    val_printable_long(bytes_of(bytes.data, shown), out, VAL_SHOWN_SIZE);
    if (shown < bytes.len)
        memcpy(out + strlen(out), dots, sizeof dots);
    return out;
}
