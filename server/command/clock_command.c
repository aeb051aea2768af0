#include "server/command/clock_command.h"

#include "base/clock_text.h"
#include "server/command/operator.h"

#include <stdio.h>

#define CLOCK_PATH "/api/clock"

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: caraway clock show|advance DURATION|set TIME|reset [options]\n\n"
                "  show              the server's time and how far it is from this machine's\n"
                "  advance DURATION  move it forward: 90s, 3h, 60d, 1h30m\n"
                "  set TIME          put it to a moment: 2027-01-31T12:00:00Z\n"
                "  reset             this machine's time again\n\n"
                "  --data DIR        data directory of the server (default: $CARAWAY_DATA or ./caraway-data)\n"
                "  --json            as the server gives it\n\n"
                "Only with the staging preset, and until the server stops. What it stored keeps its times.\n");
    return status;
}

static void print_clock(const json_t *answer)
{
    long long s = json_integer_value(json_object_get(answer, "offset_ms")) / 1000, far = s < 0 ? -s : s;
    printf("%s", json_member_text(answer, "now") ?: "?");
    if (s != 0)
        printf("  (%lldd %02lld:%02lld:%02lld %s this machine)", far / 86400, far / 3600 % 24, far / 60 % 60, far % 60,
               s > 0 ? "ahead of" : "behind");
    printf("\n");
}

/* False: the words are none of the command's; `body` stays empty for show. */
static bool read_words(const struct operator_line *line, struct buf *body)
{
    const char *verb = line->words[0], *value = line->words[1];
    int64_t ms;
    struct json_out out = JSON_OUT(body, 0);
    TRY(line->word_count > 0);
    if (line->word_count == 1 && strcmp(verb, "show") == 0)
        return true;
    json_out_object(&out, NULL);
    if (line->word_count == 1 && strcmp(verb, "reset") == 0)
        json_out_bool(&out, "reset", true);
    else if (line->word_count == 2 && strcmp(verb, "advance") == 0 && duration_parse(value, &ms))
        json_out_int(&out, "advance_ms", ms);
    else if (line->word_count == 2 && strcmp(verb, "set") == 0 && time_parse(value, &ms))
        json_out_text(&out, "set", value);
    else
        return false;
    json_out_end_object(&out);
    return true;
}

static int refuse_words(const struct operator_line *line)
{
    const char *value = line->words[line->word_count > 2 ? 2 : 1];
    if (strcmp(line->words[0], "advance") == 0)
        fprintf(stderr, "caraway: clock advance takes one duration, like 90s, 3h, 60d or 1h30m");
    else if (strcmp(line->words[0], "set") == 0)
        fprintf(stderr, "caraway: clock set takes one moment, like 2027-01-31T12:00:00Z");
    else
        fprintf(stderr, "caraway: clock takes show, advance DURATION, set TIME or reset; this is clock %s",
                line->words[0]);
    fprintf(stderr, value != NULL ? ", not \"%s\"\n" : "%s\n", value != NULL ? value : "");
    return 2;
}

int clock_command(int argc, char **argv)
{
    struct operator_line line;
    AUTO_BUF(body, 256);
    AUTO_TYPE(json_t) answer = NULL;
    if (!operator_read(argc, argv, &line))
        return 2;
    if (line.help)
        return usage(stdout, 0);
    if (line.word_count == 0)
        return usage(stderr, 2);
    if (!read_words(&line, &body) || body.failed)
        return refuse_words(&line);
    if (!operator_send(&line, body.len > 0 ? "POST" : "GET", CLOCK_PATH, body.len > 0 ? &body : NULL, &answer))
        return 1;
    if (!line.json)
        print_clock(answer);
    return 0;
}
