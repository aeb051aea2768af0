/* Each class of keys has a B-tree of its own: what is inserted in the order of time is then inserted at its tree's end,
 * where LMDB (told so) fills pages instead of halving them. */
#include "storage/driver.h"

#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LMDB_READERS = 512, LMDB_FILE_MODE = 0600, LMDB_FOLDER_MODE = 0700 };

static const uint8_t classes[] = {
#define RECORD_CLASS(record, fields, number, id) number,
    RECORD_TABLE(RECORD_CLASS)
#define INDEX_CLASS(name, record, number) number,
        STORE_INDEX_TABLE(INDEX_CLASS) KEY_CLASS_SETTING
};

struct lmdb {
    MDB_env *env;
    MDB_dbi trees[UINT8_MAX + 1]; /* by class; 0 is no tree */
    int lock_fd;
};

struct lmdb_txn {
    MDB_txn *txn;
    MDB_cursor *cursor; /* where the last seek was; NULL before the first */
    const struct lmdb *db;
};

static enum store_status status_of(int code)
{
    static const struct {
        int code;
        enum store_status status;
    } rows[] = {
        { MDB_SUCCESS, STORE_OK },
        { MDB_NOTFOUND, STORE_NOT_FOUND },
        { MDB_MAP_FULL, STORE_FULL },
        { MDB_TXN_FULL, STORE_FULL },
        { ENOSPC, STORE_FULL },
        { EDQUOT, STORE_FULL },
        { EFBIG, STORE_FULL },
        { MDB_CORRUPTED, STORE_CORRUPT },
        { MDB_PAGE_NOTFOUND, STORE_CORRUPT },
        { MDB_INVALID, STORE_CORRUPT },
        { MDB_INCOMPATIBLE, STORE_CORRUPT },
        { MDB_VERSION_MISMATCH, STORE_VERSION },
        { MDB_READERS_FULL, STORE_NO_MEMORY },
        { ENOMEM, STORE_NO_MEMORY },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].code == code)
            return rows[i].status;
    return STORE_IO;
}

static MDB_val val_of(struct bytes bytes)
{
    return (MDB_val) { bytes.len, (void *)(uintptr_t)bytes.data };
}

/* flock belongs to the open file, so it also keeps out a second store in this process, where LMDB would lose its own
 * locks. */
static enum store_status take_lock(struct lmdb *db, const char *path, char why[static STORE_WHY_SIZE])
{
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/lock", path) < 0) {
        file = NULL;
        return STORE_NO_MEMORY;
    }
    db->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, LMDB_FILE_MODE);
    if (db->lock_fd < 0) {
        int code = errno;
        snprintf(why, STORE_WHY_SIZE, "cannot open %s: %s", file, strerror(code));
        return status_of(code);
    }
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STORE_OK;
    int code = errno;
    bool taken = code == EWOULDBLOCK;
    snprintf(why, STORE_WHY_SIZE, "%s %s: %s",
             taken ? "another process has the database open, it holds" : "cannot lock", file, strerror(code));
    return taken ? STORE_LOCKED : status_of(code);
}

static int open_trees(struct lmdb *db)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(db->env, NULL, 0, &txn);
    if (code != MDB_SUCCESS)
        return code;
    for (size_t i = 0; i < ARRAY_SIZE(classes) && code == MDB_SUCCESS; i++) {
        char name[8];
        snprintf(name, sizeof name, "%u", classes[i]);
        code = mdb_dbi_open(txn, name, MDB_CREATE, &db->trees[classes[i]]);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return code;
    }
    return mdb_txn_commit(txn);
}

static int open_env(struct lmdb *db, const struct store_options *options)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int code = mdb_env_create(&db->env);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_mapsize(db->env, (store_max_bytes(options) + page - 1) / page * page);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxreaders(db->env, LMDB_READERS);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxdbs(db->env, ARRAY_SIZE(classes));
    unsigned flags = MDB_NOTLS | (options->sync ? 0 : MDB_NOSYNC);
    if (code == MDB_SUCCESS)
        code = mdb_env_open(db->env, options->path, flags, LMDB_FILE_MODE);
    return code != MDB_SUCCESS ? code : open_trees(db);
}

static void lmdb_close(void *arg)
{
    struct lmdb *db = arg;
    if (db == NULL)
        return;
    if (db->env != NULL)
        mdb_env_close(db->env);
    if (db->lock_fd >= 0)
        close(db->lock_fd);
    free(db);
}
DEFINE_DROP(lmdb, lmdb_close)

static enum store_status lmdb_open(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE])
{
    snprintf(why, STORE_WHY_SIZE, "out of memory");
    AUTO(lmdb) db = calloc(1, sizeof *db);
    if (db == NULL)
        return STORE_NO_MEMORY;
    db->lock_fd = -1;
    if (mkdir(options->path, LMDB_FOLDER_MODE) < 0 && errno != EEXIST) {
        int code = errno;
        snprintf(why, STORE_WHY_SIZE, "cannot make the directory %s: %s", options->path, strerror(code));
        return status_of(code);
    }
    enum store_status status = take_lock(db, options->path, why);
    if (status != STORE_OK)
        return status;
    int code = open_env(db, options);
    if (code != MDB_SUCCESS) {
        snprintf(why, STORE_WHY_SIZE, "cannot open the database in %s: %s", options->path, mdb_strerror(code));
        return status_of(code);
    }
    *out_db = TAKE(db);
    return STORE_OK;
}

