#include "server/command/config.h"

#include "base/text.h"
#include "server/command/command.h"
#include "server/settings/nearest.h"
#include "server/settings/settings_row.h"

#include <stdio.h>

enum { CONFIG_TEXT_MAX = 4 << 20 };

void config_show(const struct settings *settings, struct buf *out)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        buf_printf(out, "%s: ", setting_rows[i].name);
        setting_format(&setting_rows[i], settings, out);
        buf_printf(out, " # %s\n", settings->origin[i]);
    }
}

static const char reference_head[] =
    "# Settings\n"
    "\n"
    "Made by `caraway config reference`; do not edit.\n"
    "\n"
    "A setting comes from, weakest first: the preset, the YAML file (`--config FILE`), the environment, the command\n"
    "line (`--set name=value`; `--data`, `--listen`, `--dns-server` and `--preset` are short for theirs). In YAML, a "
    "dot\n"
    "may open a nested map: `validation: {http-port: 80}` is `validation.http-port: 80`. A JSON file is YAML too. In "
    "the\n"
    "environment, `validation.http-port` is `CARAWAY_VALIDATION_HTTP_PORT`. Lists are written `a,b` there and in "
    "`--set`,\n"
    "and maps `name=address,name=address`. `caraway config show` prints what is in force and where it came from,\n"
    "`caraway config check` only says whether it is right. Durations are written 500ms, 30s, 5m, 1h, 90d; sizes 65536, "
    "64KiB,\n"
    "16MiB, 64GiB, 1TiB.\n"
    "\n"
    "| Setting | Default | Values | Takes effect | What it does |\n"
    "|---|---|---|---|---|\n";

static void reference_default(const struct setting_row *row, struct buf *out)
{
    const char *staging = row->defaults[PRESET_STAGING], *private = row->defaults[PRESET_PRIVATE];
    if (row->kind == SETTING_KIND_HOSTS) /* too long for a table */
        buf_text(out, "names for tests (`*.test`, `*.example`, `localhost`, …) to `127.0.0.1`; private: none");
    else if (private != NULL)
        buf_printf(out, "`%s`; private: `%s`", staging, private);
    else
        buf_printf(out, staging[0] != '\0' ? "`%s`" : "%s", staging);
}

static void reference_choices(const struct setting_row *row, struct buf *out)
{
    for (const char *c = row->choices; *c != '\0'; c++)
        if (*c == '|')
            buf_text(out, ", ");
        else
            buf_char(out, *c);
}

static void reference_values(const struct setting_row *row, struct buf *out)
{
    if (row->kind == SETTING_KIND_CHOICE || row->kind == SETTING_KIND_CHOICES) {
        reference_choices(row, out);
        return;
    }
    const char *kind = setting_kind_text(row->kind);
    buf_append(out, kind, strcspn(kind, "(")); /* the forms stand in the head */
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    if (row->choices[0] != '\0') {
        buf_text(out, ", or ");
        reference_choices(row, out);
    }
    if (row->most == 0)
        return;
    buf_text(out, ", ");
    setting_format_number(row->kind, row->least, out);
    buf_text(out, " to ");
    setting_format_number(row->kind, row->most, out);
}

void config_reference(struct buf *out)
{
    buf_text(out, reference_head);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting_row *row = &setting_rows[i];
        buf_printf(out, "| `%s` | ", row->name);
        reference_default(row, out);
        buf_text(out, " | ");
        reference_values(row, out);
        buf_printf(out, " | %s | %s |\n", row->applies == SETTING_RELOAD ? "at SIGHUP" : "at start", row->sentence);
    }
}

static int print(const struct buf *text)
{
    if (text->failed || fwrite(buf_str(text), 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return command_fail("cannot write to standard output");
    return EXIT_SUCCESS;
}

static int show(const struct command_line *line)
{
    AUTO_BUF(text, CONFIG_TEXT_MAX);
    AUTO(settings) settings = command_settings(line);
    if (settings == NULL)
        return EXIT_FAILURE;
    config_show(settings, &text);
    return print(&text);
}

static int check(const struct command_line *line)
{
    AUTO(settings) settings = command_settings(line);
    if (settings == NULL)
        return EXIT_FAILURE;
    puts("The settings are right.");
    return EXIT_SUCCESS;
}

static int reference(const struct command_line *line)
{
    (void)line;
    AUTO_BUF(text, CONFIG_TEXT_MAX);
    config_reference(&text);
    return print(&text);
}

int config_command(const struct command_line *line)
{
    static const char *const names[] = { "show", "check", "reference" };
    static int (*const functions[])(const struct command_line *) = { show, check, reference };
    const char *wanted = line->arg_count > 0 ? line->args[0] : "show";
    if (line->arg_count > 1)
        return command_fail("\"%.80s\" is one word too many; see caraway help", line->args[1]);
    size_t i = text_index(names, ARRAY_SIZE(names), wanted);
    if (i < ARRAY_SIZE(names))
        return functions[i](line);
    const char *nearest = nearest_name(wanted, names, ARRAY_SIZE(names));
    return command_fail("caraway config knows show, check and reference, not \"%.80s\"; did you mean %s?", wanted,
                        nearest != NULL ? nearest : names[0]);
}
