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

/* What a character stands for, plus one; 0 for the others. */
static const uint8_t b64url_values[UINT8_MAX + 1] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};
static const uint8_t hex_values[UINT8_MAX + 1] = {
    ['0'] = 1, ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9, ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
};

static bool decode(struct arena *arena, struct bytes text, unsigned bits, const uint8_t *values, struct bytes *out)
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
        unsigned digit = values[text.data[i]];
        TRY(digit != 0);
        window = window << bits | (digit - 1);
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
    return decode(arena, text, 6, b64url_values, out);
}

bool hex_decode(struct arena *arena, struct bytes text, struct bytes *out)
{
    return decode(arena, text, 4, hex_values, out);
}

struct bytes b64url_trim_padding(struct bytes text)
{
    for (int i = 0; i < 2 && text.len > 0 && text.data[text.len - 1] == '='; i++)
        text.len--;
    return text;
}