static int begin_txn(struct lmdb *db, bool write, MDB_txn **out)
{
    int code = mdb_txn_begin(db->env, NULL, write ? 0 : MDB_RDONLY, out);
    if (code != MDB_READERS_FULL)
        return code;
    /* slots of readers that died without giving theirs back */
    int dead;
    code = mdb_reader_check(db->env, &dead);
    return code != MDB_SUCCESS ? code : mdb_txn_begin(db->env, NULL, MDB_RDONLY, out);
}

static enum store_status lmdb_begin(void *arg, bool write, void **out_txn)
{
    struct lmdb *db = arg;
    struct lmdb_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    txn->db = db;
    int code = begin_txn(db, write, &txn->txn);
    if (code != MDB_SUCCESS) {
        free(txn);
        return status_of(code);
    }
    *out_txn = txn;
    return STORE_OK;
}

static MDB_txn *unwrap(struct lmdb_txn *txn)
{
    MDB_txn *inner = txn->txn;
    if (txn->cursor != NULL)
        mdb_cursor_close(txn->cursor);
    free(txn);
    return inner;
}

static enum store_status lmdb_commit(void *txn)
{
    return status_of(mdb_txn_commit(unwrap(txn)));
}

static void lmdb_abort(void *txn)
{
    mdb_txn_abort(unwrap(txn));
}

static MDB_dbi tree_of(const struct lmdb_txn *txn, struct bytes key)
{
    CHECK(key.len > 0 && txn->db->trees[key.data[0]] != 0);
    return txn->db->trees[key.data[0]];
}

static enum store_status lmdb_get(void *arg, struct bytes key, struct bytes *out_value)
{
    struct lmdb_txn *txn = arg;
    MDB_val name = val_of(key), value;
    int code = mdb_get(txn->txn, tree_of(txn, key), &name, &value);
    if (code == MDB_SUCCESS)
        *out_value = bytes_of(value.mv_data, value.mv_size);
    return status_of(code);
}

static enum store_status lmdb_put(void *arg, struct bytes key, struct bytes value)
{
    struct lmdb_txn *txn = arg;
    MDB_val name = val_of(key), data = val_of(value);
    MDB_dbi tree = tree_of(txn, key);
    int code = mdb_put(txn->txn, tree, &name, &data, MDB_APPEND);
    if (code == MDB_KEYEXIST) /* its place is not at the end */
        code = mdb_put(txn->txn, tree, &name, &data, 0);
    return status_of(code);
}

static enum store_status lmdb_del(void *arg, struct bytes key)
{
    struct lmdb_txn *txn = arg;
    MDB_val name = val_of(key);
    return status_of(mdb_del(txn->txn, tree_of(txn, key), &name, NULL));
}

static int start_cursor(struct lmdb_txn *txn, struct bytes key)
{
    MDB_dbi tree = tree_of(txn, key);
    if (txn->cursor != NULL && mdb_cursor_dbi(txn->cursor) == tree)
        return MDB_SUCCESS;
    if (txn->cursor != NULL)
        mdb_cursor_close(TAKE(txn->cursor));
    return mdb_cursor_open(txn->txn, tree, &txn->cursor);
}

static enum store_status lmdb_seek(void *arg, struct bytes key, struct bytes *out_key)
{
    struct lmdb_txn *txn = arg;
    MDB_val found = val_of(key), value;
    int code = start_cursor(txn, key);
    if (code == MDB_SUCCESS)
        code = mdb_cursor_get(txn->cursor, &found, &value, MDB_SET_RANGE);
    if (code == MDB_SUCCESS)
        *out_key = bytes_of(found.mv_data, found.mv_size);
    return status_of(code);
}

static enum store_status lmdb_seek_before(void *arg, struct bytes key, struct bytes *out_key)
{
    struct lmdb_txn *txn = arg;
    MDB_val found = val_of(key), value;
    int code = start_cursor(txn, key);
    if (code != MDB_SUCCESS)
        return status_of(code);
    code = mdb_cursor_get(txn->cursor, &found, &value, MDB_SET_RANGE);
    if (code == MDB_SUCCESS || code == MDB_NOTFOUND)
        code = mdb_cursor_get(txn->cursor, &found, &value, code == MDB_SUCCESS ? MDB_PREV : MDB_LAST);
    if (code == MDB_SUCCESS)
        *out_key = bytes_of(found.mv_data, found.mv_size);
    return status_of(code);
}

const struct store_driver driver_lmdb = { "lmdb",   lmdb_open, lmdb_close, lmdb_begin, lmdb_commit,     lmdb_abort,
                                          lmdb_get, lmdb_put,  lmdb_del,   lmdb_seek,  lmdb_seek_before };
