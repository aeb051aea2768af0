/* "Did you mean": the known name closest to what somebody typed. */
#pragma once

#include "base/macros.h"

/* The name with the fewest typing errors, or one that ends in ".wanted"; NULL when none is near. */
const char *nearest_name(const char *wanted, const char *const *names, size_t count);
