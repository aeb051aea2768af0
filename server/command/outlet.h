/* Where a command writes much to: a file that appears under its name only when it is whole, or standard output; and the
 * line on standard error that says how far it is when that takes longer than two seconds. */
#pragma once

#include "base/buf.h"

struct progress {
    const char *what; /* "records" */
    uint64_t count;
    int64_t began_ms, told_ms;
};

void progress_add(struct progress *progress, uint64_t more);
void progress_set(struct progress *progress, uint64_t count);
void progress_end(const struct progress *progress); /* ends the line, if there is one */

enum { OUTLET_WHY_SIZE = 300 };
struct outlet {
    const char *name; /* "-": standard output */
    int fd;
    struct buf part; /* the file's name until it is whole */
};

MUST_USE bool outlet_open(struct outlet *outlet, const char *name, char why[static OUTLET_WHY_SIZE]);
MUST_USE bool outlet_write(struct outlet *outlet, const char *data, size_t len, char why[static OUTLET_WHY_SIZE]);
/* Syncs, and gives the file its name. */
MUST_USE bool outlet_keep(struct outlet *outlet, char why[static OUTLET_WHY_SIZE]);
void outlet_close(struct outlet *outlet); /* removes what was not kept */

/* Makes a rename in the directory last. */
MUST_USE bool sync_directory(const char *directory);
