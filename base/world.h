/* What the house knows of the outside without asking the network: time and chance. Domain code meets both only here,
 * so that a test or the lab can set the clock. A world is thread-safe. */
#pragma once

#include "base/bytes.h"

struct world {
    void *self;
    int64_t (*now_ms)(void *self); /* milliseconds since 1970, UTC */
    void (*random)(void *self, uint8_t *out, size_t len);
};

/* The machine's clock and the kernel's random source. */
const struct world *world_real(void);

/* A clock that stands still until it is moved; chance is real. For tests. */
struct world_manual {
    _Atomic int64_t now_ms;
};
struct world world_manual(struct world_manual *clock, int64_t now_ms);

static inline int64_t world_now_ms(const struct world *world)
{
    return world->now_ms(world->self);
}

static inline void world_random(const struct world *world, uint8_t *out, size_t len)
{
    world->random(world->self, out, len);
}

/* Object ids: 48 bits of time and 80 random bits as 26 base32hex characters in lower case, so that ids sort by the
 * millisecond they were made in. */
enum { ID_SIZE = 27 };
void world_make_id(const struct world *world, char out[static ID_SIZE]);

/* A monotonic clock for durations and timeouts, never shown and never stored. */
int64_t monotonic_ms(void);
