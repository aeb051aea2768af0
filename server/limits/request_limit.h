/* Requests per second from one address to one endpoint, as the load balancers of Let's Encrypt count them: refused with
 * 503 before anything else is looked at. In memory, of a size that never changes; who is forgotten starts anew.
 * Thread-safe. */
#pragma once

#include "base/world.h"
#include "server/web/request.h"
#include "server/settings/settings.h"

/* The first segment of the path, then requests per second and how many may come at once, in the presets letsencrypt and
 * letsencrypt-staging. What no row names counts for the last one. */
/* clang-format off */
#define REQUEST_LIMIT_TABLE(X) \
    X("directory",      40,  40,   40, 40) \
    X("new-nonce",      20,  10,   20, 10) \
    X("new-account",     5,  15,    5, 15) \
    X("new-order",     300, 200,   20, 40) \
    X("revoke-cert",    10, 100,   10, 100) \
    X("renewal-info", 1000, 100, 1000, 100) \
    X("",              250, 125,   20, 20)
/* clang-format on */

struct request_limits;

/* NULL when memory is out. */
MUST_USE struct request_limits *request_limits_create(const struct settings *settings, const struct world *world);
void request_limits_drop(struct request_limits *limits);
DEFINE_DROP(request_limits, request_limits_drop)

/* False: too many of them, and the problem says when to come again. */
MUST_USE bool request_limit_pass(struct request *rq);
