/* The environment of LMDB: what its codes are to the store, opening and closing, and who uses it at the moment. For
 * driver_lmdb.c. */
#pragma once

#include "storage/driver.h"

#include <lmdb.h>
#include <pthread.h>

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

enum store_status lmdb_status(int code);
/* LMDB calls a write that was cut short an I/O error; the disk that has no room left is not broken. */
enum store_status lmdb_write_status(const struct lmdb *db, int code);
enum store_status lmdb_refuse(int code, const char *doing, const char *path, char why[static STORE_WHY_SIZE]);

/* As the driver's. */
enum store_status lmdb_open(const struct store_options *options, void **out_db, char why[static STORE_WHY_SIZE]);
void lmdb_close(void *db);

/* Nobody closes the environment between the two. NULL: it cannot be opened. */
MDB_env *lmdb_enter(struct lmdb *db);
void lmdb_leave(struct lmdb *db);
/* Enters it for the transaction's life. */
int lmdb_begin_txn(struct lmdb *db, unsigned flags, MDB_txn **out);
