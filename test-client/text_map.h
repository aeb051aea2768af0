/* A hash table from texts to values, for answers that come and go. Bounded; not thread-safe. */
#pragma once

#include "base/bytes.h"

struct text_map;

/* `drop_value` is called for every value that is replaced, removed or left at the end; may be NULL. */
MUST_USE struct text_map *text_map_create(size_t max_entries, void (*drop_value)(void *value));
void text_map_drop(struct text_map *map);
DEFINE_DROP(text_map, text_map_drop)

/* Takes `value` over and copies the key. False (the value stays the caller's) when the map is full or memory is out. */
MUST_USE bool text_map_put(struct text_map *map, struct bytes key, void *value);
void *text_map_get(const struct text_map *map, struct bytes key); /* a loan; NULL when there is none */
void text_map_remove(struct text_map *map, struct bytes key);
size_t text_map_count(const struct text_map *map);
void text_map_clear(struct text_map *map); /* all entries go */

/* Every entry in the order of the keys' bytes; the map must not change meanwhile. False when memory is out. */
typedef void text_map_visit(void *arg, struct bytes key, void *value);
MUST_USE bool text_map_each(const struct text_map *map, text_map_visit *visit, void *arg);
/* Whether the test holds for any key. */
typedef bool text_map_test(const void *arg, struct bytes key);
bool text_map_any(const struct text_map *map, text_map_test *test, const void *arg);
