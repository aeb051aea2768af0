#include "server/command/limit_command.h"

#include "server/web/endpoint.h"
#include "server/command/operator.h"

#include <stdio.h>

#define LIMITS_PATH    "/api/limits"
#define DRY_RUN_PATH   "/api/dry-run"
#define OVERRIDES_PATH "/api/limits/overrides"

enum { PATH_MAX_BYTES = 16384, BODY_MAX_BYTES = 65536 };

static int usage(FILE *to, int status)
{
    fprintf(to,
            "usage: caraway limit VERB … [options]\n\n"
            "  show NAME…|ADDRESS|ACCOUNT             what is left in every bucket that it would spend\n"
            "  reset NAME…|ADDRESS|ACCOUNT            those buckets are full again, paused names resumed\n"
            "  check NAME…                            whether --account may order these now, or what refuses it\n"
            "  override list                          whose limits are others than all have\n"
            "  override add LIMIT SUBJECT RATE        a rate of its own: 500/7d, or off\n"
            "  override remove LIMIT SUBJECT          what all have\n\n"
            "  --account ID     names as this account orders them (show, check, reset)\n"
            "  --profile NAME   the order's profile (check)\n"
            "  --replaces ID    the certificate that it renews, by its RFC 9773 id (check)\n"
            "  --comment TEXT   why (override add)\n"
            "  --data DIR       data directory of the server (default: $CARAWAY_DATA or ./caraway-data)\n"
            "  --json           as the server gives it\n\n"
            "LIMIT is the name of a setting without \"limits.\": certificates-per-domain. SUBJECT is an address, an\n"
            "account, a domain, ACCOUNT/NAME, or names with commas (certificates-per-exact-set).\n");
    return status;
}

/* ---- tables */

static const struct operator_column bucket_columns[] = {
    { "LIMIT", "limit" }, { "RATE", "rate" }, { "LEFT", "remaining" },
    { "NEXT", "next" },   { "FULL", "full" }, { "FOR", "subject" },
};
static const struct operator_column override_columns[] = {
    { "LIMIT", "limit" },     { "RATE", "rate" },       { "CREATED", "created" },
    { "SUBJECT", "subject" }, { "COMMENT", "comment" },
};

static void print_buckets(const json_t *answer)
{
    size_t i;
    json_t *name;
    operator_table(bucket_columns, ARRAY_SIZE(bucket_columns), json_object_get(answer, "limits"));
    json_array_foreach (json_object_get(answer, "paused"), i, name)
        printf("%s%s", i == 0 ? "\npaused after too many failures: " : ", ", json_string_value(name));
    if (i > 0)
        printf("\n");
}

/* ---- show, reset */

static void join_names(const struct operator_line *line, size_t from, struct buf *out)
{
    for (size_t i = from; i < line->word_count; i++)
        buf_printf(out, "%s%s", i > from ? "," : "", line->words[i]);
}

