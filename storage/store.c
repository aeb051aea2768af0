#include "storage/store.h"

#include "storage/fields.h"
#include "storage/indexes.h"
#include "storage/schema.h"
#include "storage/txn.h"
#include "storage/upkeep.h"
#include "storage/writer.h"

#include <pthread.h>
#include <stdio.h>

enum { RECORD_ARENA_MAX = 64 << 20 };

struct store {
    const struct store_driver *driver;
    void *db;
    struct writer *writer;
};

const char *store_status_text(enum store_status status)
{
    static const char *const texts[] = {
#define X(name, text) [STORE_##name] = text,
        STORE_STATUS_TABLE(X)
#undef X
    };
    CHECK(status < ARRAY_SIZE(texts));
    return texts[status];
}

/* --- records in a transaction --- */

static bool txn_get_bytes(struct store_txn *txn, const struct key *key, struct bytes *out)
{
    return txn->status == STORE_OK && txn_note(txn, txn->driver->get(txn->txn, key_bytes(key), out));
}

static void txn_put_bytes(struct store_txn *txn, struct bytes key, struct bytes value)
{
    CHECK(txn->write);
    if (txn->status == STORE_OK)
        txn_note(txn, txn->driver->put(txn->txn, key, value));
}

static void txn_delete_bytes(struct store_txn *txn, struct bytes key)
{
    CHECK(txn->write);
    if (txn->status == STORE_OK)
        txn_note(txn, txn->driver->del(txn->txn, key));
}

enum store_status txn_why_not_decoded(const struct record_type *type, struct bytes data)
{
    AUTO(arena) arena = arena_create(RECORD_ARENA_MAX);
    void *record = arena != NULL ? arena_alloc(arena, type->size) : NULL;
    return record == NULL || record_decode(arena, type, data, record) ? STORE_NO_MEMORY : STORE_CORRUPT;
}

bool txn_get(struct store_txn *txn, struct arena *arena, const struct record_type *type, const char *id, void *out)
{
    struct key key;
    struct bytes data;
    TRY(key_of_record(type->class, id, &key) && txn_get_bytes(txn, &key, &data));
    if (record_decode(arena, type, data, out))
        return true;
    store_txn_fail(txn, txn_why_not_decoded(type, data));
    return false;
}

enum store_status store_read(struct store_txn *txn, struct arena *arena, enum record_class class, const char *id,
                             void *out)
{
    const struct record_type *type = record_type_of(class);
    struct key key;
    struct bytes data;
    if (!key_of_record(class, id, &key) || !txn_get_bytes(txn, &key, &data))
        return txn->status == STORE_OK ? STORE_NOT_FOUND : txn->status;
    if (!record_decode(arena, type, data, out))
        return txn_why_not_decoded(type, data);
    return record_id(type, out) != NULL && strcmp(record_id(type, out), id) == 0 ? STORE_OK : STORE_CORRUPT;
}

