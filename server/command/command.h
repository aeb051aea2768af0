/* The program's commands: what main has read from the command line, and the functions that do the work. */
#pragma once

#include "server/settings/settings.h"

struct command_line {
    struct settings_sources sources;
    int ready_fd;            /* --ready-fd, or -1 */
    bool merge;              /* --merge */
    const char *const *args; /* words behind the command */
    size_t arg_count;
};

/* The settings of this command line; NULL when they are refused, and the reason is on standard error. */
MUST_USE struct settings *command_settings(const struct command_line *line);
/* Prints "caraway: REASON" to standard error and returns the exit code of a failure. */
int command_fail(const char *format, ...) PRINTF_LIKE(1, 2);
/* True when no words stand behind the command; otherwise they were complained about. */
bool command_takes_no_words(const struct command_line *line);

/* Each returns the exit code. */
int serve_command(const struct command_line *line);
int init_command(const struct command_line *line);
int config_command(const struct command_line *line);
