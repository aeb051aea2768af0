/* Each class of keys has a B-tree of its own: what is inserted in the order of time is then inserted at its tree's end,
 * where LMDB (told so) fills pages instead of halving them. */
#include "storage/driver.h"

#include "storage/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { LMDB_READERS = 512, LMDB_FILE_MODE = 0600, LMDB_FOLDER_MODE = 0700, FULL_DISK_BYTES = 1 << 20 };

static const uint8_t classes[] = {
#define RECORD_CLASS(record, fields, number, id) number,
    RECORD_TABLE(RECORD_CLASS)
#define INDEX_CLASS(name, record, number) number,
        STORE_INDEX_TABLE(INDEX_CLASS) KEY_CLASS_SETTING
};

struct lmdb {
    char *path;
    size_t map_bytes;
    unsigned flags;
    int lock_fd;
    MDB_dbi trees[UINT8_MAX + 1]; /* by class; 0 is no tree */
    pthread_mutex_t lock;         /* guards the rest against the moment when the database is opened anew */
    MDB_env *env;
    size_t users; /* transactions and copies under way */
};

struct lmdb_txn {
    MDB_txn *txn;
    MDB_cursor *cursor; /* where the last seek was; NULL before the first */
    struct lmdb *db;
};

/* What each error is to the store, and what the operator can do about it at a start. */
static const struct code_row {
    int code;
    enum store_status status;
    const char *advice;
} code_rows[] = {
    { MDB_SUCCESS, STORE_OK, NULL },
    { MDB_NOTFOUND, STORE_NOT_FOUND, NULL },
    { MDB_MAP_FULL, STORE_FULL, "raise storage.max-size" },
    { MDB_TXN_FULL, STORE_FULL, NULL },
    { ENOSPC, STORE_FULL, "free some disk space" },
    { EDQUOT, STORE_FULL, "free some disk space, or raise this user's quota" },
    { EFBIG, STORE_FULL, "raise the limit on the size of files (ulimit -f)" },
    { MDB_CORRUPTED, STORE_CORRUPT, "restore a backup" },
    { MDB_PAGE_NOTFOUND, STORE_CORRUPT, "restore a backup" },
    { MDB_INVALID, STORE_CORRUPT, "restore a backup" },
    { MDB_INCOMPATIBLE, STORE_CORRUPT, "restore a backup" },
    { MDB_VERSION_MISMATCH, STORE_VERSION, NULL },
    { MDB_READERS_FULL, STORE_NO_MEMORY, NULL },
    { ENOMEM, STORE_NO_MEMORY, "lower storage.max-size, or allow more address space (ulimit -v)" },
    { EROFS, STORE_IO, "mount the file system for writing, or choose another directory with --data" },
    { EACCES, STORE_IO, "give it to this user, or choose another directory with --data" },
    { EMFILE, STORE_IO, "allow more open files (ulimit -n)" },
    { EIO, STORE_IO, "the disk reports errors: see the kernel's log" },
    { MDB_PANIC, STORE_IO, NULL },
};

static const struct code_row *row_of(int code)
{
    static const struct code_row unknown = { 0, STORE_IO, NULL };
    for (size_t i = 0; i < ARRAY_SIZE(code_rows); i++)
        if (code_rows[i].code == code)
            return &code_rows[i];
    return &unknown;
}

static enum store_status status_of(int code)
{
    return row_of(code)->status;
}

/* LMDB calls a write that was cut short an I/O error; the disk that has no room left is not broken. */
static enum store_status status_of_write(const struct lmdb *db, int code)
{
    struct statvfs disk;
    if (code == EIO && statvfs(db->path, &disk) == 0 &&
        (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)FULL_DISK_BYTES)
        return STORE_FULL;
    return status_of(code);
}

static enum store_status refuse(int code, const char *doing, const char *path, char why[static STORE_WHY_SIZE])
{
    const struct code_row *row = row_of(code);
    snprintf(why, STORE_WHY_SIZE, "cannot %s %s: %s%s%s", doing, path, mdb_strerror(code),
             row->advice != NULL ? "; " : "", row->advice != NULL ? row->advice : "");
    return row->status;
}

static MDB_val val_of(struct bytes bytes)
{
    return (MDB_val) { bytes.len, (void *)(uintptr_t)bytes.data };
}

/* flock belongs to the open file, so it also keeps out a second store in this process, where LMDB would lose its own
 * locks. */
