#include "acme/punycode.h"

/* RFC 3492 §5 */
enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, INITIAL_BIAS = 72, INITIAL_N = 0x80 };
enum { UNICODE_MAX = 0x10ffff, SURROGATE_MIN = 0xd800, SURROGATE_MAX = 0xdfff };

static int digit_value(uint8_t c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    return c >= '0' && c <= '9' ? c - '0' + 26 : -1;
}

/* RFC 3492 §6.1 */
static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
    delta /= first ? DAMP : 2;
    delta += delta / points;
    uint32_t k = 0;
    for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
        delta /= BASE - T_MIN;
    return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* One generalized variable-length integer (§3.3) from `*at` on; moves `*at` behind it. */
static bool read_delta(struct bytes text, size_t *at, uint32_t bias, uint32_t *out)
{
    uint32_t value = 0;
    uint32_t weight = 1;
    for (uint32_t k = BASE;; k += BASE) {
        TRY(*at < text.len);
        int digit = digit_value(text.data[(*at)++]);
        TRY(digit >= 0);
        uint32_t step;
        TRY(!__builtin_mul_overflow((uint32_t)digit, weight, &step) && !__builtin_add_overflow(value, step, &value));
        uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
        if ((uint32_t)digit < t)
            break;
        TRY(!__builtin_mul_overflow(weight, BASE - t, &weight));
    }
    *out = value;
    return true;
}

static size_t basic_length(struct bytes text)
{
    size_t len = text.len;
    while (len > 0 && text.data[len - 1] != '-')
        len--;
    return len > 1 ? len - 1 : 0; /* a hyphen in front delimits nothing and is then read as a digit, which it is not */
}

bool punycode_valid(struct bytes text)
{
    size_t basic = basic_length(text);
    size_t at = basic > 0 ? basic + 1 : 0;
    TRY(at < text.len);
    uint32_t points = (uint32_t)basic;
    uint32_t n = INITIAL_N;
    uint32_t i = 0;
    for (uint32_t bias = INITIAL_BIAS; at < text.len;) {
        uint32_t delta;
        TRY(read_delta(text, &at, bias, &delta));
        points++;
        bias = adapt(delta, points, points == basic + 1);
        TRY(!__builtin_add_overflow(i, delta, &i));
        TRY(i / points <= UNICODE_MAX - n);
        n += i / points;
        i = i % points + 1;
        TRY(n < SURROGATE_MIN || n > SURROGATE_MAX);
    }
    return true;
}
