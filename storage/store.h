/* The store speaks records in transactions. One database per handle, thread-safe, opened by one process at a time.
 *
 * Reads: a read transaction sees one consistent snapshot; records are copied into the caller's arena. Keep it short and
 * on one thread. Writes: a job's `work` runs on the writer thread, together with others in one transaction with one
 * sync (group commit); `done` is called after the commit. `work` first checks, then writes: a refusal writes nothing.
 * It may run twice (the batch failed and its jobs are run one by one), so it starts its outputs anew. No signing,
 * parsing or network inside. The first error sticks to the transaction: gets then find nothing, puts do nothing, commit
 * reports. */
#pragma once

#include "storage/records.h"

#define STORE_STATUS_TABLE(X)                                                                                          \
    X(OK, "done")                                                                                                      \
    X(NOT_FOUND, "not found")                                                                                          \
    X(FULL, "no space left for the database")                                                                          \
    X(IO, "the database could not be read or written")                                                                 \
    X(CORRUPT, "the database is damaged")                                                                              \
    X(NO_MEMORY, "out of memory")                                                                                      \
    X(LOCKED, "another process has the database open")                                                                 \
    X(VERSION, "the database was written by a newer version")                                                          \
    X(CLOSED, "the store is shutting down")

enum store_status {
#define X(name, text) STORE_##name,
    STORE_STATUS_TABLE(X)
#undef X
};
const char *store_status_text(enum store_status status);

struct store;
struct store_txn;

/* driver: "lmdb" (in `path`, a directory that is made when missing) or "memory" (path unused). On failure `why` says it
 * in a sentence for the operator. */
struct store_options {
    const char *driver;
    const char *path;
    int64_t max_bytes; /* most the database may grow to (lmdb: address space, not disk); 0: 16 GiB */
    bool sync;         /* false: a crash of the machine may lose the last commits (never of the process) */
};
enum { STORE_WHY_SIZE = 256 };
MUST_USE enum store_status store_open(const struct store_options *options, struct store **out,
                                      char why[static STORE_WHY_SIZE]);
/* Runs every job that was submitted, then closes. No job may be submitted from then on. */
void store_drop(struct store *store);
DEFINE_DROP(store, store_drop)

struct store_job {
    void (*work)(struct store_txn *txn, void *arg);
    void (*done)(void *arg, enum store_status status); /* on the writer thread; must not block */
    void *arg;
    struct store_job *next; /* the store's, from submit to done */
};
/* The job (caller's memory) must live until its done has begun. Never blocks. */
void store_submit(struct store *store, struct store_job *job);
/* Submits and waits: for start-up, janitor and tests, never on a web, validator or writer thread. */
MUST_USE enum store_status store_write(struct store *store, void (*work)(struct store_txn *, void *), void *arg);

/* NULL when memory or readers are out. Ends the snapshot. */
MUST_USE struct store_txn *store_begin_read(struct store *store);
void store_end_read(struct store_txn *txn);
DEFINE_DROP(store_txn, store_end_read)

enum store_status store_txn_status(const struct store_txn *txn);
/* Makes the transaction fail: for a work function that cannot go on (memory out). */
void store_txn_fail(struct store_txn *txn, enum store_status status);

enum { STORE_ID_MAX_BYTES = 64, STORE_PAGE_MAX = 1000 };

/* For each record R of the table:
 *   bool store_get_R(txn, arena, id, &out)  false: no such record, or the transaction has failed (arena full included)
 *   void store_put_R(txn, &record)          inserts or replaces; keeps every index of the record; its id has 1 to
 *                                           STORE_ID_MAX_BYTES bytes
 *   void store_delete_R(txn, id)            with its indexes; no record is no error */
#define X(record, fields, class, id_field)                                                                             \
    MUST_USE bool store_get_##record(struct store_txn *txn, struct arena *arena, const char *id, struct record *out);  \
    void store_put_##record(struct store_txn *txn, const struct record *value);                                        \
    void store_delete_##record(struct store_txn *txn, const char *id);
RECORD_TABLE(X)
#undef X
/* A record of any class into its struct, where one that is damaged is no reason to stop: the transaction goes on. The
 * status is that of this record alone: NOT_FOUND, CORRUPT, or NO_MEMORY when the arena is too small for it. */
