/* One running server: what main builds once and passes down. Two of them may live in one process. Everything a pointer
 * here leads to is thread-safe or immutable; serve.c opens the parts in the order they stand and drops them in reverse.
 */
#pragma once

#include "base/world.h"
#include "ca/ca.h"
#include "server/log.h"
#include "server/settings/settings.h"
#include "storage/store.h"
#include "validators/validators.h"

struct caraway {
    const struct world *world;
    struct world_jumps *clock;       /* moves the world's clock; NULL: it is the machine's */
    const struct settings *settings; /* loan */
    struct log *log;
    char *base_url; /* "https://localhost:14000", without a slash at the end: every URL we give out begins so */
    struct store *store;
    struct ca *ca;
    struct ca_tls tls;
    struct validators *validators;
    struct later *later;             /* what is tried again (server/protocol/later.h) */
    struct validations *validations; /* attempts under way (server/protocol/validation.h) */
    struct issuances *issuances;     /* signatures under way (server/protocol/issuance.h) */
    struct rechecks *rechecks;       /* CAA asked again at finalize (server/protocol/recheck.h) */
    struct limits *limits;
    struct request_limits *request_limits;
    uint8_t page_key[32]; /* seals the URLs of pages that people open; derived from the TLS key */
    struct nonces *nonces;
    struct key_cache *keys;
    struct janitor *janitor;
    struct outbound *outbound; /* NULL where no setting names a service to post to */
    struct webhook *webhook;
};

/* 1971: a moment before now is still one after 1970, as times in the store and in certificates must be. */
#define CARAWAY_EARLIEST_MS INT64_C(31536000000)

enum { CARAWAY_WHY_SIZE = 400 };
/* Makes the data directory when it is missing and opens everything below the web. On failure all is closed again and
 * `why` is a sentence for the operator that says what to do. The log stays the caller's: set it before, or NULL. */
MUST_USE bool caraway_open(struct caraway *caraway, const struct settings *settings, char why[static CARAWAY_WHY_SIZE]);
/* Makes the data directory and those above it, for this user alone. */
MUST_USE bool caraway_make_directory(const struct settings *settings, char why[static CARAWAY_WHY_SIZE]);
/* The store alone, for a command that works on a data directory without a server. */
MUST_USE bool caraway_open_store(const struct settings *settings, struct store **out,
                                 char why[static CARAWAY_WHY_SIZE]);
/* "https://host:port" of the external URL or the first address, without a slash at its end; `port` takes the place of a
 * port 0 that the kernel chose. NULL when memory is out; the caller frees it. */
MUST_USE char *caraway_url(const struct settings *settings, uint16_t port);
/* As many threads as wanted; 0: one for each CPU we may run on. */
unsigned caraway_threads(int64_t wanted);
/* Drop the web before. What was being validated stays stored as processing and is begun again at the next start. */
void caraway_close(struct caraway *caraway);
