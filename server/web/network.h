/* IP networks: an address with how many of its leading bits count. IPv4 is held as IPv4-mapped IPv6. */
#pragma once

#include "base/macros.h"

enum { NETWORK_ADDRESS_BYTES = 16 };

struct network {
    uint8_t address[NETWORK_ADDRESS_BYTES];
    unsigned bits; /* of 128 */
};

/* "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". False when it is none or has bits set behind its length. */
MUST_USE bool network_read(const char *text, struct network *out);
/* True when the address (as text) lies in the network. */
bool network_holds(const struct network *network, const char *address);