MUST_USE enum store_status store_read(struct store_txn *txn, struct arena *arena, enum record_class class,
                                      const char *id, void *out);

/* Indexes: name, record, what the subject is. Numbers are on disk: append-only. Listed in the order of ids (time). */
#define STORE_INDEX_TABLE(X)                                                                                           \
    X(ACCOUNT_BY_KEY, account, 32) /* subject: thumbprint */                                                           \
    X(ORDER_BY_ACCOUNT, order, 33) /* subject: account id */                                                           \
    X(AUTHORIZATION_BY_NAME, authorization,                                                                            \
      34) /* valid ones; subject: account id "/" type ":" value, "*." for wildcards, "**." with subdomains */          \
    X(AUTHORIZATION_PROCESSING, authorization, 35) /* subject: ""; a challenge is processing */                        \
    X(CERTIFICATE_BY_ACCOUNT, certificate, 36)     /* subject: account id */                                           \
    X(CERTIFICATE_BY_NAME, certificate, 37)        /* subject: type ":" labels reversed ("dns:test.example.www") */    \
    X(CERTIFICATE_BY_SET, certificate, 38)         /* subject: SHA-256 of the sorted identifiers, hex */               \
    X(CERTIFICATE_BY_KEY, certificate, 39)         /* subject: hex of key_hash */                                      \
    X(EXPIRY_ORDER, order, 40)                     /* subject: ""; ids are preceded by the expiry, so in its order */  \
    X(EXPIRY_AUTHORIZATION, authorization, 41)                                                                         \
    X(EXPIRY_CERTIFICATE, certificate, 42)                                                                             \
    X(ORDER_PROCESSING, order, 43)          /* subject: ""; the order is in processing */                              \
    X(PAUSE_BY_ACCOUNT, pause, 44)          /* subject: account id; the paused ones */                                 \
    X(WEBHOOK_DUE, webhook_event, 45)       /* subject: ""; those not given up, in the order of their next attempt */  \
    X(ACCOUNT_BY_EXTERNAL_KEY, account, 46) /* subject: id of the external account key */

enum store_index {
#define X(name, record, number) STORE_##name = number,
    STORE_INDEX_TABLE(X)
#undef X
};

/* Subjects as the indexes build them, in the arena; NULL when memory is out. A set need not be sorted. */
MUST_USE const char *store_subject_of_name(struct arena *arena, const struct acme_identifier *identifier);
MUST_USE const char *store_subject_of_set(struct arena *arena, const struct identifiers *set);
enum authorization_scope {
    SCOPE_NAME,       /* the name itself */
    SCOPE_WILDCARD,   /* "*." in front of it */
    SCOPE_SUBDOMAINS, /* it and every name below it (RFC 9444) */
};
MUST_USE const char *store_subject_of_authorization(struct arena *arena, const char *account,
                                                    const struct acme_identifier *identifier,
                                                    enum authorization_scope scope);

/* The one id under a unique index, in the arena; NULL when there is none. */
MUST_USE const char *store_find(struct store_txn *txn, struct arena *arena, enum store_index index,
                                const char *subject);

/* A page of ids: at most `limit` ids (never more than STORE_PAGE_MAX) under `subject`, after the key position `after`
 * (NULL: from the start). out->next is where the next page begins, or NULL at the end. Ids and next live in the arena.
 * False when `after` is no position or the transaction has failed. */
struct store_page {
    struct texts ids;
    const char *next;
};
MUST_USE bool store_list(struct store_txn *txn, struct arena *arena, enum store_index index, const char *subject,
                         const char *after, size_t limit, bool newest_first, struct store_page *out);
/* Where to begin in an index in the order of expiry, so that what ends before `ms` is passed over. NULL: memory is out.
 */
MUST_USE const char *store_position_from(struct arena *arena, int64_t ms);
/* The same over all records of a class, newest first when `newest_first`. */
MUST_USE bool store_list_all(struct store_txn *txn, struct arena *arena, enum record_class class, const char *after,
                             size_t limit, bool newest_first, struct store_page *out);

/* Named values of the server itself (schema version, keys' ids). */
MUST_USE const char *store_get_setting(struct store_txn *txn, struct arena *arena, const char *name);
void store_put_setting(struct store_txn *txn, const char *name, const char *value);
