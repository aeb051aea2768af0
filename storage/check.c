/* A record's keys are computed from the record: those that are not in their index are missing. So many keys as were
 * found must be in the index; only when there are more, its keys are looked at one by one. */
#include "storage/fields.h"
#include "storage/indexes.h"
#include "storage/scan.h"
#include "storage/upkeep.h"

#include <stdio.h>

enum { ARENA_MAX = 64 << 20, SENTENCE_MAX = 512, SHOWN_MAX = 128 };

struct check {
    struct store_txn *txn;
    struct arena *arena;
    const struct store_listener *listener;
    struct store_counts counts;
    uint64_t found[UINT8_MAX + 1]; /* by class byte of an index: keys that records have there */
    bool stopped;
};

static void fault(struct check *check, const char *format, ...) PRINTF_LIKE(2, 3);
static void fault(struct check *check, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    check->counts.faults++;
    check->listener->fault(check->listener->arg, sentence);
}

/* True to go on. */
static bool step(struct check *check, uint64_t *counter)
{
    if (++*counter % STORE_PROGRESS_STEPS == 0)
        check->stopped = !check->listener->progress(check->listener->arg, &check->counts);
    arena_reset(check->arena);
    return !check->stopped && check->txn->status == STORE_OK;
}

/* What stands in a key may be anything when the database is damaged. */
static const char *shown(struct bytes part, char out[static SHOWN_MAX])
{
    size_t len = part.len < SHOWN_MAX - 1 ? part.len : SHOWN_MAX - 1;
    for (size_t i = 0; i < len; i++)
        out[i] = part.data[i] > ' ' && part.data[i] < 0x7f ? (char)part.data[i] : '?';
    out[len] = '\0';
    return out;
}

static const char *index_name(unsigned class)
{
    switch (class) {
#define X(name, record, number)                                                                                        \
    case number:                                                                                                       \
        return #name;
        STORE_INDEX_TABLE(X)
#undef X
    default:
        return "?";
    }
}

/* ---- records */

static bool load(struct check *check, const struct record_type *type, const char *id, void *out)
{
    struct key key;
    struct bytes data;
    TRY(key_of_record(type->class, id, &key));
    TRY(txn_note(check->txn, check->txn->driver->get(check->txn->txn, key_bytes(&key), &data)));
    bool decoded = record_decode(check->arena, type, data, out);
    if (!decoded && txn_why_not_decoded(type, data) == STORE_NO_MEMORY)
        store_txn_fail(check->txn, STORE_NO_MEMORY);
    return decoded && record_id(type, out) != NULL && strcmp(record_id(type, out), id) == 0;
}

static void check_keys(struct check *check, const struct record_type *type, const char *id, const void *record)
{
    struct index_keys keys = { .arena = check->arena };
    index_keys_of(&keys, type->class, record);
    if (keys.failed)
        store_txn_fail(check->txn, STORE_NO_MEMORY);
    for (size_t i = 0; i < keys.count && check->txn->status == STORE_OK; i++) {
        unsigned class = keys.items[i].data[0];
        struct bytes unused;
        if (txn_note(check->txn, check->txn->driver->get(check->txn->txn, keys.items[i], &unused)))
            check->found[class]++;
        else if (check->txn->status == STORE_OK)
            fault(check, "%s %s is missing in the index %s", type->name, id, index_name(class));
    }
}

static void check_record(struct check *check, const struct record_type *type, struct bytes tail)
{
    char text[SHOWN_MAX];
    const char *id = arena_text_of(check->arena, tail);
    void *record = arena_alloc(check->arena, type->size);
    if (id == NULL || record == NULL)
        store_txn_fail(check->txn, STORE_NO_MEMORY);
    else if (load(check, type, id, record))
        check_keys(check, type, shown(tail, text), record);
    else if (check->txn->status == STORE_OK)
        fault(check, "%s %s is damaged", type->name, shown(tail, text));
}

