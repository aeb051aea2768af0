/* Keys with a prefix, one after the other. */
#pragma once

#include "storage/keys.h"
#include "storage/txn.h"

struct scan {
    struct key prefix;
    struct key at; /* where the next key is sought: not before it, or before it when newest first */
    bool newest_first;
    bool by_time;
};

/* From the start, or behind the position `after`; false when that is none. */
MUST_USE bool scan_start(struct scan *scan, const char *after);
/* What stands behind the prefix in the next key; valid until the next put, del, or the end. False: no more keys, or the
 * transaction has failed. */
MUST_USE bool scan_next(struct store_txn *txn, struct scan *scan, struct bytes *out_tail);
