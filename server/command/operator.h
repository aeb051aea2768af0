/* What the operator's commands for a running server share: their options, and asking it. */
#pragma once

#include "base/json.h"

enum { OPERATOR_WORDS_MAX = 128 };

struct operator_line {
    const char *data, *account, *comment, *after, *profile, *replaces;
    bool json, help;
    const char *words[OPERATOR_WORDS_MAX + 1]; /* NULL-ended; the command itself is none */
    size_t word_count;
};

/* argv[0] is the command. False: an option is unknown, lacks its value, or there are too many words; that was said. */
MUST_USE bool operator_read(int argc, char **argv, struct operator_line *out);
/* Asks at this path; gives the answer, and prints it when --json is set. False: said on standard error. */
MUST_USE bool operator_ask(const struct operator_line *line, const char *method, const struct buf *path,
                           const struct buf *body, json_t **out);
MUST_USE bool operator_send(const struct operator_line *line, const char *method, const char *path,
                            const struct buf *body, json_t **out);
/* Appends a query's argument, percent-encoded; none for a value NULL. */
void operator_argument(struct buf *path, const char *name, const char *value);

/* A table of objects' members, its columns as wide as what they hold. */
struct operator_column {
    const char *title, *member;
};
void operator_table(const struct operator_column *columns, size_t count, const json_t *rows);
