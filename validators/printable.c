#include "validators/printable.h"

#include <stdio.h>

const char *val_printable(struct bytes bytes, char out[static VAL_SHOWN_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *p = out;
    for (size_t i = 0; i < bytes.len && i < VAL_SHOWN_BYTES; i++) {
        uint8_t c = bytes.data[i];
        if (c == '"' || c == '\\')
            *p++ = '\\';
        if (c >= 0x20 && c < 0x7f) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '\\';
        *p++ = 'x';
        *p++ = digits[c >> 4];
        *p++ = digits[c & 15];
    }
    memcpy(p, bytes.len > VAL_SHOWN_BYTES ? "..." : "", bytes.len > VAL_SHOWN_BYTES ? 4 : 1);
    return out;
}
