#include "server/web/key_cache.h"

#include <pthread.h>

enum { SETS = KEY_CACHE_KEYS / KEY_CACHE_WAYS };

/* The keys whose thumbprints fall together, the one used last in front; NULL behind the last. */
struct set {
    struct jwk *ways[KEY_CACHE_WAYS];
};

struct key_cache {
    pthread_mutex_t lock; /* guards sets */
    struct set sets[SETS];
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
    for (size_t i = 0; i < SETS; i++)
        for (size_t way = 0; way < KEY_CACHE_WAYS; way++)
            jwk_drop(cache->sets[i].ways[way]);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

/* A thumbprint is a hash already; FNV-1a over its text spreads it over the sets. */
static struct set *set_of(struct key_cache *cache, const char *thumbprint)
{
    uint32_t hash = 2166136261U;
    for (; *thumbprint != '\0'; thumbprint++)
        hash = (hash ^ (uint8_t)*thumbprint) * 16777619U;
    return &cache->sets[hash % SETS];
}

/* The way that holds the key; the last one when none does. */
static size_t find(const struct set *set, const char *thumbprint, bool *out_found)
{
    for (size_t way = 0; way < KEY_CACHE_WAYS && set->ways[way] != NULL; way++) {
        *out_found = strcmp(jwk_thumbprint(set->ways[way]), thumbprint) == 0;
        if (*out_found)
            return way;
    }
    *out_found = false;
    return KEY_CACHE_WAYS - 1;
}

/* Puts `key` in front of those that stood before `way`, whose own key goes. */
static void put_first(struct set *set, size_t way, struct jwk *key)
{
    memmove(&set->ways[1], &set->ways[0], way * sizeof set->ways[0]);
    set->ways[0] = key;
}

static struct jwk *lookup(struct key_cache *cache, const char *thumbprint)
{
    struct set *set = set_of(cache, thumbprint);
    struct jwk *key = NULL;
    bool found;
    pthread_mutex_lock(&cache->lock);
    size_t way = find(set, thumbprint, &found);
    if (found) {
        key = set->ways[way];
        put_first(set, way, key);
        jwk_ref(key);
    }
    pthread_mutex_unlock(&cache->lock);
    return key;
}

/* Another thread may have parsed the same key meanwhile; then this one takes its place. */
static void insert(struct key_cache *cache, struct jwk *key)
{
    struct set *set = set_of(cache, jwk_thumbprint(key));
    bool found;
    pthread_mutex_lock(&cache->lock);
    size_t way = find(set, jwk_thumbprint(key), &found);
    struct jwk *old = set->ways[way];
    put_first(set, way, jwk_ref(key));
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
