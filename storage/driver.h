/* What a database must be able to do under the store: an ordered map of bytes in transactions. One write transaction at
 * a time (the store sees to that), any number of read transactions beside it, each on one thread at a time and each
 * with one snapshot. A transaction in which a call failed
 * can only be aborted; STORE_NOT_FOUND is no failure. */
#pragma once

#include "storage/store.h"

struct store_driver {
    const char *name;
    enum store_status (*open)(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE]);
    void (*close)(void *db);

    enum store_status (*begin)(void *db, bool write, void **out_txn);
    enum store_status (*commit)(void *txn); /* ends the transaction even when it fails */
    void (*abort)(void *txn);

    /* What is found stays valid until the next put, del, or the end. */
    enum store_status (*get)(void *txn, struct bytes key, struct bytes *out_value);
    enum store_status (*put)(void *txn, struct bytes key, struct bytes value);
    enum store_status (*del)(void *txn, struct bytes key);
    /* The first key that is not less than `key`, and the last one that is less, among those that begin with the same
     * byte; a driver may also find keys beyond them. */
    enum store_status (*seek)(void *txn, struct bytes key, struct bytes *out_key);
    enum store_status (*seek_before)(void *txn, struct bytes key, struct bytes *out_key);

    /* How many keys begin with the byte, as the database has written it down. NULL: it only could count them. */
    enum store_status (*count)(void *txn, uint8_t class, uint64_t *out);

    /* Writes a database that `open` takes to the file or pipe: one snapshot, without free pages. NULL: it cannot. */
    enum store_status (*copy)(void *db, int fd, char why[static STORE_WHY_SIZE]);
};

extern const struct store_driver driver_lmdb, driver_memory;

enum { STORE_DEFAULT_MAX_GIB = 16 };
static inline size_t store_max_bytes(const struct store_options *options)
{
    return options->max_bytes > 0 ? (size_t)options->max_bytes : (size_t)STORE_DEFAULT_MAX_GIB << 30;
}

/* store_open with a driver that is not in its table. */
MUST_USE enum store_status store_open_driver(const struct store_driver *driver, const struct store_options *options,
                                             struct store **out, char why[static STORE_WHY_SIZE]);