static enum store_status take_lock(struct lmdb *db, char why[static STORE_WHY_SIZE])
{
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/lock", db->path) < 0) {
        file = NULL;
        return STORE_NO_MEMORY;
    }
    db->lock_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, LMDB_FILE_MODE);
    if (db->lock_fd < 0)
        return refuse(errno, "open", file, why);
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return STORE_OK;
    if (errno != EWOULDBLOCK)
        return refuse(errno, "lock", file, why);
    snprintf(why, STORE_WHY_SIZE, "another process has the database open: it holds %s", file);
    return STORE_LOCKED;
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

/* A page that the file has lost reads as zeros then, which LMDB calls damaged; behind the end of the file it would be
 * a SIGBUS. A whole file may be shorter too: pages that a transaction took and gave back were never written. */
static int fill_up(MDB_env *env)
{
    MDB_envinfo info;
    MDB_stat tree;
    struct stat file;
    int fd;
    int code = mdb_env_info(env, &info);
    if (code == MDB_SUCCESS)
        code = mdb_env_stat(env, &tree);
    if (code == MDB_SUCCESS)
        code = mdb_env_get_fd(env, &fd);
    if (code != MDB_SUCCESS)
        return code;
    off_t bytes = ((off_t)info.me_last_pgno + 1) * (off_t)tree.ms_psize;
    bool whole = fstat(fd, &file) == 0 && file.st_size >= bytes;
    return whole || ftruncate(fd, bytes) == 0 ? MDB_SUCCESS : errno;
}

static int open_env(struct lmdb *db)
{
    int code = mdb_env_create(&db->env);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_mapsize(db->env, db->map_bytes);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxreaders(db->env, LMDB_READERS);
    if (code == MDB_SUCCESS)
        code = mdb_env_set_maxdbs(db->env, ARRAY_SIZE(classes));
    if (code == MDB_SUCCESS)
        code = mdb_env_open(db->env, db->path, db->flags, LMDB_FILE_MODE);
    if (code == MDB_SUCCESS)
        code = fill_up(db->env);
    if (code == MDB_SUCCESS)
        code = open_trees(db);
    if (code != MDB_SUCCESS && db->env != NULL)
        mdb_env_close(TAKE(db->env));
    return code;
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
    pthread_mutex_destroy(&db->lock);
    free(db->path);
    free(db);
}
DEFINE_DROP(lmdb, lmdb_close)

static struct lmdb *create(const struct store_options *options)
{
    AUTO(lmdb) db = calloc(1, sizeof *db);
    if (db == NULL)
        return NULL;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    pthread_mutex_init(&db->lock, NULL);
    db->lock_fd = -1;
    db->map_bytes = (store_max_bytes(options) + page - 1) / page * page;
    db->flags = MDB_NOTLS | (options->sync ? 0 : MDB_NOSYNC);
    db->path = strdup(options->path);
    return db->path != NULL ? TAKE(db) : NULL;
}

/* LMDB maps its table of readers and writes to it: where the disk has no room for it, that is a SIGBUS. A slot takes a
 * cache line, what stands in front of them two, and a larger file would only give more slots. */
static int reserve_readers(const struct lmdb *db)
{
    enum { SLOT_BYTES = 64, SLOTS_IN_FRONT = 2 };
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/lock.mdb", db->path) < 0) {
        file = NULL;
        return ENOMEM;
    }
    int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, LMDB_FILE_MODE);
    if (fd < 0)
        return errno;
    int code = posix_fallocate(fd, 0, (LMDB_READERS + SLOTS_IN_FRONT) * SLOT_BYTES);
    close(fd);
    return code;
}

static bool holds_data(const char *file)
{
    struct stat found;
    return stat(file, &found) == 0 ? found.st_size > 0 : errno != ENOENT;
}

/* A database that could not be made whole is not left behind: the next start would call it damaged. */
static int open_or_make(struct lmdb *db)
{
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/data.mdb", db->path) < 0) {
        file = NULL;
        return ENOMEM;
    }
    bool held_data = holds_data(file);
    int code = open_env(db);
    if (code != MDB_SUCCESS && !held_data)
        unlink(file);
    return code;
}

static enum store_status lmdb_open(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE])
{
    snprintf(why, STORE_WHY_SIZE, "out of memory");
    AUTO(lmdb) db = create(options);
    if (db == NULL)
        return STORE_NO_MEMORY;
    if (mkdir(db->path, LMDB_FOLDER_MODE) < 0 && errno != EEXIST)
        return refuse(errno, "make the directory", db->path, why);
    enum store_status status = take_lock(db, why);
    if (status != STORE_OK)
        return status;
    int code = reserve_readers(db);
    if (code == MDB_SUCCESS)
        code = open_or_make(db);
    if (code != MDB_SUCCESS)
        return refuse(code, "open the database in", db->path, why);
    *out_db = TAKE(db);
    return STORE_OK;
}

