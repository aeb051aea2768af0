#include "server/command/command.h"

#include <stdarg.h>
#include <stdio.h>

int command_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("caraway: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return EXIT_FAILURE;
}

struct settings *command_settings(const struct command_line *line)
{
    char why[SETTINGS_WHY_SIZE] = "";
    struct settings *settings = settings_read(&line->sources, why);
    if (settings == NULL)
        command_fail("%s", why);
    return settings;
}

bool command_takes_no_words(const struct command_line *line)
{
    if (line->arg_count == 0)
        return true;
    command_fail("\"%.80s\" is one word too many; see caraway help", line->args[0]);
    return false;
}
