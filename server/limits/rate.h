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
enum { RATE_TEXT_SIZE = 48 };
void rate_text(const struct rate *rate, char out[static RATE_TEXT_SIZE]); /* the way back, in the largest unit */

struct rate_verdict {
    bool allowed;
    int64_t tat_us;      /* to store when it is spent; when refused, as it was */
    int64_t retry_in_us; /* how long until the same would pass; 0 when allowed */
    int64_t remaining;   /* how many more would pass at once, after this one */
};
/* A bucket never seen has tat 0. `cost` 0 only looks. A TAT further ahead than spending can bring it, from before the
 * clock was put back or the rate was lowered, is that of an empty bucket; a refusal then gives the mended one. */
struct rate_verdict rate_ask(const struct rate *rate, int64_t tat_us, int64_t now_us, int64_t cost);
/* The TAT under another rate: as many are spent as before. */
int64_t rate_convert(const struct rate *from, const struct rate *to, int64_t tat_us, int64_t now_us);
