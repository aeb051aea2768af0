/* A directory of small files that appear whole or not at all. */
#pragma once

#include "ca/ca.h"

#include "base/buf.h"

#include <sys/types.h>

struct file_to_write {
    const char *name;
    struct bytes text;
    mode_t mode;
};

enum { FILE_MODE_KEY = 0600, FILE_MODE_CERTIFICATE = 0644 };

MUST_USE bool files_make_directory(const char *directory, char why[static CA_WHY_SIZE]); /* fine when it exists */

/* Writes all under passing names, syncs them, and only then renames them: a crash before the first rename leaves
 * nothing behind that counts. */
MUST_USE bool files_write(const char *directory, const struct file_to_write *files, size_t count,
                          char why[static CA_WHY_SIZE]);

bool files_exists(const char *directory, const char *name);
/* Appends the file to `out`, whose maximum is the most that is read. */
MUST_USE bool files_read(const char *directory, const char *name, struct buf *out, char why[static CA_WHY_SIZE]);
