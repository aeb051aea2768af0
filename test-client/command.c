#include "test-client/command.h"

#include <stdio.h>

enum { HELP_MAX = 64 << 10 };

static void show_help(const struct tc_command *command)
{
    AUTO_BUF(text, HELP_MAX);
    buf_printf(&text, "Usage: caraway-client %s [options]\n\n%s\n\nOptions:\n", command->name, command->summary);
    tc_options_help(command->options, command->option_count, &text);
    buf_printf(&text, "\nExamples:\n%s", command->examples);
    fputs(buf_str(&text), stdout);
}

int tc_command_fail(const struct tc_command *command, int exit_code, const char *why)
{
    fprintf(stderr, "caraway-client %s: %s\n", command->name, why);
    return exit_code;
}

bool tc_command_options(const struct tc_command *command, int argc, char **argv, void *out, int *out_exit)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            show_help(command);
            *out_exit = TC_EXIT_DONE;
            return false;
        }
    }
    char why[TC_WHY_SIZE];
    if (tc_options_parse(command->options, command->option_count, argc, argv, out, why))
        return true;
    *out_exit = tc_command_fail(command, TC_EXIT_USAGE, why);
    fprintf(stderr, "Try 'caraway-client %s --help'.\n", command->name);
    return false;
}
