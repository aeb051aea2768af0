/* Parsed public keys of accounts, kept so that a request need not parse its key again. At most KEY_CACHE_KEYS, of some
 * 1.3 KB each: a new key takes the place of the one not used for longest among the KEY_CACHE_WAYS that its thumbprint
 * falls together with. Thread-safe. */
#pragma once

#include "acme/jwk.h"

enum { KEY_CACHE_KEYS = 4096, KEY_CACHE_WAYS = 4 };

struct key_cache;

MUST_USE struct key_cache *key_cache_create(void);
void key_cache_drop(struct key_cache *cache);
DEFINE_DROP(key_cache, key_cache_drop)

/* The key of an account, from the cache or parsed from its stored JSON; the caller drops its reference. */
MUST_USE bool key_cache_get(struct key_cache *cache, const char *thumbprint, const char *json, struct jwk **out_key,
                            struct acme_problem *problem);
