/* The admin commands' way to a running server: HTTP over the Unix socket in its data directory. */
#pragma once

#include "base/json.h"

#define ADMIN_SOCKET "admin.sock" /* below the data directory */

enum { ADMIN_WHY_SIZE = 512, ADMIN_ANSWER_MAX_BYTES = 64 << 20 };

/* Sends one request (body NULL: none) and gives the answer's JSON object. On failure `why` is a sentence: no server
 * there, or what it said. */
MUST_USE bool admin_ask(const char *data_directory, const char *method, const char *path, const char *body,
                        json_t **out, char why[static ADMIN_WHY_SIZE]);

/* The same for an answer of any length, given block by block; `take` returns false to break off. */
enum admin_end {
    ADMIN_ANSWERED,
    ADMIN_NO_SERVER, /* none is running for this data directory */
    ADMIN_FAILED,
};
typedef bool admin_take(void *arg, const char *data, size_t len);
MUST_USE enum admin_end admin_stream(const char *data_directory, const char *path, admin_take *take, void *arg,
                                     char why[static ADMIN_WHY_SIZE]);
