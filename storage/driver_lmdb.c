/* The calls of the driver, each of them in a guard. */
#include "storage/guard.h"
#include "storage/lmdb_env.h"

struct lmdb_txn {
    MDB_txn *txn;
    MDB_cursor *cursor; /* where the last seek was; NULL before the first */
    struct lmdb *db;
};

static MDB_val val_of(struct bytes bytes)
{
    return (MDB_val) { bytes.len, (void *)(uintptr_t)bytes.data };
}

static enum store_status lmdb_begin(void *arg, bool write, void **out_txn)
{
    struct lmdb *db = arg;
    struct lmdb_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    txn->db = db;
    int code = lmdb_begin_txn(db, write ? 0 : MDB_RDONLY, &txn->txn);
    if (code != MDB_SUCCESS) {
        free(txn);
        return lmdb_status(code);
    }
    *out_txn = txn;
    return STORE_OK;
}

static void close_cursor(struct lmdb_txn *txn)
{
    if (txn->cursor != NULL)
        mdb_cursor_close(TAKE(txn->cursor));
}

static int commit_call(void *arg)
{
    struct lmdb_txn *txn = arg;
    return mdb_txn_commit(txn->txn);
}

static enum store_status lmdb_commit(void *arg)
{
    struct lmdb_txn *txn = arg;
    close_cursor(txn);
    int code = guard_run(GUARD_WRITES, commit_call, txn, MDB_CORRUPTED);
    enum store_status status = lmdb_write_status(txn->db, code);
    lmdb_leave(txn->db);
    free(txn);
    return status;
}

static void lmdb_abort(void *arg)
{
    struct lmdb_txn *txn = arg;
    close_cursor(txn);
    mdb_txn_abort(txn->txn);
    lmdb_leave(txn->db);
    free(txn);
}

static MDB_dbi tree_of(const struct lmdb_txn *txn, struct bytes key)
{
    CHECK(key.len > 0 && txn->db->trees[key.data[0]] != 0);
    return txn->db->trees[key.data[0]];
}

/* ---- one call, in a guard */

struct call {
    struct lmdb_txn *txn;
    MDB_dbi tree;
    MDB_val key, value; /* in; what is found out */
};

static struct call call_of(struct lmdb_txn *txn, struct bytes key)
{
    return (struct call) { .txn = txn, .tree = tree_of(txn, key), .key = val_of(key) };
}

static int found(int code, const MDB_val *what)
{
    if (code == MDB_SUCCESS)
        guard_touch(bytes_of(what->mv_data, what->mv_size));
    return code;
}

static int get_call(void *arg)
{
    struct call *call = arg;
    return found(mdb_get(call->txn->txn, call->tree, &call->key, &call->value), &call->value);
}

static enum store_status lmdb_get(void *arg, struct bytes key, struct bytes *out_value)
{
    struct call call = call_of(arg, key);
    int code = guard_run(GUARD_READS, get_call, &call, MDB_CORRUPTED);
    if (code == MDB_SUCCESS)
        *out_value = bytes_of(call.value.mv_data, call.value.mv_size);
    return lmdb_status(code);
}

static int put_call(void *arg)
{
    struct call *call = arg;
    int code = mdb_put(call->txn->txn, call->tree, &call->key, &call->value, MDB_APPEND);
    if (code == MDB_KEYEXIST) /* its place is not at the end */
        code = mdb_put(call->txn->txn, call->tree, &call->key, &call->value, 0);
    return code;
}

static enum store_status lmdb_put(void *arg, struct bytes key, struct bytes value)
{
    struct call call = call_of(arg, key);
    call.value = val_of(value);
    return lmdb_write_status(call.txn->db, guard_run(GUARD_WRITES, put_call, &call, MDB_CORRUPTED));
}

static int del_call(void *arg)
{
    struct call *call = arg;
    return mdb_del(call->txn->txn, call->tree, &call->key, NULL);
}

static enum store_status lmdb_del(void *arg, struct bytes key)
{
    struct call call = call_of(arg, key);
    return lmdb_status(guard_run(GUARD_WRITES, del_call, &call, MDB_CORRUPTED));
}

static int start_cursor(struct lmdb_txn *txn, MDB_dbi tree)
{
    if (txn->cursor != NULL && mdb_cursor_dbi(txn->cursor) == tree)
        return MDB_SUCCESS;
    close_cursor(txn);
    return mdb_cursor_open(txn->txn, tree, &txn->cursor);
}

static int seek_call(void *arg)
{
    struct call *call = arg;
    return found(mdb_cursor_get(call->txn->cursor, &call->key, &call->value, MDB_SET_RANGE), &call->key);
}

static int seek_before_call(void *arg)
{
    struct call *call = arg;
    MDB_cursor *cursor = call->txn->cursor;
    int code = mdb_cursor_get(cursor, &call->key, &call->value, MDB_SET_RANGE);
    if (code == MDB_SUCCESS || code == MDB_NOTFOUND)
        code = mdb_cursor_get(cursor, &call->key, &call->value, code == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
    return found(code, &call->key);
}

static enum store_status seek(struct lmdb_txn *txn, struct bytes key, int (*how)(void *arg), struct bytes *out_key)
{
    struct call call = call_of(txn, key);
    int code = start_cursor(txn, call.tree) ?: guard_run(GUARD_READS, how, &call, MDB_CORRUPTED);
    if (code == MDB_SUCCESS)
        *out_key = bytes_of(call.key.mv_data, call.key.mv_size);
    return lmdb_status(code);
}

static enum store_status lmdb_seek(void *arg, struct bytes key, struct bytes *out_key)
{
    return seek(arg, key, seek_call, out_key);
}

static enum store_status lmdb_seek_before(void *arg, struct bytes key, struct bytes *out_key)
{
    return seek(arg, key, seek_before_call, out_key);
}

static enum store_status lmdb_count(void *arg, uint8_t class, uint64_t *out)
{
    struct lmdb_txn *txn = arg;
    MDB_stat tree;
    int code = mdb_stat(txn->txn, tree_of(txn, bytes_of(&class, 1)), &tree);
    if (code == MDB_SUCCESS)
        *out = tree.ms_entries;
    return lmdb_status(code);
}

struct copying {
    MDB_env *env;
    int fd;
};

static int copy_call(void *arg)
{
    const struct copying *copying = arg;
    return mdb_env_copyfd2(copying->env, copying->fd, MDB_CP_COMPACT);
}

/* The copy's own transaction is a reader too. */
static enum store_status lmdb_copy(void *arg, int fd, char why[static STORE_WHY_SIZE])
{
    struct lmdb *db = arg;
    struct copying copying = { lmdb_enter(db), fd };
    if (copying.env == NULL)
        return lmdb_refuse(MDB_PANIC, "open the database in", db->path, why);
    /* as a write: LMDB copies with a thread of its own, which would stay behind */
    int code = guard_run(GUARD_WRITES, copy_call, &copying, MDB_CORRUPTED);
    lmdb_leave(db);
    return code == MDB_SUCCESS ? STORE_OK : lmdb_refuse(code, "copy the database in", db->path, why);
}

const struct store_driver driver_lmdb = { "lmdb",           lmdb_open,  lmdb_close, lmdb_begin, lmdb_commit,
                                          lmdb_abort,       lmdb_get,   lmdb_put,   lmdb_del,   lmdb_seek,
                                          lmdb_seek_before, lmdb_count, lmdb_copy };
