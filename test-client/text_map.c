#include "test-client/text_map.h"

enum { FIRST_BUCKETS = 64 }; /* a power of two, as every later size */

struct entry {
    struct entry *next;
    void *value;
    uint64_t hash;
    size_t len;
    uint8_t key[];
};

struct text_map {
    struct entry **buckets;
    size_t bucket_count, count, max_entries;
    void (*drop_value)(void *value);
};

/* FNV-1a. The keys come from the operator or from our own client, so nobody gains from making them collide. */
static uint64_t hash_of(struct bytes key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ key.data[i]) * 0x100000001b3u;
    return hash;
}

struct text_map *text_map_create(size_t max_entries, void (*drop_value)(void *value))
{
    struct text_map *map = calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    *map = (struct text_map) { .max_entries = max_entries, .drop_value = drop_value };
    map->buckets = calloc(FIRST_BUCKETS, sizeof *map->buckets);
    map->bucket_count = FIRST_BUCKETS;
    if (map->buckets == NULL) {
        free(map);
        return NULL;
    }
    return map;
}

static void entry_drop(struct text_map *map, struct entry *entry)
{
    if (map->drop_value != NULL)
        map->drop_value(entry->value);
    free(entry);
}

void text_map_clear(struct text_map *map)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct entry *entry = map->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            entry_drop(map, entry);
        }
        map->buckets[i] = NULL;
    }
    map->count = 0;
}

void text_map_drop(struct text_map *map)
{
    if (map == NULL)
        return;
    text_map_clear(map);
    free(map->buckets);
    free(map);
}

/* The link that points at the key's entry, or the end of its bucket's chain. */
static struct entry **find(const struct text_map *map, struct bytes key, uint64_t hash)
{
    struct entry **link = &map->buckets[hash & (map->bucket_count - 1)];
    while (*link != NULL && !((*link)->hash == hash && bytes_equal(bytes_of((*link)->key, (*link)->len), key)))
        link = &(*link)->next;
    return link;
}

/* Doubles the buckets; when memory is out the chains just get longer. */
static void grow(struct text_map *map)
{
    size_t bucket_count = map->bucket_count * 2;
    struct entry **buckets = calloc(bucket_count, sizeof *buckets);
    if (buckets == NULL)
        return;
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (struct entry *entry = map->buckets[i], *next; entry != NULL; entry = next) {
            next = entry->next;
            struct entry **bucket = &buckets[entry->hash & (bucket_count - 1)];
            entry->next = *bucket;
            *bucket = entry;
        }
    }
    free(map->buckets);
    map->buckets = buckets;
    map->bucket_count = bucket_count;
}

static bool insert(struct text_map *map, struct bytes key, uint64_t hash, void *value)
{
    if (map->count >= map->max_entries)
        return false;
    struct entry *entry = malloc(sizeof *entry + key.len);
    if (entry == NULL)
        return false;
    if (map->count >= map->bucket_count)
        grow(map);
    struct entry **bucket = &map->buckets[hash & (map->bucket_count - 1)];
    *entry = (struct entry) { .next = *bucket, .value = value, .hash = hash, .len = key.len };
    if (key.len > 0)
        memcpy(entry->key, key.data, key.len);
    *bucket = entry;
    map->count++;
    return true;
}

bool text_map_put(struct text_map *map, struct bytes key, void *value)
{
    uint64_t hash = hash_of(key);
    struct entry *old = *find(map, key, hash);
    if (old == NULL)
        return insert(map, key, hash, value);
    if (map->drop_value != NULL)
        map->drop_value(old->value);
    old->value = value;
    return true;
}

void *text_map_get(const struct text_map *map, struct bytes key)
{
    const struct entry *entry = *find(map, key, hash_of(key));
    return entry != NULL ? entry->value : NULL;
}

void text_map_remove(struct text_map *map, struct bytes key)
{
    struct entry **link = find(map, key, hash_of(key));
    struct entry *entry = *link;
    if (entry == NULL)
        return;
    *link = entry->next;
    map->count--;
    entry_drop(map, entry);
}

static int compare_keys(const void *a, const void *b)
{
    const struct entry *left = *(const struct entry *const *)a, *right = *(const struct entry *const *)b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = len > 0 ? memcmp(left->key, right->key, len) : 0;
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

bool text_map_each(const struct text_map *map, text_map_visit *visit, void *arg)
{
    if (map->count == 0)
        return true;
    const struct entry **sorted = calloc(map->count, sizeof *sorted);
    TRY(sorted != NULL);
    size_t count = 0;
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (const struct entry *entry = map->buckets[i]; entry != NULL; entry = entry->next)
            sorted[count++] = entry;
    }
    CHECK(count == map->count);
    qsort(sorted, count, sizeof *sorted, compare_keys);
    for (size_t i = 0; i < count; i++)
        visit(arg, bytes_of(sorted[i]->key, sorted[i]->len), sorted[i]->value);
    free(sorted);
    return true;
}

bool text_map_any(const struct text_map *map, text_map_test *test, const void *arg)
{
    for (size_t i = 0; i < map->bucket_count; i++) {
        for (const struct entry *entry = map->buckets[i]; entry != NULL; entry = entry->next) {
            if (test(arg, bytes_of(entry->key, entry->len)))
                return true;
        }
    }
    return false;
}

size_t text_map_count(const struct text_map *map)
{
    return map->count;
}
