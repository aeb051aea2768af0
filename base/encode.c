#include "base/encode.h"

static const char b64url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char hex_alphabet[] = "0123456789abcdef";
static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char base32hex_alphabet[] = "0123456789abcdefghijklmnopqrstuv";

/* Writes `bytes` in groups of `bits` bits from the top; the last group is filled with zero bits. */
static void buf_encode(struct buf *buf, struct bytes bytes, unsigned bits, const char *alphabet)
{
    size_t len = (bytes.len * 8 + bits - 1) / bits;
    if (!buf_reserve(buf, len))
        return;
    uint32_t window = 0;
    unsigned held = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        window = window << 8 | bytes.data[i];
        held += 8;
        while (held >= bits) {
            held -= bits;
            buf->data[buf->len++] = alphabet[window >> held & ((1U << bits) - 1)];
        }
    }
    if (held > 0)
        buf->data[buf->len++] = alphabet[window << (bits - held) & ((1U << bits) - 1)];
    buf->data[buf->len] = '\0';
}

void buf_b64url(struct buf *buf, struct bytes bytes)
{
    buf_encode(buf, bytes, 6, b64url_alphabet);
}

void buf_hex(struct buf *buf, struct bytes bytes)
{
    buf_encode(buf, bytes, 4, hex_alphabet);
}

void buf_base32(struct buf *buf, struct bytes bytes)
{
    buf_encode(buf, bytes, 5, base32_alphabet);
}

void buf_base32hex(struct buf *buf, struct bytes bytes)
{
    buf_encode(buf, bytes, 5, base32hex_alphabet);
}

static char *arena_encode(struct arena *arena, struct bytes bytes, void (*encode)(struct buf *, struct bytes))
{
    AUTO_BUF(text, bytes.len * 2 + 1);
    encode(&text, bytes);
    return text.failed ? NULL : arena_text(arena, buf_str(&text));
}

char *arena_b64url(struct arena *arena, struct bytes bytes)
{
    return arena_encode(arena, bytes, buf_b64url);
}

char *arena_hex(struct arena *arena, struct bytes bytes)
{
    return arena_encode(arena, bytes, buf_hex);
}

static int b64url_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(struct arena *arena, struct bytes text, unsigned bits, int (*value)(uint8_t), struct bytes *out)
{
    size_t len = text.len * bits / 8;
    if (text.len * bits % 8 >= bits)
        return false;
    uint8_t *data = arena_alloc(arena, len + 1);
    TRY(data != NULL);
    uint32_t window = 0;
    unsigned held = 0;
    size_t written = 0;
    for (size_t i = 0; i < text.len; i++) {
        int digit = value(text.data[i]);
        TRY(digit >= 0);
        window = window << bits | (uint32_t)digit;
        held += bits;
        if (held >= 8) {
            held -= 8;
            data[written++] = (uint8_t)(window >> held);
        }
    }
    TRY((window & ((1U << held) - 1)) == 0);
    *out = bytes_of(data, len);
    return true;
}

bool b64url_decode(struct arena *arena, struct bytes text, struct bytes *out)
{
    return decode(arena, text, 6, b64url_value, out);
}

bool hex_decode(struct arena *arena, struct bytes text, struct bytes *out)
{
    return decode(arena, text, 4, hex_value, out);
}

struct bytes b64url_trim_padding(struct bytes text)
{
    for (int i = 0; i < 2 && text.len > 0 && text.data[text.len - 1] == '='; i++)
        text.len--;
    return text;
}
