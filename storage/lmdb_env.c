/* Each class of keys has a B-tree of its own: what is inserted in the order of time is then inserted at its tree's end,
 * where LMDB (told so) fills pages instead of halving them. */
#include "storage/lmdb_env.h"

#include "storage/files.h"
#include "storage/guard.h"
#include "storage/keys.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LMDB_READERS = 512, LMDB_FOLDER_MODE = 0700 };

static const uint8_t classes[] = {
#define RECORD_CLASS(record, fields, number, id) number,
    RECORD_TABLE(RECORD_CLASS)
#define INDEX_CLASS(name, record, number) number,
        STORE_INDEX_TABLE(INDEX_CLASS) KEY_CLASS_SETTING
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

enum store_status lmdb_status(int code)
{
    return row_of(code)->status;
}

enum store_status lmdb_write_status(const struct lmdb *db, int code)
{
    return code == EIO && files_disk_is_full(db->path) ? STORE_FULL : lmdb_status(code);
}

enum store_status lmdb_refuse(int code, const char *doing, const char *path, char why[static STORE_WHY_SIZE])
{
    const struct code_row *row = row_of(code);
    snprintf(why, STORE_WHY_SIZE, "cannot %s %s: %s%s%s", doing, path, mdb_strerror(code),
             row->advice != NULL ? "; " : "", row->advice != NULL ? row->advice : "");
    return row->status;
}

static enum store_status take_lock(struct lmdb *db, char why[static STORE_WHY_SIZE])
{
    int code = files_lock(db->path, &db->lock_fd);
    if (code == 0)
        return STORE_OK;
    if (code != EWOULDBLOCK)
        return lmdb_refuse(code, "lock the database in", db->path, why);
    snprintf(why, STORE_WHY_SIZE, "another process has the database open: it holds %s/lock", db->path);
    return STORE_LOCKED;
}

static int open_tree(struct lmdb *db, MDB_txn *txn, uint8_t class, unsigned flags)
{
    char name[8];
    snprintf(name, sizeof name, "%u", class);
    return mdb_dbi_open(txn, name, flags, &db->trees[class]);
}

/* How many trees there are is in another page than their names: one that is not found may be lost, and must not be made
 * anew then. An older database has fewer trees than we know, a newer one more. */
static int find_trees(struct lmdb *db, MDB_txn *txn)
{
    MDB_stat main;
    size_t found = 0;
    int code = mdb_env_stat(db->env, &main);
    for (size_t i = 0; i < ARRAY_SIZE(classes) && (code == MDB_SUCCESS || code == MDB_NOTFOUND); i++) {
        code = open_tree(db, txn, classes[i], 0);
        found += code == MDB_SUCCESS;
    }
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND)
        return code;
    size_t expected = main.ms_entries < ARRAY_SIZE(classes) ? main.ms_entries : ARRAY_SIZE(classes);
    return found < expected ? MDB_CORRUPTED : MDB_SUCCESS;
}

static int open_trees(struct lmdb *db)
{
    MDB_txn *txn;
    int code = mdb_txn_begin(db->env, NULL, 0, &txn);
    if (code != MDB_SUCCESS)
        return code;
    code = find_trees(db, txn);
    for (size_t i = 0; i < ARRAY_SIZE(classes) && code == MDB_SUCCESS; i++)
        code = open_tree(db, txn, classes[i], MDB_CREATE);
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
    int fd;
    int code = mdb_env_info(env, &info) ?: mdb_env_stat(env, &tree) ?: mdb_env_get_fd(env, &fd);
    if (code != MDB_SUCCESS)
        return code;
    bool fits = info.me_last_pgno < info.me_mapsize / tree.ms_psize;
    return fits ? files_fill_up(fd, (info.me_last_pgno + 1) * tree.ms_psize) : MDB_CORRUPTED;
}

static void on_assertion(MDB_env *env, const char *what)
{
    (void)env;
    (void)what;
    guard_give_up();
}

static int open_call(void *arg)
{
    struct lmdb *db = arg;
    int code = mdb_env_create(&db->env) ?: mdb_env_set_assert(db->env, on_assertion)
            ?: mdb_env_set_mapsize(db->env, db->map_bytes) ?: mdb_env_set_maxreaders(db->env, LMDB_READERS)
            ?: mdb_env_set_maxdbs(db->env, ARRAY_SIZE(classes))
            ?: mdb_env_open(db->env, db->path, db->flags, FILES_MODE) ?: fill_up(db->env) ?: open_trees(db);
    if (code != MDB_SUCCESS && db->env != NULL)
        mdb_env_close(TAKE(db->env));
    return code;
}

static int open_env(struct lmdb *db)
{
    int code = guard_run(GUARD_READS, open_call, db, MDB_CORRUPTED);
    if (code != MDB_SUCCESS)
        db->env = NULL; /* given up, it is not closed: nobody knows what it holds */
    return code;
}

void lmdb_close(void *arg)
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

/* LMDB maps its table of readers and writes to it. A slot takes a cache line, what stands in front of them two, and a
 * larger file would only give more slots. */
static int reserve_readers(const struct lmdb *db)
{
    enum { SLOT_BYTES = 64, SLOTS_IN_FRONT = 2 };
    return files_reserve(db->path, "lock.mdb", (LMDB_READERS + SLOTS_IN_FRONT) * SLOT_BYTES);
}

/* A database that could not be made whole is not left behind: the next start would call it damaged. */
static int open_or_make(struct lmdb *db)
{
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/data.mdb", db->path) < 0) {
        file = NULL;
        return ENOMEM;
    }
    bool held_data = files_hold_data(file);
    int code = open_env(db);
    if (code != MDB_SUCCESS && !held_data)
        unlink(file);
    return code;
}

enum store_status lmdb_open(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE])
{
    snprintf(why, STORE_WHY_SIZE, "out of memory");
    guard_install();
    AUTO(lmdb) db = create(options);
    if (db == NULL)
        return STORE_NO_MEMORY;
    if (mkdir(db->path, LMDB_FOLDER_MODE) < 0 && errno != EEXIST)
        return lmdb_refuse(errno, "make the directory", db->path, why);
    enum store_status status = take_lock(db, why);
    if (status != STORE_OK)
        return status;
    int code = reserve_readers(db);
    if (code == MDB_SUCCESS)
        code = open_or_make(db);
    if (code != MDB_SUCCESS)
        return lmdb_refuse(code, "open the database in", db->path, why);
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
MDB_env *lmdb_enter(struct lmdb *db)
{
    pthread_mutex_lock(&db->lock);
    MDB_env *env = db->env != NULL || open_again(db) == MDB_SUCCESS ? db->env : NULL;
    db->users += env != NULL;
    pthread_mutex_unlock(&db->lock);
    return env;
}

void lmdb_leave(struct lmdb *db)
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
    MDB_env *env = lmdb_enter(db);
    int code = env != NULL ? begin_in(env, flags, out) : MDB_PANIC;
    if (env != NULL && code != MDB_SUCCESS)
        lmdb_leave(db);
    return code;
}

int lmdb_begin_txn(struct lmdb *db, unsigned flags, MDB_txn **out)
{
    int code = begin_once(db, flags, out);
    return code == MDB_PANIC && renew(db) ? begin_once(db, flags, out) : code;
}
