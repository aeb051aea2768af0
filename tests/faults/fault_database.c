/* The functions of LMDB that our driver calls, by the shape of their arguments; each begins with a pointer. */
#include "tests/faults/fault.h"

#define STAND_IN(name, parameters, arguments)                                                                          \
    int __real_##name parameters;                                                                                      \
    int __wrap_##name parameters;                                                                                      \
    int __wrap_##name parameters                                                                                       \
    {                                                                                                                  \
        return fault_strikes(FAULT_DATABASE) ? fault_code() : __real_##name arguments;                                 \
    }

STAND_IN(mdb_env_create, (void **out), (out))
STAND_IN(mdb_env_set_mapsize, (void *env, size_t size), (env, size))
STAND_IN(mdb_env_set_maxreaders, (void *env, unsigned count), (env, count))
STAND_IN(mdb_env_set_maxdbs, (void *env, unsigned count), (env, count))
STAND_IN(mdb_env_open, (void *env, const char *path, unsigned flags, unsigned mode), (env, path, flags, mode))
STAND_IN(mdb_env_info, (void *env, void *out), (env, out))
STAND_IN(mdb_env_stat, (void *env, void *out), (env, out))
STAND_IN(mdb_env_get_fd, (void *env, int *out), (env, out))
STAND_IN(mdb_env_copyfd2, (void *env, int fd, unsigned flags), (env, fd, flags))
STAND_IN(mdb_dbi_open, (void *txn, const char *name, unsigned flags, unsigned *out), (txn, name, flags, out))
STAND_IN(mdb_txn_begin, (void *env, void *parent, unsigned flags, void **out), (env, parent, flags, out))
STAND_IN(mdb_get, (void *txn, unsigned tree, void *key, void *value), (txn, tree, key, value))
STAND_IN(mdb_put, (void *txn, unsigned tree, void *key, void *value, unsigned flags), (txn, tree, key, value, flags))
STAND_IN(mdb_del, (void *txn, unsigned tree, void *key, void *value), (txn, tree, key, value))
STAND_IN(mdb_cursor_open, (void *txn, unsigned tree, void **out), (txn, tree, out))
STAND_IN(mdb_cursor_get, (void *cursor, void *key, void *value, int where), (cursor, key, value, where))

/* A commit that fails has ended the transaction. */
int __real_mdb_txn_commit(void *txn);
int __wrap_mdb_txn_commit(void *txn);
void mdb_txn_abort(void *txn);
int __wrap_mdb_txn_commit(void *txn)
{
    if (!fault_strikes(FAULT_DATABASE))
        return __real_mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return fault_code();
}
