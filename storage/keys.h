/* The one place where keys are built. A key is a class byte and then
 *   record   id
 *   setting  name
 *   index    subject, NUL, [8 bytes of time, big-endian,] id      (class byte: the number of the index)
 * so that byte order is the order of ids, or of times where they are kept. */
#pragma once

#include "storage/store.h"

/* LMDB takes keys of up to 511 bytes; a longer subject stands as its hash. */
enum { SUBJECT_MAX_BYTES = 400, KEY_TIME_BYTES = 8, KEY_CLASS_SETTING = 64 };
enum { KEY_MAX_BYTES = 1 + SUBJECT_MAX_BYTES + 1 + KEY_TIME_BYTES + STORE_ID_MAX_BYTES + 1 };

struct key {
    uint8_t data[KEY_MAX_BYTES];
    size_t len;
};

static inline struct bytes key_bytes(const struct key *key)
{
    return bytes_of(key->data, key->len);
}

/* False when nothing can have such an id or name: it is empty or too long. */
MUST_USE bool key_of_record(unsigned class, const char *id, struct key *out);
MUST_USE bool key_of_setting(const char *name, struct key *out);

/* Prefixes that ids follow. */
struct key key_of_class(unsigned class);
struct key key_of_subject(enum store_index index, const char *subject);
void key_add_time(struct key *key, int64_t ms);
void key_add_id(struct key *key, const char *id); /* CHECKs its length */

/* Whether a time stands between the subject and the id. */
bool index_by_time(enum store_index index);

/* Splits what stands behind a prefix into the id and the position, a text that key_after turns back into a key. NULL:
 * memory is out. */
MUST_USE const char *key_id(struct arena *arena, struct bytes tail, bool by_time);
MUST_USE const char *key_position(struct arena *arena, struct bytes tail, bool by_time);
/* False when `position` (from outside) is none. */
MUST_USE bool key_add_position(struct key *key, const char *position, bool by_time);

/* The first key behind `key`, and one behind all ids and times that follow a prefix: UTF-8 has no byte 0xff. */
struct key key_successor(struct bytes key);
struct key key_prefix_end(const struct key *prefix);
