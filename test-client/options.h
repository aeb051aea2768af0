/* The command line as a table: one row an option gives its parser, its limits and its line in --help. */
#pragma once

#include "test-client/exchange.h"

enum tc_option_kind {
    TC_OPTION_TEXT,   /* const char * */
    TC_OPTION_LIST,   /* struct tc_option_list */
    TC_OPTION_NUMBER, /* long, within min and max */
    TC_OPTION_FLAG,   /* bool */
    TC_OPTION_CHOICE, /* int: index into choices */
};

enum { TC_OPTION_LIST_MAX = 100 };

struct tc_option_list {
    const char *items[TC_OPTION_LIST_MAX];
    size_t count;
};

struct tc_option {
    const char *name;  /* without "--" */
    const char *value; /* "FILE"; NULL for flags */
    const char *help;
    enum tc_option_kind kind;
    size_t offset; /* of the variable in the command's struct */
    long min, max;
    const char *const *choices; /* NULL-ended */
};

/* Reads `--name value`, `--name=value` and `--flag` into the struct, whose texts are then loans from argv. False with
 * `why` for anything else. */
MUST_USE bool tc_options_parse(const struct tc_option *options, size_t count, int argc, char **argv, void *out,
                               char why[static TC_WHY_SIZE]);
/* One aligned line an option. */
void tc_options_help(const struct tc_option *options, size_t count, struct buf *out);
