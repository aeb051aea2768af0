/* The admin commands' way to a running server: HTTP over the Unix socket in its data directory. */
#pragma once

#include "base/json.h"

#define ADMIN_SOCKET "admin.sock" /* below the data directory */

enum { ADMIN_WHY_SIZE = 512, ADMIN_ANSWER_MAX_BYTES = 64 << 20 };

/* Sends one request (body NULL: none) and gives the answer's JSON object. On failure `why` is a sentence: no server
 * there, or what it said. */
MUST_USE bool admin_ask(const char *data_directory, const char *method, const char *path, const char *body,
                        json_t **out, char why[static ADMIN_WHY_SIZE]);