/* A commit whose last write failed leaves LMDB unwilling to begin anything until the database is opened again, which
 * can only be while nobody uses it. */
static int open_again(struct lmdb *db)
{
    if (db->users > 0)
        return MDB_PANIC;
    if (db->env != NULL)
        mdb_env_close(TAKE(db->env));
    return open_env(db);
}

static int begin_in(MDB_env *env, unsigned flags, MDB_txn **out)
{
    int code = mdb_txn_begin(env, NULL, flags, out);
    if (code != MDB_READERS_FULL)
        return code;
    /* slots of readers that died without giving theirs back */
    int dead;
    code = mdb_reader_check(env, &dead);
    return code != MDB_SUCCESS ? code : mdb_txn_begin(env, NULL, flags, out);
}

/* Counts as a user before it begins, so that nobody closes the environment meanwhile; and begins without the lock, for
 * LMDB's own writer lock must never be taken under ours (a writer's job may read). NULL: it cannot be opened. */
static MDB_env *enter(struct lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    MDB_env *env = db->env != NULL || open_again(db) == MDB_SUCCESS ? db->env : NULL;
    db->users += env != NULL;
    pthread_mutex_unlock(&db->lock);
    return env;
}

static void leave(struct lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    db->users--;
    pthread_mutex_unlock(&db->lock);
}

static bool renew(struct lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    bool renewed = open_again(db) == MDB_SUCCESS;
    pthread_mutex_unlock(&db->lock);
    return renewed;
}

static int begin_once(struct lmdb *db, unsigned flags, MDB_txn **out)
{
    MDB_env *env = enter(db);
    int code = env != NULL ? begin_in(env, flags, out) : MDB_PANIC;
    if (env != NULL && code != MDB_SUCCESS)
        leave(db);
    return code;
}

static int begin_txn(struct lmdb *db, unsigned flags, MDB_txn **out)
{
    int code = begin_once(db, flags, out);
    return code == MDB_PANIC && renew(db) ? begin_once(db, flags, out) : code;
}

static enum store_status lmdb_begin(void *arg, bool write, void **out_txn)
{
    struct lmdb *db = arg;
    struct lmdb_txn *txn = calloc(1, sizeof *txn);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    txn->db = db;
    int code = begin_txn(db, write ? 0 : MDB_RDONLY, &txn->txn);
    if (code != MDB_SUCCESS) {
        free(txn);
        return status_of(code);
    }
    *out_txn = txn;
    return STORE_OK;
}

static void close_cursor(struct lmdb_txn *txn)
{
    if (txn->cursor != NULL)
        mdb_cursor_close(TAKE(txn->cursor));
}

static enum store_status lmdb_commit(void *arg)
{
    struct lmdb_txn *txn = arg;
    close_cursor(txn);
    enum store_status status = status_of_write(txn->db, mdb_txn_commit(txn->txn));
    leave(txn->db);
    free(txn);
    return status;
}

static void lmdb_abort(void *arg)
{
    struct lmdb_txn *txn = arg;
    close_cursor(txn);
    mdb_txn_abort(txn->txn);
    leave(txn->db);
    free(txn);
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
    return status_of_write(txn->db, code);
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
    close_cursor(txn);
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

/* The copy's own transaction is a reader too. */
static enum store_status lmdb_copy(void *arg, int fd, char why[static STORE_WHY_SIZE])
{
    struct lmdb *db = arg;
    pthread_mutex_lock(&db->lock);
    int code = db->env != NULL ? MDB_SUCCESS : open_again(db);
    db->users += code == MDB_SUCCESS;
    pthread_mutex_unlock(&db->lock);
    if (code != MDB_SUCCESS)
        return refuse(code, "open the database in", db->path, why);
    code = mdb_env_copyfd2(db->env, fd, MDB_CP_COMPACT);
    leave(db);
    return code == MDB_SUCCESS ? STORE_OK : refuse(code, "copy the database in", db->path, why);
}

const struct store_driver driver_lmdb = { "lmdb",   lmdb_open, lmdb_close, lmdb_begin, lmdb_commit,      lmdb_abort,
                                          lmdb_get, lmdb_put,  lmdb_del,   lmdb_seek,  lmdb_seek_before, lmdb_copy };
