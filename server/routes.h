/* The tables of what the server answers. */
#pragma once

#include "server/request.h"

extern const struct routes acme_routes;
