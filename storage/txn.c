#include "storage/txn.h"

struct store_txn *txn_create_writer(const struct store_driver *driver)
{
    struct store_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return NULL;
    txn->driver = driver;
    txn->write = true;
    txn->value = BUF_INIT(TXN_VALUE_MAX);
    txn->scratch = arena_create(TXN_SCRATCH_MAX);
    if (txn->scratch == NULL) {
        free(txn);
        return NULL;
    }
    return txn;
}

void txn_drop_writer(struct store_txn *txn)
{
    if (txn == NULL)
        return;
    CHECK(txn->txn == NULL);
    buf_free(&txn->value);
    arena_drop(txn->scratch);
    free(txn);
}

void txn_begin_write(struct store_txn *txn, void *db)
{
    CHECK(txn->write && txn->txn == NULL);
    txn->status = txn->driver->begin(db, true, &txn->txn);
}

enum store_status txn_end_write(struct store_txn *txn)
{
    void *inner = TAKE(txn->txn);
    if (txn->status == STORE_OK)
        txn->status = txn->driver->commit(inner);
    else if (inner != NULL)
        txn->driver->abort(inner);
    return txn->status;
}

struct store_txn *txn_begin_read(const struct store_driver *driver, void *db)
{
    struct store_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return NULL;
    txn->driver = driver;
    if (driver->begin(db, false, &txn->txn) == STORE_OK)
        return txn;
    free(txn);
    return NULL;
}

void store_end_read(struct store_txn *txn)
{
    if (txn == NULL)
        return;
    CHECK(!txn->write);
    txn->driver->abort(txn->txn);
    free(txn);
}

enum store_status store_txn_status(const struct store_txn *txn)
{
    return txn->status;
}

void store_txn_fail(struct store_txn *txn, enum store_status status)
{
    CHECK(status != STORE_OK);
    if (txn->status == STORE_OK)
        txn->status = status;
}

bool txn_note(struct store_txn *txn, enum store_status status)
{
    if (status != STORE_OK && status != STORE_NOT_FOUND)
        store_txn_fail(txn, status);
    return status == STORE_OK;
}
