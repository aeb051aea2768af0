#include "test-client/histogram.h"

/* Values below FINE have a bucket each; above, every doubling has FINE buckets. */
static size_t bucket_of(uint64_t us)
{
    if (us < TC_HISTOGRAM_FINE)
        return us;
    unsigned shift = 63 - (unsigned)__builtin_clzll(us) - 6;
    size_t bucket = (size_t)(shift + 1) * TC_HISTOGRAM_FINE + (us >> shift) - TC_HISTOGRAM_FINE;
    return bucket < TC_HISTOGRAM_BUCKETS ? bucket : TC_HISTOGRAM_BUCKETS - 1;
}

static uint64_t bucket_top(size_t bucket)
{
    if (bucket < TC_HISTOGRAM_FINE)
        return bucket;
    unsigned shift = (unsigned)(bucket / TC_HISTOGRAM_FINE) - 1;
    return ((bucket % TC_HISTOGRAM_FINE + TC_HISTOGRAM_FINE + 1) << shift) - 1;
}

void tc_histogram_add(struct tc_histogram *histogram, uint64_t us)
{
    histogram->count++;
    histogram->buckets[bucket_of(us)]++;
    if (us > histogram->max_us)
        histogram->max_us = us;
}

uint64_t tc_histogram_at(const struct tc_histogram *histogram, unsigned per_mille)
{
    CHECK(per_mille <= 1000);
    uint64_t rank = (histogram->count * per_mille + 999) / 1000, seen = 0;
    for (size_t i = 0; i < TC_HISTOGRAM_BUCKETS && rank > 0; i++) {
        seen += histogram->buckets[i];
        if (seen >= rank)
            return bucket_top(i) < histogram->max_us ? bucket_top(i) : histogram->max_us;
    }
    return 0;
}
