/* Files of the command line: read whole, written whole or not at all. */
#pragma once

#include "test-client/exchange.h"

/* Reads at most buf->max bytes. False with `why` ("cannot read x.key: …"). */
MUST_USE bool tc_file_read(const char *path, struct buf *out, char why[static TC_WHY_SIZE]);
/* Writes beside the target and renames, so that a reader never sees half of it. `mode` as in open(2). */
MUST_USE bool tc_file_write(const char *path, struct bytes content, unsigned mode, char why[static TC_WHY_SIZE]);
/* Makes the folder and those above it where they are missing, private to the user. */
MUST_USE bool tc_folder_make(const char *path, char why[static TC_WHY_SIZE]);
