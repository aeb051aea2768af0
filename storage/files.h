/* What stands in a database's directory beside the database, and the disk below it. Codes are errno's; 0 is good. */
#pragma once

#include "base/macros.h"

enum { FILES_MODE = 0600 };

/* Who holds the lock has the database open: EWOULDBLOCK when it is held already, also by this process. */
MUST_USE int files_lock(const char *directory, int *out_fd);

/* Makes the file so long that a map of it can be written to: where a disk has no room, that would be a SIGBUS. */
MUST_USE int files_reserve(const char *directory, const char *name, size_t bytes);

MUST_USE bool files_hold_data(const char *file); /* also when nobody can tell */
MUST_USE bool files_disk_is_full(const char *directory);

/* Makes an open file at least so long; what is added reads as zeros. */
MUST_USE int files_fill_up(int fd, size_t bytes);
