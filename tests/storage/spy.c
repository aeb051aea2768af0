#include "tests/storage/spy.h"

#include "storage/keys.h"

struct spy spy;

struct spy_txn {
    void *inner;
    bool write;
};

void spy_reset(void)
{
    spy = (struct spy) { .fail_with = STORE_IO };
}

static bool must_fail(const struct spy_txn *txn)
{
    return txn->write && atomic_fetch_add(&spy.calls, 1) + 1 == atomic_load(&spy.fail_call);
}

static enum store_status spy_open(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE])
{
    enum store_status status = driver_memory.open(options, &spy.db, why);
    if (status == STORE_OK)
        *out_db = spy.db;
    return status;
}

static void spy_close(void *db)
{
    driver_memory.close(db);
}

static enum store_status spy_begin(void *db, bool write, void **out_txn)
{
    struct spy_txn *txn = calloc(1, sizeof *txn);
    CHECK(txn != NULL);
    txn->write = write;
    if (must_fail(txn)) {
        free(txn);
        return spy.fail_with;
    }
    CHECK(driver_memory.begin(db, write, &txn->inner) == STORE_OK);
    *out_txn = txn;
    return STORE_OK;
}

static void spy_abort(void *arg)
{
    struct spy_txn *txn = arg;
    driver_memory.abort(txn->inner);
    free(txn);
}

static enum store_status spy_commit(void *arg)
{
    struct spy_txn *txn = arg;
    if (must_fail(txn)) {
        spy_abort(txn);
        return spy.fail_with;
    }
    if (txn->write)
        atomic_fetch_add(&spy.write_commits, 1);
    enum store_status status = driver_memory.commit(txn->inner);
    free(txn);
    return status;
}

static enum store_status spy_get(void *arg, struct bytes key, struct bytes *out_value)
{
    struct spy_txn *txn = arg;
    return must_fail(txn) ? spy.fail_with : driver_memory.get(txn->inner, key, out_value);
}

static enum store_status spy_put(void *arg, struct bytes key, struct bytes value)
{
    struct spy_txn *txn = arg;
    return must_fail(txn) ? spy.fail_with : driver_memory.put(txn->inner, key, value);
}

static enum store_status spy_del(void *arg, struct bytes key)
{
    struct spy_txn *txn = arg;
    return must_fail(txn) ? spy.fail_with : driver_memory.del(txn->inner, key);
}

static enum store_status spy_seek(void *arg, struct bytes key, struct bytes *out_key)
{
    struct spy_txn *txn = arg;
    return must_fail(txn) ? spy.fail_with : driver_memory.seek(txn->inner, key, out_key);
}

static enum store_status spy_seek_before(void *arg, struct bytes key, struct bytes *out_key)
{
    struct spy_txn *txn = arg;
    return must_fail(txn) ? spy.fail_with : driver_memory.seek_before(txn->inner, key, out_key);
}

size_t spy_count_keys(void)
{
    void *txn;
    CHECK(driver_memory.begin(spy.db, false, &txn) == STORE_OK);
    size_t count = 0;
    struct key at = key_of_class(0);
    struct bytes key;
    for (; driver_memory.seek(txn, key_bytes(&at), &key) == STORE_OK; count++)
        at = key_successor(key);
    driver_memory.abort(txn);
    return count;
}

const struct store_driver driver_spy = { "spy",   spy_open, spy_close, spy_begin,       spy_commit, spy_abort, spy_get,
                                         spy_put, spy_del,  spy_seek,  spy_seek_before, NULL,       NULL };
