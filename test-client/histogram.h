/* Durations counted in buckets that are 1/64 of their value wide: percentiles of any number of samples in 15 KB. */
#pragma once

#include "base/macros.h"

enum {
    TC_HISTOGRAM_FINE = 64,
    TC_HISTOGRAM_OCTAVES = 28,
    TC_HISTOGRAM_BUCKETS = TC_HISTOGRAM_FINE * TC_HISTOGRAM_OCTAVES
};

struct tc_histogram {
    uint64_t count;
    uint64_t max_us;
    uint64_t buckets[TC_HISTOGRAM_BUCKETS];
};

void tc_histogram_add(struct tc_histogram *histogram, uint64_t us);
/* The value that `per_mille` of the samples do not exceed, at most 1/64 too high; 0 when there are no samples. */
uint64_t tc_histogram_at(const struct tc_histogram *histogram, unsigned per_mille);
