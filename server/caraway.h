/* One running server: what main builds once and passes down. Two of them may live in one process. Everything a pointer
 * here leads to is thread-safe or immutable; serve.c opens the parts in the order they stand and drops them in reverse.
 */
#pragma once

#include "base/world.h"
#include "ca/ca.h"
#include "server/log.h"
#include "server/settings.h"
#include "storage/store.h"
#include "validators/validators.h"

struct caraway {
    const struct world *world;
    const struct settings *settings; /* loan */
    struct log *log;
    const char *base_url; /* "https://localhost:14000", without a slash at the end: every URL we give out begins so */
    struct store *store;
    struct ca *ca;
    struct ca_tls tls;
    struct validators *validators;
    struct validations *validations; /* attempts under way (server/validation.h) */
    struct nonces *nonces;
    struct key_cache *keys;
};
