#include "server/command/admin.h"

#include "server/command/admin_client.h"
#include "server/command/admin_table.h"

#include <getopt.h>
#include <stdio.h>

bool admin_is_object(const char *word)
{
    return admin_object_of(word) != NULL;
}

/* ---- options */

/* Where an option's value goes: nowhere but into this program, into the query, or into the body as a text, as a list
 * ("a,b"), as a number, or as true ("no": false). In the body it is called as its word, with "_" for "-". */
enum option_place { PLACE_HERE, PLACE_QUERY, PLACE_TEXT, PLACE_LIST, PLACE_NUMBER, PLACE_FLAG };

#define ADMIN_OPTION_TABLE(X)                                                                                          \
    X(DATA, PLACE_HERE, "data", "DIR", "data directory of the server (default: $CARAWAY_DATA or ./caraway-data)")      \
    X(ACCOUNT, PLACE_QUERY, "account", "ID", "of this account only (order, cert)")                                     \
    X(KEY, PLACE_QUERY, "key", "KID", "bound with this key only (account)")                                            \
    X(NAME, PLACE_QUERY, "name", "NAME", "for this name only (cert)")                                                  \
    X(LIMIT, PLACE_QUERY, "limit", "N", "rows a page (default 50)")                                                    \
    X(AFTER, PLACE_QUERY, "after", "KEY", "the page behind this key")                                                  \
    X(ID, PLACE_TEXT, "id", "KID", "the new key's id (eab add; default: a random one)")                                \
    X(SECRET, PLACE_TEXT, "secret", "TEXT", "its secret as base64url (eab add; default: 32 random bytes)")             \
    X(OWNER, PLACE_TEXT, "owner", "NAME", "whom the key's accounts belong to")                                         \
    X(COMMENT, PLACE_TEXT, "comment", "TEXT", "a note about the key")                                                  \
    X(NAMES, PLACE_LIST, "names", "LIST", "what its accounts may have: NAME, *.NAME (all below), NETWORK")             \
    X(TYPES, PLACE_LIST, "types", "LIST", "identifier types: dns, ip")                                                 \
    X(PROFILES, PLACE_LIST, "profiles", "LIST", "certificate profiles")                                                \
    X(CHALLENGES, PLACE_LIST, "challenges", "LIST", "challenge types that may prove names")                            \
    X(WILDCARDS, PLACE_FLAG, "wildcards", "[=no]", "wildcards, too, among --names")                                    \
    X(PRE_AUTHORIZED, PLACE_FLAG, "pre-authorized", "[=no]", "names need no proof")                                    \
    X(LIFETIME, PLACE_TEXT, "lifetime", "TIME", "most that a certificate may live")                                    \
    X(LIMITS, PLACE_TEXT, "limits", "CLASS", "rates of its accounts: letsencrypt, letsencrypt-staging, private, off")  \
    X(EXPIRES, PLACE_TEXT, "expires", "TIME", "binds no account from then on: 7d, or a date")                          \
    X(USES, PLACE_NUMBER, "uses", "N", "most accounts it binds")                                                       \
    X(JSON, PLACE_HERE, "json", NULL, "the objects as the server gives them")

enum admin_option {
#define X(id, ...) OPTION_##id,
    ADMIN_OPTION_TABLE(X)
#undef X
        OPTIONS
};

static const struct {
    enum option_place place;
    const char *word, *value, *sentence;
} options[] = {
#define X(id, place, word, value, sentence) { place, word, value, sentence },
    ADMIN_OPTION_TABLE(X)
#undef X
};

/* What was given; "" for an option without a value, NULL for one that was not given. */
struct admin_options {
    const char *values[OPTIONS];
};

static bool read_options(int argc, char **argv, struct admin_options *out)
{
    struct option rows[OPTIONS + 1] = { 0 };
    const char *environment = getenv("CARAWAY_DATA");
    *out =
        (struct admin_options) { .values = { [OPTION_DATA] = environment != NULL ? environment : "./caraway-data" } };
    for (int i = 0; i < OPTIONS; i++) {
        int argument = options[i].value != NULL ? required_argument : no_argument;
        rows[i] =
            (struct option) { options[i].word, options[i].place == PLACE_FLAG ? optional_argument : argument, NULL, i };
    }
    optind = 1;
    for (int i; (i = getopt_long(argc, argv, "", rows, NULL)) != -1;) {
        TRY(i >= 0 && i < OPTIONS);
        out->values[i] = optarg != NULL ? optarg : "";
    }
    return true;
}

/* ---- the command */

static void write_verbs(const struct admin_object *object, struct buf *out)
{
    for (size_t v = 0; v < admin_verb_count; v++) {
        if (object->verbs & admin_verbs[v].verb)
            buf_printf(out, "%s%s%s", out->len > 0 ? "|" : "", admin_verbs[v].word,
                       admin_verbs[v].takes_id ? " ID" : "");
    }
}

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: caraway OBJECT VERB [ID] [options]\n\n");
    for (size_t i = 0; i < admin_object_count; i++) {
        AUTO_BUF(words, 128);
        write_verbs(&admin_objects[i], &words);
        fprintf(to, "  %-9s%s\n%11s%s\n", admin_objects[i].word, admin_objects[i].sentence, "", buf_str(&words));
    }
    fprintf(to, "\n");
    for (size_t i = 0; i < OPTIONS; i++)
        fprintf(to, "  --%s%s%-*s%s\n", options[i].word, options[i].place == PLACE_FLAG ? "" : " ",
                20 + (options[i].place == PLACE_FLAG) - (int)strlen(options[i].word),
                options[i].value != NULL ? options[i].value : "", options[i].sentence);
    fprintf(to, "\nThe newest come first. The server must be running.\n");
    return status;
}

