/* Which keys a record has in which index: the table behind put and delete. */
#pragma once

#include "storage/keys.h"

struct index_keys {
    struct arena *arena;
    struct bytes *items;
    size_t count;
    size_t capacity;
    bool failed; /* memory is out */
};

/* Adds every index key of the record to `keys`. */
void index_keys_of(struct index_keys *keys, enum record_class class, const void *record);
bool index_keys_contain(const struct index_keys *keys, struct bytes key);
