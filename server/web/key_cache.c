#include "server/web/key_cache.h"

#include <pthread.h>

struct key_cache {
    pthread_mutex_t lock; /* guards slots */
    struct jwk *slots[KEY_CACHE_SLOTS];
};

struct key_cache *key_cache_create(void)
{
    struct key_cache *cache = calloc(1, sizeof *cache);
    if (cache != NULL)
        pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

void key_cache_drop(struct key_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < KEY_CACHE_SLOTS; i++)
        jwk_drop(cache->slots[i]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* A thumbprint is a hash already; FNV-1a over its text spreads it over the slots. */
static struct jwk **slot_of(struct key_cache *cache, const char *thumbprint)
{
    uint32_t hash = 2166136261U;
    for (; *thumbprint != '\0'; thumbprint++)
        hash = (hash ^ (uint8_t)*thumbprint) * 16777619U;
    return &cache->slots[hash % KEY_CACHE_SLOTS];
}

static struct jwk *lookup(struct key_cache *cache, const char *thumbprint)
{
    pthread_mutex_lock(&cache->lock);
    struct jwk *key = *slot_of(cache, thumbprint);
    key = key != NULL && strcmp(jwk_thumbprint(key), thumbprint) == 0 ? jwk_ref(key) : NULL;
    pthread_mutex_unlock(&cache->lock);
    return key;
}

static void insert(struct key_cache *cache, struct jwk *key)
{
    struct jwk **slot = slot_of(cache, jwk_thumbprint(key));
    pthread_mutex_lock(&cache->lock);
    struct jwk *old = *slot;
    *slot = jwk_ref(key);
    pthread_mutex_unlock(&cache->lock);
    jwk_drop(old);
}

bool key_cache_get(struct key_cache *cache, const char *thumbprint, const char *json, struct jwk **out_key,
                   struct acme_problem *problem)
{
    struct jwk *key = lookup(cache, thumbprint);
    if (key == NULL) {
        TRY(jwk_from_json(json, &key, problem));
        insert(cache, key);
    }
    *out_key = key;
    return true;
}
