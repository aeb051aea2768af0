/* The commands of caraway-client: one row each in main.c. */
#pragma once

#include "test-client/options.h"

enum { TC_EXIT_DONE = 0, TC_EXIT_FAILED = 1, TC_EXIT_USAGE = 2 };

struct tc_command {
    const char *name;
    const char *summary;
    const char *examples;
    const struct tc_option *options;
    size_t option_count;
    int (*run)(const struct tc_command *command, int argc, char **argv);
};

extern const struct tc_command tc_issue_command, tc_load_command, tc_conformance_command;

/* Reads the options into `out`. False when the command is to end at once with *out_exit: --help was shown, or a mistake
 * and where help is. */
MUST_USE bool tc_command_options(const struct tc_command *command, int argc, char **argv, void *out, int *out_exit);
/* Says what went wrong on standard error; gives `exit_code` back. */
int tc_command_fail(const struct tc_command *command, int exit_code, const char *why);
