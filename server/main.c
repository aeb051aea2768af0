/* caraway: reads the command line and runs the command. */
#include "base/crypto.h"
#include "base/json.h"
#include "server/command/admin.h"
#include "server/command/clock_command.h"
#include "server/command/command.h"
#include "server/command/limit_command.h"
#include "server/settings/nearest.h"
#include "server/command/store_command.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { EXIT_USAGE = 2, FLAGS_MAX = 256 };

static int version_command(const struct command_line *line);
static int help_command(const struct command_line *line);

static const struct command {
    const char *name;
    const char *words;
    int (*run)(const struct command_line *line);
    const char *sentence;
} commands[] = {
    { "serve", "", serve_command, "run the server (what happens without a command)" },
    { "init", "", init_command, "make the data directory, the CA and its keys, and end" },
    { "config", "show|check|reference", config_command,
      "print the settings in force, check them, or explain them all" },
    { "check", "", check_command, "check the database: every record and every index" },
    { "backup", "FILE|-", backup_command, "copy the database, also while the server runs" },
    { "restore", "FILE|-", restore_command, "put a backup into a data directory without a database" },
    { "export", "[FILE|-]", export_command, "write every record as a line of JSON" },
    { "import", "FILE|-", import_command, "read what export wrote" },
    { "compact", "", compact_command, "give the database's free pages back to the disk" },
    { "version", "", version_command, "print the version" },
    { "help", "", help_command, "print this help" },
};

/* Asked of a running server; they read their own options. */
static const struct {
    const char *name, *words;
    int (*run)(int argc, char **argv);
    const char *sentence;
} operator_commands[] = {
    { "clock", "show|advance|set|reset", clock_command, "the clock of a running laboratory" },
    { "limit", "show|check|reset|override", limit_command, "what rate limits have left, and for whom they are others" },
};

enum flag_kind { FLAG_CONFIG, FLAG_SETTING, FLAG_SET, FLAG_READY_FD, FLAG_MERGE, FLAG_HELP, FLAG_VERSION };

static const struct flag {
    const char *name;
    const char *value; /* what it takes, or NULL */
    enum flag_kind kind;
    const char *setting;
    const char *sentence;
} flags[] = {
    { "--config", "FILE", FLAG_CONFIG, NULL, "read settings from a YAML or JSON file" },
    { "--data", "DIR", FLAG_SETTING, "data", "where everything is kept (default ./caraway-data)" },
    { "--listen", "HOST:PORT", FLAG_SETTING, "listen", "where ACME is served (default localhost:14000)" },
    { "--dns-server", "ADDR:PORT", FLAG_SETTING, "dns.server", "ask this DNS server (default: as resolv.conf says)" },
    { "--preset", "NAME", FLAG_SETTING, "preset", "staging or private: what the defaults are for" },
    { "--set", "NAME=VALUE", FLAG_SET, NULL, "any setting; caraway config reference lists them" },
    { "--ready-fd", "N", FLAG_READY_FD, NULL, "write a line to this descriptor once requests are answered" },
    { "--merge", NULL, FLAG_MERGE, NULL, "import: into a database that holds records, which are replaced" },
    { "--help", NULL, FLAG_HELP, NULL, "print this help" },
    { "--version", NULL, FLAG_VERSION, NULL, "print the version" },
};

struct parsed {
    struct command_line line;
    struct setting_flag settings[FLAGS_MAX];
    const char *command;
    bool help, version;
};

static int version_command(const struct command_line *line)
{
    (void)line;
    puts("caraway " CARAWAY_VERSION);
    return EXIT_SUCCESS;
}

static int help_command(const struct command_line *line)
{
    (void)line;
    printf("caraway " CARAWAY_VERSION ", an ACME certificate authority\n\nusage: caraway [COMMAND] [FLAG...]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        char name[48];
        snprintf(name, sizeof name, "%s %s", commands[i].name, commands[i].words);
        printf("  %-28s %s\n", name, commands[i].sentence);
    }
    for (size_t i = 0; i < ARRAY_SIZE(operator_commands); i++) {
        char name[48];
        snprintf(name, sizeof name, "%s %s", operator_commands[i].name, operator_commands[i].words);
        printf("  %-28s %s\n", name, operator_commands[i].sentence);
    }
    printf("  %-28s %s\n\n", "account|order|authz|cert|eab", "list or show what a running server holds");
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        char name[48];
        snprintf(name, sizeof name, "%s %s", flags[i].name, flags[i].value != NULL ? flags[i].value : "");
        printf("  %-28s %s\n", name, flags[i].sentence);
    }
    printf("\nexamples:\n"
           "  caraway                                      a staging CA on https://localhost:14000/directory\n"
           "  caraway --dns-server 127.0.0.1:8053          the same, asking a DNS server of your own\n"
           "  caraway --preset private --data /var/lib/caraway --listen :443\n"
           "  caraway config show --config caraway.yaml    what would be in force, and where it comes from\n");
    return EXIT_SUCCESS;
}

static bool complain_unknown(const char *what, const char *word, const char *nearest)
{
    if (nearest != NULL)
        command_fail("unknown %s \"%.80s\"; did you mean \"%s\"?", what, word, nearest);
    else
        command_fail("unknown %s \"%.80s\"; see caraway help", what, word);
    return false;
}

