/* What the house knows of the outside without asking the network: time and chance. Domain code meets both only here,
 * so that a test or the lab can set the clock. A world is thread-safe. */
#pragma once

#include "base/bytes.h"

#include <pthread.h>

/* Someone who waits for a moment and must look again when the clock jumps. */
struct world_watch {
    void (*moved)(void *arg); /* on the thread that moved the clock; must not block */
    void *arg;
    struct world_watch *next; /* the world's */
};

struct world {
    void *self;
    int64_t (*now_ms)(void *self); /* milliseconds since 1970, UTC */
    void (*random)(void *self, uint8_t *out, size_t len);
    struct world_jumps *jumps; /* NULL: this clock never jumps */
};

/* The machine's clock and the kernel's random source. */
const struct world *world_real(void);

/* A clock that stands still until it is moved; chance is real. For tests. */
struct world_manual {
    _Atomic int64_t now_ms;
};
struct world world_manual(struct world_manual *clock, int64_t now_ms);

/* The machine's clock and how far it is moved, for a laboratory. */
struct world_jumps {
    _Atomic int64_t offset_ms;
    pthread_mutex_t lock; /* guards watches */
    struct world_watch *watches;
};
struct world world_movable(struct world_jumps *jumps);
/* Moves it further, backwards where by_ms is negative, and tells who watches. */
void world_move(struct world_jumps *jumps, int64_t by_ms);
/* The watch (caller's memory) must stay until world_unwatch, behind which it is not called any more. */
void world_watch(const struct world *world, struct world_watch *watch);
void world_unwatch(const struct world *world, struct world_watch *watch);

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
/* A condition whose timed waits end by that clock. */
void monotonic_cond_init(pthread_cond_t *cond);
