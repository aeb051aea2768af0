/* What the operator reads: health, the authority's certificates, and every object as JSON. Served over HTTPS on
 * management.listen and over the Unix socket in the data directory, where the admin commands ask. Read-only, so far. */
#pragma once

#include "server/request.h"

extern const struct routes management_routes;
