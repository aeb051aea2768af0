/* The arithmetic of one rate limit: GCRA, a token bucket kept as one number, its theoretical arrival time (TAT), the
 * moment at which it will be full again. Pure functions; times in microseconds since 1970. */
#pragma once

#include "base/macros.h"

struct rate {
    int64_t count;     /* as many at once, and in the long run in each period; 0: no limit */
    int64_t period_us; /* 1 or more */
};

/* "300/3h", "50/7d", "5/1h", or "off". False when it is none or does not fit. */
MUST_USE bool rate_read(const char *text, struct rate *out);

struct rate_verdict {
    bool allowed;
    int64_t tat_us;      /* to store when it is spent; unchanged when refused */
    int64_t retry_in_us; /* how long until the same would pass; 0 when allowed */
    int64_t remaining;   /* how many more would pass at once, after this one */
};
/* A bucket never seen has tat 0. `cost` 0 only looks. */
struct rate_verdict rate_ask(const struct rate *rate, int64_t tat_us, int64_t now_us, int64_t cost);