/* A page that lost what it held looks like one that never held it. */
static void check_count(struct check *check, const struct record_type *type, uint64_t found)
{
    const struct store_driver *driver = check->txn->driver;
    uint64_t written;
    if (driver->count != NULL && txn_note(check->txn, driver->count(check->txn->txn, type->class, &written)) &&
        written != found)
        fault(check, "there are %llu records of the kind %s, but the database counts %llu", (unsigned long long)found,
              type->name, (unsigned long long)written);
}

static void check_records(struct check *check, const struct record_type *type)
{
    struct scan scan = { .prefix = key_of_class(type->class) };
    uint64_t before = check->counts.records;
    struct bytes tail;
    bool more = !check->stopped && scan_start(&scan, NULL);
    while (more && scan_next(check->txn, &scan, &tail)) {
        check_record(check, type, tail);
        more = step(check, &check->counts.records);
    }
    if (!check->stopped && check->txn->status == STORE_OK)
        check_count(check, type, check->counts.records - before);
}

/* ---- indexes */

static struct bytes id_in(struct bytes tail, bool by_time)
{
    const uint8_t *end = memchr(tail.data, '\0', tail.len);
    size_t skip = end != NULL ? (size_t)(end - tail.data) + 1 + (by_time ? KEY_TIME_BYTES : 0) : tail.len;
    return skip < tail.len ? bytes_of(tail.data + skip, tail.len - skip) : bytes_of(tail.data, 0);
}

static void check_key(struct check *check, unsigned class, const struct record_type *type, struct bytes tail)
{
    char text[SHOWN_MAX];
    struct bytes id_bytes = id_in(tail, index_by_time(class));
    const char *id = arena_text_of(check->arena, id_bytes);
    void *record = arena_alloc(check->arena, type->size);
    if (id == NULL || record == NULL) {
        store_txn_fail(check->txn, STORE_NO_MEMORY);
        return;
    }
    struct index_keys keys = { .arena = check->arena };
    if (load(check, type, id, record))
        index_keys_of(&keys, type->class, record);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.items[i].data[0] == class &&
            bytes_equal(bytes_of(keys.items[i].data + 1, keys.items[i].len - 1), tail))
            return;
    if (check->txn->status == STORE_OK)
        fault(check, "the index %s has a key that no %s has: %s", index_name(class), type->name, shown(tail, text));
}

static void each_key(struct check *check, unsigned class, const struct record_type *type, uint64_t *counter)
{
    struct scan scan = { .prefix = key_of_class(class) };
    struct bytes tail;
    bool more = !check->stopped && scan_start(&scan, NULL);
    while (more && scan_next(check->txn, &scan, &tail)) {
        if (type != NULL)
            check_key(check, class, type, tail);
        more = step(check, counter);
    }
}

static void check_index(struct check *check, unsigned class, const struct record_type *type)
{
    uint64_t before = check->counts.keys, looked_at = 0;
    each_key(check, class, NULL, &check->counts.keys);
    if (check->counts.keys - before > check->found[class])
        each_key(check, class, type, &looked_at);
}

static void check_all(struct check *check)
{
#define X(record, fields, class, id) check_records(check, &record_type_##record);
    RECORD_TABLE(X)
#undef X
#define X(name, record, number) check_index(check, number, &record_type_##record);
    STORE_INDEX_TABLE(X)
#undef X
}

enum store_status store_check(struct store *store, const struct store_listener *listener, struct store_counts *out)
{
    AUTO(arena) arena = arena_create(ARENA_MAX);
    AUTO(store_txn) txn = store_begin_read(store);
    if (arena == NULL || txn == NULL)
        return STORE_NO_MEMORY;
    struct check check = { .txn = txn, .arena = arena, .listener = listener };
    check_all(&check);
    if (txn->status != STORE_OK)
        return txn->status;
    if (check.stopped)
        return STORE_CLOSED;
    *out = check.counts;
    return STORE_OK;
}
