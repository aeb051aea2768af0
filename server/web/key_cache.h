/* Parsed public keys of accounts, kept so that a request need not parse its key again. Bounded: a new key takes the
 * place of the one whose thumbprint falls into the same slot. Thread-safe. */
#pragma once

#include "acme/jwk.h"

enum { KEY_CACHE_SLOTS = 4096 };

struct key_cache;

MUST_USE struct key_cache *key_cache_create(void);
void key_cache_drop(struct key_cache *cache);
DEFINE_DROP(key_cache, key_cache_drop)

/* The key of an account, from the cache or parsed from its stored JSON; the caller drops its reference. */
MUST_USE bool key_cache_get(struct key_cache *cache, const char *thumbprint, const char *json, struct jwk **out_key,
                            struct acme_problem *problem);
