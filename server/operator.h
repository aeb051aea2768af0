/* What the operator's commands for a running server share: their options, and asking it. */
#pragma once

#include "base/json.h"

enum { OPERATOR_WORDS_MAX = 128 };

struct operator_line {
    const char *data, *account, *comment, *after;
    bool json, help;
    const char *words[OPERATOR_WORDS_MAX + 1]; /* NULL-ended; the command itself is none */
    size_t word_count;
};

/* argv[0] is the command. False: an option is unknown, lacks its value, or there are too many words; getopt said it. */
MUST_USE bool operator_read(int argc, char **argv, struct operator_line *out);
/* Sends the body (NULL: none) and gives the answer; prints it when --json is set. False: said on standard error. */
MUST_USE bool operator_ask(const struct operator_line *line, const char *method, const char *path, const char *body,
                           json_t **out);
/* Appends one segment of a path, or a value of a query, percent-encoded. */
void operator_encode(struct buf *path, const char *value);
