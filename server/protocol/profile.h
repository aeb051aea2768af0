/* Certificate profiles (draft-ietf-acme-profiles): what an order may hold and what its certificate looks like. The
 * names and figures are those of the public CA whose behaviour the staging preset copies. */
#pragma once

#include "server/web/request.h"
#include "server/settings/settings.h"

struct profile {
    const char *name, *description;
    int64_t lifetime_ms;    /* 0: ca.lifetime */
    size_t identifiers_max; /* 0: order.max-identifiers */
    unsigned without;       /* enum ca_leaf_without */
};

extern const struct profile profiles[];
extern const size_t profile_count;

/* NULL when there is none of that name. */
const struct profile *profile_find(const char *name);
/* The payload's "profile", or the default; invalidProfile for an unknown one. */
MUST_USE bool profile_read(struct request *rq, const struct profile **out);
int64_t profile_lifetime_ms(const struct profile *profile, const struct settings *settings);
