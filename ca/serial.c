#include "ca/ca.h"

#include "base/encode.h"

enum { TIME_BYTES = 6 };
/* The first byte decides the sign and whether DER pads (X.690 §8.3): 1 from November 2004 on, 127 in the year 6429. */
#define FIRST_MS (INT64_C(1) << 40)
#define LAST_MS  ((INT64_C(1) << 47) - 1)

void ca_make_serial(const struct world *world, char out_hex[static CA_SERIAL_TEXT_SIZE])
{
    uint8_t raw[CA_SERIAL_BYTES];
    int64_t now = world_now_ms(world);
    now = now < FIRST_MS ? FIRST_MS : now > LAST_MS ? LAST_MS : now;
    for (int i = 0; i < TIME_BYTES; i++)
        raw[i] = (uint8_t)(now >> 8 * (TIME_BYTES - 1 - i));
    world_random(world, raw + TIME_BYTES, sizeof raw - TIME_BYTES);
    struct buf text = BUF_OVER(out_hex, CA_SERIAL_TEXT_SIZE);
    buf_hex(&text, bytes_of(raw, sizeof raw));
    CHECK(text.len == CA_SERIAL_TEXT_SIZE - 1);
}
