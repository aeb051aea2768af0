/* What came out of long work, a validation or a signature, on its way into the store: when it cannot be stored, as on a
 * full disk, that is tried again until it can. Nothing is asked or signed anew for it. */
#pragma once

#include "server/caraway.h"
#include "server/protocol/later.h"

struct outcome { /* embedded in the work; stays until `stored` has begun */
    struct caraway *caraway;
    void (*work)(struct store_txn *txn, void *arg); /* as a store's job: may run more than once */
    void (*stored)(void *arg);                      /* on the writer thread; must not block */
    void *arg;
    const char *what, *id; /* for the log: "order", the order's id */

    struct store_job job; /* what follows is its own */
    struct later_task again;
    int64_t pause_ms;
};
void outcome_store(struct outcome *outcome);
