/* The version of what is on disk, and the steps that bring an older database forward, each one row. */
#pragma once

#include "storage/txn.h"

struct migration {
    unsigned to; /* the version that the database has afterwards */
    void (*run)(struct store_txn *txn);
};

struct schema {
    const struct migration *steps; /* ascending */
    size_t count;
};

/* Ours. Append-only. */
extern const struct schema store_schema;

/* Brings a record from an old database or an old export to the form of today. */
void schema_modernize(const struct record_type *type, void *record);

/* Runs the steps that the database lacks; all of them, or none, are in the transaction. A database without a version
 * has just been made. `where` names it to the operator. The error sticks to the transaction as well. */
MUST_USE enum store_status schema_settle(struct store_txn *txn, const struct schema *schema, const char *where,
                                         char why[static STORE_WHY_SIZE]);
