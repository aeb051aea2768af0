/* DNS over TLS (RFC 7858) for a libunbound that was built without it, as Debian's is: a door on loopback that takes DNS
 * over TCP and carries it to one server inside TLS. Everything runs on the loop's thread. */
#pragma once

#include "validators/address.h"

#include <uv.h>

enum { VAL_RELAY_NAME_SIZE = 254, VAL_RELAY_WHY_SIZE = 160 };

struct val_relay_target {
    struct val_address address;
    uint16_t port;
    char name[VAL_RELAY_NAME_SIZE]; /* that the certificate must have and a root of the system vouch for; "": any */
};

struct val_relay;
MUST_USE bool val_relay_open(uv_loop_t *loop, const struct val_relay_target *target, struct val_relay **out);
void val_relay_close(struct val_relay *relay); /* ends its handles; NULL does nothing */
void val_relay_drop(struct val_relay *relay);  /* frees it, after the loop has run its close callbacks */
DEFINE_DROP(val_relay, val_relay_drop)

uint16_t val_relay_port(const struct val_relay *relay);
const char *val_relay_why(const struct val_relay *relay); /* why the last connection failed; "" when none did */