static int show(const struct operator_line *line)
{
    AUTO_BUF(names, PATH_MAX_BYTES);
    AUTO_BUF(path, PATH_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    join_names(line, 1, &names);
    buf_text(&path, LIMITS_PATH);
    operator_argument(&path, "subject", buf_str(&names));
    operator_argument(&path, "account", line->account);
    if (!operator_ask(line, "GET", &path, NULL, &answer))
        return 1;
    if (!line->json)
        print_buckets(answer);
    return 0;
}

static int reset(const struct operator_line *line)
{
    AUTO_BUF(names, PATH_MAX_BYTES);
    AUTO_BUF(body, BODY_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    struct json_out out = JSON_OUT(&body, 0);
    join_names(line, 1, &names);
    json_out_object(&out, NULL);
    json_out_text(&out, "subject", buf_str(&names));
    if (line->account != NULL)
        json_out_text(&out, "account", line->account);
    json_out_end_object(&out);
    if (!operator_send(line, "POST", LIMITS_PATH "/reset", &body, &answer))
        return 1;
    if (!line->json)
        print_buckets(answer);
    return 0;
}

/* ---- check */

static void build_order(const struct operator_line *line, struct buf *body)
{
    struct json_out out = JSON_OUT(body, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, "account", line->account);
    if (line->profile != NULL)
        json_out_text(&out, "profile", line->profile);
    if (line->replaces != NULL)
        json_out_text(&out, "replaces", line->replaces);
    json_out_array(&out, "identifiers");
    for (size_t i = 1; i < line->word_count; i++) {
        json_out_object(&out, NULL);
        json_out_text(&out, "type", ip_address_ok(line->words[i]) ? "ip" : "dns");
        json_out_text(&out, "value", line->words[i]);
        json_out_end_object(&out);
    }
    json_out_end_array(&out);
    json_out_end_object(&out);
}

static void print_trial(const json_t *answer)
{
    const json_t *problem = json_object_get(answer, "problem");
    const char *exemption = json_member_text(answer, "exemption"), *cause = json_member_text(answer, "cause");
    size_t i;
    json_t *one;
    if (problem == NULL)
        printf("it would pass\n");
    else
        printf("%s: %s\n", json_member_text(problem, "type"), json_member_text(problem, "detail"));
    json_array_foreach (json_object_get(problem, "subproblems"), i, one)
        printf("  %s\n", json_member_text(one, "detail"));
    if (cause != NULL)
        printf("  %s\n", cause);
    if (exemption != NULL && strcmp(exemption, "none") != 0)
        printf("exempt: %s\n", exemption);
    if (json_array_size(json_object_get(answer, "limits")) > 0)
        print_buckets(answer);
}

static int check(const struct operator_line *line)
{
    AUTO_BUF(body, BODY_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    if (line->account == NULL) {
        fprintf(stderr, "caraway: limit check needs --account ID: who would order\n");
        return 2;
    }
    build_order(line, &body);
    if (!operator_send(line, "POST", DRY_RUN_PATH, &body, &answer))
        return 1;
    if (!line->json)
        print_trial(answer);
    return json_is_true(json_object_get(answer, "passes")) ? 0 : 1;
}

/* ---- overrides */

static int list(const struct operator_line *line)
{
    AUTO_BUF(path, PATH_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    buf_text(&path, OVERRIDES_PATH);
    operator_argument(&path, "after", line->after);
    if (!operator_ask(line, "GET", &path, NULL, &answer))
        return 1;
    const json_t *rows = json_object_get(answer, "overrides");
    const char *next = json_member_text(answer, "next");
    if (line->json)
        return 0;
    if (json_array_size(rows) == 0)
        printf("no overrides\n");
    else
        operator_table(override_columns, ARRAY_SIZE(override_columns), rows);
    if (next != NULL)
        printf("\nThere are more: caraway limit override list --after %s\n", next);
    return 0;
}

static int print_override(const struct operator_line *line, const json_t *answer)
{
    if (!line->json)
        printf("%s  %s  %s\n", json_member_text(answer, "limit"), json_member_text(answer, "subject"),
               json_member_text(answer, "rate"));
    return 0;
}

static int add(const struct operator_line *line)
{
    AUTO_BUF(body, BODY_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    struct json_out out = JSON_OUT(&body, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, "limit", line->words[2]);
    json_out_text(&out, "subject", line->words[3]);
    json_out_text(&out, "rate", line->words[4]);
    if (line->comment != NULL)
        json_out_text(&out, "comment", line->comment);
    json_out_end_object(&out);
    return operator_send(line, "POST", OVERRIDES_PATH, &body, &answer) ? print_override(line, answer) : 1;
}

static int remove_one(const struct operator_line *line)
{
    AUTO_BUF(path, PATH_MAX_BYTES);
    AUTO_TYPE(json_t) answer = NULL;
    buf_text(&path, OVERRIDES_PATH);
    operator_argument(&path, "limit", line->words[2]);
    operator_argument(&path, "subject", line->words[3]);
    return operator_ask(line, "DELETE", &path, NULL, &answer) ? print_override(line, answer) : 1;
}

/* ---- the command */

static const struct {
    const char *words[2];
    size_t least, most; /* further words */
    const char *takes;
    int (*run)(const struct operator_line *line);
} verbs[] = {
    { { "show" }, 1, OPERATOR_WORDS_MAX, "names, addresses or an account's ID", show },
    { { "check" }, 1, OPERATOR_WORDS_MAX, "names, and --account ID", check },
    { { "reset" }, 1, OPERATOR_WORDS_MAX, "names, addresses or an account's ID", reset },
    { { "override", "list" }, 0, 0, "no further word", list },
    { { "override", "add" }, 3, 3, "LIMIT SUBJECT RATE, as certificates-per-domain example.test 500/7d", add },
    { { "override", "remove" }, 2, 2, "LIMIT SUBJECT, as certificates-per-domain example.test", remove_one },
};

static int refuse_words(const struct operator_line *line, size_t verb)
{
    if (verb == ARRAY_SIZE(verbs)) {
        fprintf(stderr, "caraway: limit takes show, check, reset or override list|add|remove; this is limit %s %s\n",
                line->words[0], line->words[1] != NULL ? line->words[1] : "");
        return 2;
    }
    const char *second = verbs[verb].words[1];
    fprintf(stderr, "caraway: limit %s%s%s takes %s; see caraway limit --help\n", verbs[verb].words[0],
            second != NULL ? " " : "", second != NULL ? second : "", verbs[verb].takes);
    return 2;
}

int limit_command(int argc, char **argv)
{
    struct operator_line line;
    size_t named = ARRAY_SIZE(verbs);
    if (!operator_read(argc, argv, &line))
        return 2;
    if (line.help)
        return usage(stdout, 0);
    if (line.word_count == 0)
        return usage(stderr, 2);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        size_t words = verbs[i].words[1] != NULL ? 2 : 1, k = 0;
        while (k < words && k < line.word_count && strcmp(line.words[k], verbs[i].words[k]) == 0)
            k++;
        if (k == words && line.word_count - words >= verbs[i].least && line.word_count - words <= verbs[i].most)
            return verbs[i].run(&line);
        named = k == words ? i : named;
    }
    return refuse_words(&line, named);
}
