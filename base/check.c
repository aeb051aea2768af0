#include "base/macros.h"

#include <stdio.h>

void check_failed(const char *expr, const char *file, int line, const char *func)
{
    fprintf(stderr, "caraway: invariant broken: %s (%s:%d, %s)\n", expr, file, line, func);
    abort();
}
