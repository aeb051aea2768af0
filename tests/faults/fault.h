/* Makes the Nth call of a group of functions fail, in this process: the calls of our own code (the linker's --wrap)
 * and, for those of the C library, also the calls that the database library makes. One plan at a time, for all threads.
 */
#pragma once

#include "base/macros.h"

enum fault_group {
    FAULT_MEMORY = 1,   /* malloc, calloc, realloc */
    FAULT_DATABASE = 2, /* mdb_* */
    FAULT_WRITE = 4,    /* write, pwrite, writev, ftruncate */
    FAULT_SYNC = 8,     /* fdatasync, fsync, msync */
    FAULT_OPEN = 16,    /* open, mmap */
    FAULT_THREAD = 32,  /* pthread_create */
};

struct fault {
    unsigned groups;
    int at;       /* the number of the call, from 1 */
    bool forever; /* and of all that follow it */
    bool shorter; /* writes: of the first one that fails half is written, as on a disk that gets full */
    int code;     /* errno, or LMDB's */
};

void fault_arm(const struct fault *fault);
bool fault_disarm(void); /* whether a call failed */

/* For the functions that stand in for others: whether this call is to fail. Sets errno. */
bool fault_strikes(enum fault_group group);
int fault_code(void);
bool fault_shortens(void);
