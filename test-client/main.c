/* caraway-client: an ACME client to issue with, to measure with and to test with. */
#include "test-client/command.h"

#include <signal.h>
#include <stdio.h>

static const struct tc_command *const commands[] = { &tc_issue_command, &tc_load_command, &tc_conformance_command };

static void show_commands(FILE *out)
{
    fputs("Usage: caraway-client COMMAND [options]\n\nCommands:\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
    fputs("\n'caraway-client COMMAND --help' shows the options of a command.\n", out);
}

static const struct tc_command *find_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int run(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    const struct tc_command *command = find_command(name);
    if (command != NULL)
        return command->run(command, argc - 2, argv + 2);
    if (strcmp(name, "--version") == 0) {
        puts("caraway-client " CARAWAY_VERSION);
        return TC_EXIT_DONE;
    }
    bool asked = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0;
    if (!asked && *name != '\0')
        fprintf(stderr, "caraway-client: there is no command \"%s\"\n\n", name);
    show_commands(asked ? stdout : stderr);
    return asked ? TC_EXIT_DONE : TC_EXIT_USAGE;
}

int main(int argc, char **argv)
{
    /* a peer that hangs up is an error of that connection, not the end of us */
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    int code = run(argc, argv);
    curl_global_cleanup();
    return code;
}
