#include "server/web/network.h"

#include <arpa/inet.h>
#include <string.h>

enum { IPV4_OFFSET_BITS = 96, ALL_BITS = 128 };

static bool read_address(const char *text, uint8_t out[static NETWORK_ADDRESS_BYTES], unsigned *out_offset)
{
    static const uint8_t mapped[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    *out_offset = 0;
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memcpy(out, mapped, sizeof mapped);
    *out_offset = IPV4_OFFSET_BITS;
    return inet_pton(AF_INET, text, out + sizeof mapped) == 1;
}

static bool read_length(const char *text, unsigned most, unsigned *out)
{
    unsigned value = 0;
    size_t len = strlen(text);
    TRY(len > 0 && len <= 3);
    for (; *text != '\0'; text++) {
        TRY(*text >= '0' && *text <= '9');
        value = value * 10 + (unsigned)(*text - '0');
    }
    *out = value;
    return value <= most;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;
    TRY(memcmp(a, b, whole) == 0);
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool tail_is_zero(const struct network *network)
{
    for (unsigned bit = network->bits; bit < ALL_BITS; bit++)
        TRY((network->address[bit / 8] >> (7 - bit % 8) & 1) == 0);
    return true;
}

bool network_read(const char *text, struct network *out)
{
    char address[64];
    struct network network = { .bits = ALL_BITS };
    unsigned offset;
    size_t len = strcspn(text, "/");
    TRY(len < sizeof address);
    memcpy(address, text, len);
    address[len] = '\0';
    TRY(read_address(address, network.address, &offset));
    if (text[len] == '/') {
        TRY(read_length(text + len + 1, ALL_BITS - offset, &network.bits));
        network.bits += offset;
    }
    TRY(tail_is_zero(&network));
    *out = network;
    return true;
}

bool network_holds(const struct network *network, const char *address)
{
    uint8_t bytes[NETWORK_ADDRESS_BYTES];
    unsigned offset;
    return read_address(address, bytes, &offset) && bits_equal(network->address, bytes, network->bits);
}
