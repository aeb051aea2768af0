/* The first screen: what a person needs to begin, printed once the server answers. */
#pragma once

#include "server/caraway.h"

struct screen {
    const char *url;        /* of ACME, without a slash at the end */
    const char *management; /* addresses, or NULL */
    const char *listening;  /* addresses */
};

void screen_write(const struct caraway *caraway, const struct screen *screen, struct buf *out);