static bool add_setting(struct parsed *parsed, const char *shown, const char *name, const char *value)
{
    size_t *count = &parsed->line.sources.flag_count;
    for (size_t i = 0; i < *count; i++)
        if (strcmp(shown, "--set") != 0 && strcmp(parsed->settings[i].shown, shown) == 0) {
            command_fail("%s stands twice; a list is written with commas", shown);
            return false;
        }
    if (*count == FLAGS_MAX) {
        command_fail("more than %d settings on the command line; write them to a file", FLAGS_MAX);
        return false;
    }
    parsed->settings[(*count)++] = (struct setting_flag) { shown, name, value };
    return true;
}

/* "name=value", cut in two inside argv. */
static bool add_set(struct parsed *parsed, char *text)
{
    char *value = strchr(text, '=');
    if (value == NULL || value == text) {
        command_fail("--set takes NAME=VALUE, not \"%.80s\"", text);
        return false;
    }
    *value = '\0';
    return add_setting(parsed, "--set", text, value + 1);
}

static bool set_ready_fd(struct parsed *parsed, const char *text)
{
    char *end = NULL;
    long fd = strtol(text, &end, 10);
    if (end == text || *end != '\0' || fd < 0 || fd > 1 << 20 || fcntl((int)fd, F_GETFD) < 0) {
        command_fail("--ready-fd takes the number of an open descriptor, and \"%.20s\" is none", text);
        return false;
    }
    parsed->line.ready_fd = (int)fd;
    return true;
}

static bool apply_flag(struct parsed *parsed, const struct flag *flag, char *value)
{
    switch (flag->kind) {
    case FLAG_CONFIG:
        parsed->line.sources.file = value;
        return true;
    case FLAG_SETTING:
        return add_setting(parsed, flag->name, flag->setting, value);
    case FLAG_SET:
        return add_set(parsed, value);
    case FLAG_READY_FD:
        return set_ready_fd(parsed, value);
    case FLAG_MERGE:
        parsed->line.merge = true;
        return true;
    case FLAG_HELP:
        parsed->help = true;
        return true;
    case FLAG_VERSION:
        parsed->version = true;
        return true;
    }
    return false;
}

/* Takes the flag at argv[*at] and its value, "--flag value" or "--flag=value". */
static bool take_flag(struct parsed *parsed, char **argv, int *at)
{
    const char *names[ARRAY_SIZE(flags)];
    char *word = argv[*at], *equals = strchr(word, '=');
    size_t len = equals != NULL ? (size_t)(equals - word) : strlen(word);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        names[i] = flags[i].name;
        if (strlen(flags[i].name) != len || memcmp(flags[i].name, word, len) != 0)
            continue;
        char *value = equals != NULL ? equals + 1 : NULL;
        if (flags[i].value != NULL && value == NULL)
            value = argv[*at + 1] != NULL ? argv[++*at] : NULL;
        if ((value != NULL) == (flags[i].value != NULL))
            return apply_flag(parsed, &flags[i], value);
        command_fail(flags[i].value != NULL ? "%s takes %s" : "%s takes no value", flags[i].name, flags[i].value);
        return false;
    }
    if (equals != NULL)
        *equals = '\0';
    return complain_unknown("flag", word, nearest_name(word, names, ARRAY_SIZE(names)));
}

/* Flags may stand anywhere; the first word is the command, further words are its own and are moved to argv's front. */
static bool read_arguments(struct parsed *parsed, int argc, char **argv)
{
    size_t words = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-h") == 0)
            parsed->help = true;
        else if (argv[i][0] == '-' && argv[i][1] != '\0')
            TRY(take_flag(parsed, argv, &i));
        else if (parsed->command == NULL)
            parsed->command = argv[i];
        else
            argv[words++] = argv[i];
    }
    parsed->line.args = (const char *const *)argv;
    parsed->line.arg_count = words;
    parsed->line.sources.flags = parsed->settings;
    return true;
}

int main(int argc, char **argv)
{
    struct parsed parsed = { .line = { .ready_fd = -1, .sources = { .environment = (const char *const *)environ } } };
    const char *names[ARRAY_SIZE(commands)];
    json_watch_memory();
    CHECK(crypto_watch_memory()); /* before anything else takes memory for OpenSSL */
    if (argc > 1 && admin_is_object(argv[1]))
        return admin_command(argc - 1, argv + 1);
    for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(operator_commands); i++)
        if (strcmp(argv[1], operator_commands[i].name) == 0)
            return operator_commands[i].run(argc - 1, argv + 1);
    if (!read_arguments(&parsed, argc, argv))
        return EXIT_USAGE;
    if (parsed.help)
        return help_command(&parsed.line);
    if (parsed.version)
        return version_command(&parsed.line);
    const char *wanted = parsed.command != NULL ? parsed.command : "serve";
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        names[i] = commands[i].name;
        if (strcmp(wanted, names[i]) == 0)
            return commands[i].run(&parsed.line);
    }
    complain_unknown("command", wanted, nearest_name(wanted, names, ARRAY_SIZE(names)));
    return EXIT_USAGE;
}
