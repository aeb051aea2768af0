/* What the operator reads: health, the authority's certificates, and every object as JSON. Served over HTTPS on
 * management.listen, read-only; over the Unix socket in the data directory, where the admin commands ask, with what
 * changes things too: who may open the socket owns the server. */
#pragma once

#include "server/web/request.h"

extern const struct routes management_routes;
extern const struct routes admin_routes;
