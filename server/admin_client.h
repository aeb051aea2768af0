/* The admin commands' way to a running server: HTTP over the Unix socket in its data directory. */
#pragma once

#include "base/json.h"

#define ADMIN_SOCKET "admin.sock" /* below the data directory */

enum { ADMIN_WHY_SIZE = 512, ADMIN_ANSWER_MAX_BYTES = 64 << 20 };

/* GETs `path` and gives the answer's JSON object. On failure `why` is a sentence: no server there, or what it said. */
MUST_USE bool admin_get(const char *data_directory, const char *path, json_t **out, char why[static ADMIN_WHY_SIZE]);
