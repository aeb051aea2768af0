/* The store's transaction over a driver's: where an error sticks. */
#pragma once

#include "storage/codec.h"
#include "storage/driver.h"

struct store_txn {
    const struct store_driver *driver;
    void *txn; /* the driver's; NULL when it could not begin */
    enum store_status status;
    bool write;
    struct buf value;      /* of write transactions: the record being put */
    struct arena *scratch; /* of write transactions: the old record and the index keys */
};

enum { TXN_VALUE_MAX = 4 << 20, TXN_SCRATCH_MAX = 64 << 20 };

/* Room for one write transaction after another. NULL: memory is out. */
MUST_USE struct store_txn *txn_create_writer(const struct store_driver *driver);
void txn_drop_writer(struct store_txn *txn);

void txn_begin_write(struct store_txn *txn, void *db);
/* Commits, or aborts when the transaction has failed. */
MUST_USE enum store_status txn_end_write(struct store_txn *txn);

MUST_USE struct store_txn *txn_begin_read(const struct store_driver *driver, void *db); /* NULL: it could not */

/* Takes a driver's status; what is not STORE_OK or STORE_NOT_FOUND sticks. True for STORE_OK. */
bool txn_note(struct store_txn *txn, enum store_status status);

/* store_get_R and store_put_R for a record of any type; `out` and `record` are its struct. */
MUST_USE bool txn_get(struct store_txn *txn, struct arena *arena, const struct record_type *type, const char *id,
                      void *out);
void txn_put(struct store_txn *txn, const struct record_type *type, const void *record);
/* For an index that is younger than the record: adds the keys that the stored record has in it. */
void txn_put_index(struct store_txn *txn, enum store_index index, const struct record_type *type, const void *record);
/* Why record_decode refused: it does not tell a damaged record from a full arena; another arena does. */
enum store_status txn_why_not_decoded(const struct record_type *type, struct bytes data);
