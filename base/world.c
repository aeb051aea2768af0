#include "base/world.h"

#include "base/encode.h"

#include <sys/random.h>
#include <time.h>

enum { ID_TIME_BYTES = 6, ID_BYTES = 16 };

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    CHECK(clock_gettime(clock, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_now_ms(void *self)
{
    (void)self;
    return clock_ms(CLOCK_REALTIME);
}

static void real_random(void *self, uint8_t *out, size_t len)
{
    (void)self;
    while (len > 0) {
        ssize_t got = getrandom(out, len, 0);
        if (got <= 0)
            continue;
        out += got;
        len -= (size_t)got;
    }
}

const struct world *world_real(void)
{
    static const struct world real = { .now_ms = real_now_ms, .random = real_random };
    return &real;
}

static int64_t manual_now_ms(void *self)
{
    return ((struct world_manual *)self)->now_ms;
}

struct world world_manual(struct world_manual *clock, int64_t now_ms)
{
    clock->now_ms = now_ms;
    return (struct world) { .self = clock, .now_ms = manual_now_ms, .random = real_random };
}

/* ---- a clock that can be moved */

static int64_t moved_now_ms(void *self)
{
    return clock_ms(CLOCK_REALTIME) + ((struct world_jumps *)self)->offset_ms;
}

struct world world_movable(struct world_jumps *jumps)
{
    jumps->offset_ms = 0;
    jumps->watches = NULL;
    pthread_mutex_init(&jumps->lock, NULL);
    return (struct world) { .self = jumps, .now_ms = moved_now_ms, .random = real_random, .jumps = jumps };
}

void world_move(struct world_jumps *jumps, int64_t by_ms)
{
    jumps->offset_ms += by_ms;
    pthread_mutex_lock(&jumps->lock);
    for (struct world_watch *one = jumps->watches; one != NULL; one = one->next)
        one->moved(one->arg);
    pthread_mutex_unlock(&jumps->lock);
}

void world_watch(const struct world *world, struct world_watch *watch)
{
    struct world_jumps *jumps = world->jumps;
    if (jumps == NULL)
        return;
    pthread_mutex_lock(&jumps->lock);
    watch->next = jumps->watches;
    jumps->watches = watch;
    pthread_mutex_unlock(&jumps->lock);
}

void world_unwatch(const struct world *world, struct world_watch *watch)
{
    struct world_jumps *jumps = world->jumps;
    if (jumps == NULL)
        return;
    pthread_mutex_lock(&jumps->lock);
    for (struct world_watch **one = &jumps->watches; *one != NULL; one = &(*one)->next) {
        if (*one == watch) {
            *one = watch->next;
            break;
        }
    }
    pthread_mutex_unlock(&jumps->lock);
}

void world_make_id(const struct world *world, char out[static ID_SIZE])
{
    uint8_t raw[ID_BYTES];
    int64_t now = world_now_ms(world);
    for (int i = 0; i < ID_TIME_BYTES; i++)
        raw[i] = (uint8_t)(now >> 8 * (ID_TIME_BYTES - 1 - i));
    world_random(world, raw + ID_TIME_BYTES, sizeof raw - ID_TIME_BYTES);
    struct buf text = BUF_OVER(out, ID_SIZE);
    buf_base32hex(&text, bytes_of(raw, sizeof raw));
    CHECK(text.len == ID_SIZE - 1);
}

int64_t monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

void monotonic_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}
