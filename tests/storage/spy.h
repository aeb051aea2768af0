/* A driver that passes everything on to the memory driver, counts, and fails where it is told to. One at a time. */
#pragma once

#include "storage/driver.h"

#include <stdatomic.h>

struct spy {
    atomic_int write_commits;
    atomic_int calls;            /* get, put, del, seek, begin and commit of write transactions */
    atomic_int fail_call;        /* the number of the call that fails; 0: none */
    enum store_status fail_with; /* set before the store is opened */
    void *db;                    /* the memory driver's */
};

extern struct spy spy;
extern const struct store_driver driver_spy;

void spy_reset(void);
/* How many keys the database holds. */
size_t spy_count_keys(void);