/* The index keys of the record as it is stored now; none when it is not. */
static struct index_keys stored_keys(struct store_txn *txn, const struct record_type *type, const char *id)
{
    struct index_keys keys = { .arena = txn->scratch };
    void *old = arena_alloc(txn->scratch, type->size);
    if (old == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    else if (txn_get(txn, txn->scratch, type, id, old))
        index_keys_of(&keys, type->class, old);
    return keys;
}

static void txn_update_indexes(struct store_txn *txn, const struct index_keys *old, const struct index_keys *new)
{
    if (old->failed || new->failed)
        store_txn_fail(txn, STORE_NO_MEMORY);
    for (size_t i = 0; i < old->count; i++)
        if (!index_keys_contain(new, old->items[i]))
            txn_delete_bytes(txn, old->items[i]);
    for (size_t i = 0; i < new->count; i++)
        if (!index_keys_contain(old, new->items[i]))
            txn_put_bytes(txn, new->items[i], bytes_of(NULL, 0));
}

void txn_put(struct store_txn *txn, const struct record_type *type, const void *record)
{
    CHECK(txn->write);
    const char *id = record_id(type, record);
    struct key key;
    CHECK(id != NULL && key_of_record(type->class, id, &key));
    struct index_keys old = stored_keys(txn, type, id);
    struct index_keys new = { .arena = txn->scratch };
    index_keys_of(&new, type->class, record);
    txn_update_indexes(txn, &old, &new);
    record_encode(&txn->value, type, record);
    if (txn->value.failed)
        store_txn_fail(txn, STORE_NO_MEMORY);
    txn_put_bytes(txn, key_bytes(&key), buf_bytes(&txn->value));
    buf_clear(&txn->value);
    arena_reset(txn->scratch);
}

void txn_put_index(struct store_txn *txn, enum store_index index, const struct record_type *type, const void *record)
{
    CHECK(txn->write);
    struct index_keys keys = { .arena = txn->scratch };
    index_keys_of(&keys, type->class, record);
    if (keys.failed)
        store_txn_fail(txn, STORE_NO_MEMORY);
    for (size_t i = 0; i < keys.count; i++)
        if (keys.items[i].data[0] == index)
            txn_put_bytes(txn, keys.items[i], bytes_of(NULL, 0));
    arena_reset(txn->scratch);
}

static void txn_delete(struct store_txn *txn, const struct record_type *type, const char *id)
{
    CHECK(txn->write);
    struct key key;
    if (!key_of_record(type->class, id, &key))
        return;
    struct index_keys old = stored_keys(txn, type, id);
    txn_update_indexes(txn, &old, &(struct index_keys) { 0 });
    txn_delete_bytes(txn, key_bytes(&key));
    arena_reset(txn->scratch);
}

#define X(record, fields, class, id_field)                                                                             \
    bool store_get_##record(struct store_txn *txn, struct arena *arena, const char *id, struct record *out)            \
    {                                                                                                                  \
        return txn_get(txn, arena, &record_type_##record, id, out);                                                    \
    }                                                                                                                  \
    void store_put_##record(struct store_txn *txn, const struct record *value)                                         \
    {                                                                                                                  \
        txn_put(txn, &record_type_##record, value);                                                                    \
    }                                                                                                                  \
    void store_delete_##record(struct store_txn *txn, const char *id)                                                  \
    {                                                                                                                  \
        txn_delete(txn, &record_type_##record, id);                                                                    \
    }
RECORD_TABLE(X)
#undef X

const char *store_get_setting(struct store_txn *txn, struct arena *arena, const char *name)
{
    struct key key;
    struct bytes data;
    if (!key_of_setting(name, &key) || !txn_get_bytes(txn, &key, &data))
        return NULL;
    const char *value = arena_text_of(arena, data);
    if (value == NULL)
        store_txn_fail(txn, STORE_NO_MEMORY);
    return value;
}

void store_put_setting(struct store_txn *txn, const char *name, const char *value)
{
    struct key key;
    CHECK(key_of_setting(name, &key));
    txn_put_bytes(txn, key_bytes(&key), bytes_text(value));
}

/* --- the store --- */

/* A refusal leaves the database as it was: the transaction has failed with it. */
static enum store_status settle_version(struct store *store, const struct store_options *options,
                                        char why[static STORE_WHY_SIZE])
{
    const char *where = options->path != NULL ? options->path : "memory";
    struct store_txn *txn = txn_create_writer(store->driver);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    txn_begin_write(txn, store->db);
    bool settled = txn->status == STORE_OK && schema_settle(txn, &store_schema, where, why) == STORE_OK;
    bool begun = txn->txn != NULL;
    enum store_status ended = txn_end_write(txn);
    if (settled || !begun)
        snprintf(why, STORE_WHY_SIZE, "cannot write to the database in %s: %s", where, store_status_text(ended));
    txn_drop_writer(txn);
    return ended;
}

enum store_status store_open_driver(const struct store_driver *driver, const struct store_options *options,
                                    struct store **out, char why[static STORE_WHY_SIZE])
{
    snprintf(why, STORE_WHY_SIZE, "%s", store_status_text(STORE_NO_MEMORY));
    AUTO(store) store = calloc(1, sizeof *store);
    if (store == NULL)
        return STORE_NO_MEMORY;
    store->driver = driver;
    enum store_status status = driver->open(options, &store->db, why);
    if (status == STORE_OK)
        status = settle_version(store, options, why);
    if (status != STORE_OK)
        return status;
    store->writer = writer_start(driver, store->db);
    if (store->writer == NULL) {
        snprintf(why, STORE_WHY_SIZE, "cannot start the store's writer thread");
        return STORE_NO_MEMORY;
    }
    *out = TAKE(store);
    return STORE_OK;
}

enum store_status store_open(const struct store_options *options, struct store **out, char why[static STORE_WHY_SIZE])
{
    static const struct store_driver *const drivers[] = { &driver_lmdb, &driver_memory };
    for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
        if (strcmp(drivers[i]->name, options->driver) == 0)
            return store_open_driver(drivers[i], options, out, why);
    snprintf(why, STORE_WHY_SIZE, "there is no storage driver \"%.40s\"", options->driver);
    return STORE_NOT_FOUND;
}

void store_drop(struct store *store)
{
    if (store == NULL)
        return;
    if (store->writer != NULL)
        writer_stop(store->writer);
    if (store->db != NULL)
        store->driver->close(store->db);
    free(store);
}

struct store_txn *store_begin_read(struct store *store)
{
    return txn_begin_read(store->driver, store->db);
}

enum store_status store_copy(struct store *store, int fd, char why[static STORE_WHY_SIZE])
{
    if (store->driver->copy != NULL)
        return store->driver->copy(store->db, fd, why);
    snprintf(why, STORE_WHY_SIZE, "a database in memory cannot be copied; export it instead");
    return STORE_IO;
}

void store_submit(struct store *store, struct store_job *job)
{
    writer_submit(store->writer, job);
}

/* --- a job that is waited for --- */

struct waiting {
    void (*work)(struct store_txn *txn, void *arg);
    void *arg;
    pthread_mutex_t lock; /* guards finished and status */
    pthread_cond_t wake;
    bool finished;
    enum store_status status;
};

static void waiting_work(struct store_txn *txn, void *arg)
{
    struct waiting *waiting = arg;
    waiting->work(txn, waiting->arg);
}

static void waiting_done(void *arg, enum store_status status)
{
    struct waiting *waiting = arg;
    pthread_mutex_lock(&waiting->lock);
    waiting->finished = true;
    waiting->status = status;
    pthread_cond_signal(&waiting->wake);
    pthread_mutex_unlock(&waiting->lock);
}

enum store_status store_write(struct store *store, void (*work)(struct store_txn *, void *), void *arg)
{
    CHECK(!writer_is_current(store->writer));
    struct waiting waiting = { .work = work, .arg = arg };
    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.wake, NULL);
    struct store_job job = { .work = waiting_work, .done = waiting_done, .arg = &waiting };
    store_submit(store, &job);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.finished)
        pthread_cond_wait(&waiting.wake, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.wake);
    pthread_mutex_destroy(&waiting.lock);
    return waiting.status;
}
