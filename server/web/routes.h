/* The tables of what the server answers. */
#pragma once

#include "server/web/request.h"

extern const struct routes acme_routes;