static void add_encoded(struct buf *path, const char *value)
{
    for (; *value != '\0'; value++) {
        bool plain = (*value >= '0' && *value <= '9') || (*value >= 'a' && *value <= 'z') ||
                     (*value >= 'A' && *value <= 'Z') || strchr("-._", *value) != NULL;
        buf_printf(path, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
}

static void build_path(struct buf *path, const struct admin_object *object, const struct admin_verb_row *verb,
                       const struct admin_options *given, const char *id)
{
    char before = '?';
    buf_printf(path, "/api/%s%s", object->collection, id != NULL ? "/" : "");
    add_encoded(path, id != NULL ? id : "");
    if (verb->step != NULL)
        buf_printf(path, "/%s", verb->step);
    for (size_t i = 0; i < OPTIONS; i++) {
        if (options[i].place != PLACE_QUERY || given->values[i] == NULL)
            continue;
        buf_printf(path, "%c%s=", before, options[i].word);
        add_encoded(path, given->values[i]);
        before = '&';
    }
}

static void build_list(struct json_out *out, const char *key, const char *value)
{
    json_out_array(out, key);
    while (*value != '\0') {
        size_t len = strcspn(value, ",");
        if (len > 0)
            json_out_bytes(out, NULL, bytes_of(value, len));
        value += len + (value[len] == ',');
    }
    json_out_end_array(out);
}

static void build_member(struct json_out *out, const char *key, enum option_place place, const char *value)
{
    bool digits = *value != '\0' && value[strspn(value, "0123456789")] == '\0';
    if (place == PLACE_LIST)
        build_list(out, key, value);
    else if (place == PLACE_NUMBER && digits)
        json_out_raw(out, key, value);
    else if (place == PLACE_FLAG && (*value == '\0' || strcmp(value, "no") == 0))
        json_out_bool(out, key, *value == '\0');
    else
        json_out_text(out, key, value); /* the server says what is wrong with it */
}

static void build_body(struct buf *body, const struct admin_options *given)
{
    struct json_out out = JSON_OUT(body, 0);
    json_out_object(&out, NULL);
    for (size_t i = 0; i < OPTIONS; i++) {
        char key[32];
        if (given->values[i] == NULL || options[i].place == PLACE_HERE || options[i].place == PLACE_QUERY)
            continue;
        snprintf(key, sizeof key, "%s", options[i].word);
        for (char *dash; (dash = strchr(key, '-')) != NULL;)
            *dash = '_';
        build_member(&out, key, options[i].place, given->values[i]);
    }
    json_out_end_object(&out);
}

static int run(const struct admin_object *object, const struct admin_verb_row *verb, const struct admin_options *given,
               const char *id)
{
    AUTO_BUF(path, 4096);
    AUTO_BUF(body, 16384);
    char why[ADMIN_WHY_SIZE];
    AUTO_TYPE(json_t) answer = NULL;
    build_path(&path, object, verb, given, id);
    build_body(&body, given);
    if (path.failed || body.failed) {
        fprintf(stderr, "caraway: the arguments are too long\n");
        return 1;
    }
    if (!admin_ask(given->values[OPTION_DATA], verb->method, buf_str(&path), verb->takes_body ? buf_str(&body) : NULL,
                   &answer, why)) {
        fprintf(stderr, "caraway: %s\n", why);
        return 1;
    }
    if (given->values[OPTION_JSON] != NULL) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (verb->lists) {
        admin_print_list(object, answer);
    } else {
        admin_print_object(answer);
    }
    return 0;
}

static const struct admin_verb_row *verb_of(const struct admin_object *object, const char *word)
{
    for (size_t v = 0; v < admin_verb_count; v++) {
        if (strcmp(word, admin_verbs[v].word) == 0 && (object->verbs & admin_verbs[v].verb))
            return &admin_verbs[v];
    }
    AUTO_BUF(words, 128);
    write_verbs(object, &words);
    fprintf(stderr, "caraway: %s has no verb \"%s\"; write caraway %s %s\n", object->word, word, object->word,
            buf_str(&words));
    return NULL;
}

static int refuse_words(const struct admin_object *object, const struct admin_verb_row *verb, const char *extra)
{
    if (extra == NULL)
        fprintf(stderr, "caraway: %s %s needs an ID", object->word, verb->word);
    else
        fprintf(stderr, "caraway: %s %s takes %s: \"%s\" is one word too many", object->word, verb->word,
                verb->takes_id ? "one ID" : "no ID", extra);
    fprintf(stderr, "; see caraway %s --help\n", object->word);
    return 2;
}

int admin_command(int argc, char **argv)
{
    const struct admin_object *object = admin_object_of(argv[0]);
    CHECK(object != NULL);
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc < 2 || argv[1][0] == '-')
        return usage(stderr, 2);
    struct admin_options given;
    const struct admin_verb_row *verb = verb_of(object, argv[1]);
    if (verb == NULL)
        return 2;
    if (!read_options(argc - 1, argv + 1, &given)) {
        fprintf(stderr, "see caraway %s --help\n", object->word);
        return 2;
    }
    char **rest = argv + 1 + optind;
    if (argc - 1 - optind == verb->takes_id)
        return run(object, verb, &given, rest[0]);
    return refuse_words(object, verb, rest[0] == NULL ? NULL : rest[verb->takes_id]);
}
