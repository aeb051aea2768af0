/* A plan of faults that a program under test and its tester share through a mapped file; the program finds the file's
 * path in the environment and has preload.c loaded in front of the C library (LD_PRELOAD). */
#pragma once

#include <stdatomic.h>

#define PRELOAD_PLAN "FAULT_PLAN"

enum preload_group {
    PRELOAD_NOTHING,
    PRELOAD_MEMORY, /* malloc, calloc, realloc, as the program itself, LMDB and jansson call them */
    PRELOAD_CRYPTO, /* the same, as OpenSSL calls them */
    PRELOAD_FILE,   /* write, pwrite, writev to files; fdatasync, fsync; open */
    PRELOAD_SOCKET, /* socket, accept, connect, send, recv, epoll */
    PRELOAD_GROUPS
};

struct preload_plan {
    atomic_int group, at; /* the call that fails, from 1 */
    atomic_int forever;   /* and all that follow it */
    atomic_int calls, struck;
};
