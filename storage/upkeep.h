/* What an operator does with a store as a whole: check it, copy it, write all of it down and read it back. Each sees
 * one snapshot, beside the server's reads and writes; while it runs, the database cannot use the pages again that it
 * frees.
 */
#pragma once

#include "storage/store.h"

/* ---- check */

struct store_counts {
    uint64_t records;
    uint64_t keys;   /* of indexes */
    uint64_t faults; /* what does not fit: a damaged record, a record that an index misses, a key without its record */
};

struct store_listener {
    void (*fault)(void *arg, const char *sentence);
    bool (*progress)(void *arg, const struct store_counts *counts); /* now and then; false ends the work */
    void *arg;
};
enum { STORE_PROGRESS_STEPS = 10000 }; /* records or keys from one call of progress to the next */

/* Walks every record against its indexes and every index against its records. STORE_OK: the walk came to its end, and
 * `out` holds what it found; STORE_CLOSED: the listener ended it. */
MUST_USE enum store_status store_check(struct store *store, const struct store_listener *listener,
                                       struct store_counts *out);

/* ---- copy */

/* Writes the database to the file or pipe, as a file that a database directory takes as its data.mdb. */
MUST_USE enum store_status store_copy(struct store *store, int fd, char why[static STORE_WHY_SIZE]);

/* ---- export and import: one JSON object a line, {"account":{…}} and so for each record, between {"export":{…}} and
 * {"end":{…}} */

enum { STORE_EXPORT_VERSION = 1, STORE_LINE_MAX_BYTES = 16 << 20 };

/* STORE_IO also when `fd` takes no more. */
MUST_USE enum store_status store_export(struct store *store, int fd, char why[static STORE_WHY_SIZE]);

enum store_import_mode {
    STORE_IMPORT_EMPTY, /* only into a store without records */
    STORE_IMPORT_MERGE, /* a record takes the place of the one with its id */
};
/* Stops at the first line that is wrong, which `why` names; the lines in front of it may have been stored. `out` counts
 * the records. STORE_CORRUPT: what was read is wrong. */
MUST_USE enum store_status store_import(struct store *store, int fd, enum store_import_mode mode,
                                        const struct store_listener *listener, struct store_counts *out,
                                        char why[static STORE_WHY_SIZE]);
