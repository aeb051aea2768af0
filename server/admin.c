#include "server/admin.h"

#include "server/admin_client.h"

#include <getopt.h>
#include <stdio.h>

enum { COLUMNS_MAX = 6, CELL_SIZE = 1024 };

/* What may be asked of an object, and how it is said to the server. */
enum admin_verb { VERB_LIST = 1, VERB_SHOW = 2, VERB_ADD = 4, VERB_REMOVE = 8 };

static const struct {
    const char *word, *method;
    enum admin_verb verb;
    bool takes_id;
} verbs[] = {
    { "list", "GET", VERB_LIST, false },
    { "show", "GET", VERB_SHOW, true },
    { "add", "POST", VERB_ADD, false },
    { "remove", "DELETE", VERB_REMOVE, true },
};

/* How a member becomes a cell. */
enum cell_kind { CELL_TEXT, CELL_TIME, CELL_TEXTS, CELL_IDENTIFIER, CELL_IDENTIFIERS, CELL_CHALLENGES };

static const struct admin_object {
    const char *word, *collection, *sentence;
    unsigned verbs;
    struct {
        const char *title, *member;
        enum cell_kind kind;
    } columns[COLUMNS_MAX];
} objects[] = {
    { "account",
      "accounts",
      "who may order",
      VERB_LIST | VERB_SHOW,
      { { "ACCOUNT", "id", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "CREATED", "created", CELL_TIME },
        { "FROM", "created_from", CELL_TEXT },
        { "CONTACT", "contacts", CELL_TEXTS } } },
    { "order",
      "orders",
      "what was asked for",
      VERB_LIST | VERB_SHOW,
      { { "ORDER", "id", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "CREATED", "created", CELL_TIME },
        { "ACCOUNT", "account", CELL_TEXT },
        { "NAMES", "identifiers", CELL_IDENTIFIERS } } },
    { "authz",
      "authorizations",
      "who proved what, and what the validators saw",
      VERB_LIST | VERB_SHOW,
      { { "AUTHORIZATION", "id", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "EXPIRES", "expires", CELL_TIME },
        { "CHALLENGES", "challenges", CELL_CHALLENGES },
        { "NAME", "identifier", CELL_IDENTIFIER } } },
    { "cert",
      "certificates",
      "what was issued",
      VERB_LIST | VERB_SHOW,
      { { "SERIAL", "serial", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "NOT AFTER", "not_after", CELL_TIME },
        { "ACCOUNT", "account", CELL_TEXT },
        { "NAMES", "identifiers", CELL_IDENTIFIERS } } },
    { "eab",
      "external-keys",
      "keys for external account binding",
      VERB_LIST | VERB_ADD | VERB_REMOVE,
      { { "KEY ID", "id", CELL_TEXT }, { "CREATED", "created", CELL_TIME }, { "ACCOUNTS", "accounts", CELL_TEXTS } } },
};

struct admin_options {
    const char *data, *account, *name, *after;
    const char *limit, *id, *secret;
    bool json;
};

static const struct admin_object *object_of(const char *word)
{
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        if (strcmp(objects[i].word, word) == 0)
            return &objects[i];
    }
    return NULL;
}

bool admin_is_object(const char *word)
{
    return object_of(word) != NULL;
}

/* ---- cells */

static void cell_joined(struct buf *out, const json_t *list, const char *member)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        const char *text = member != NULL ? json_member_text(entry, member) : json_string_value(entry);
        buf_printf(out, "%s%s", i > 0 ? ", " : "", text != NULL ? text : "?");
    }
}

/* Only what was tried: "http-01 valid". */
static void cell_challenges(struct buf *out, const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry) {
        const char *state = json_member_text(entry, "state");
        if (state != NULL && strcmp(state, "pending") != 0)
            buf_printf(out, "%s%s %s", out->len > 0 ? ", " : "", json_member_text(entry, "type"), state);
    }
}

static void cell_write(struct buf *out, enum cell_kind kind, const json_t *value)
{
    const char *text = json_string_value(value);
    switch (kind) {
    case CELL_TEXT:
        buf_text(out, text != NULL ? text : "");
        break;
    case CELL_TIME: /* 2026-11-24T12:58:18.000Z without the milliseconds */
        buf_printf(out, "%.19s%s", text != NULL ? text : "", text != NULL ? "Z" : "");
        break;
    case CELL_TEXTS:
        cell_joined(out, value, NULL);
        break;
    case CELL_IDENTIFIER:
        buf_text(out, json_member_text(value, "value") ?: "");
        break;
    case CELL_IDENTIFIERS:
        cell_joined(out, value, "value");
        break;
    case CELL_CHALLENGES:
        cell_challenges(out, value);
        break;
    }
    if (out->len == 0)
        buf_text(out, "-");
}

/* ---- list */

static size_t column_count(const struct admin_object *object)
{
    size_t count = 0;
    while (count < COLUMNS_MAX && object->columns[count].title != NULL)
        count++;
    return count;
}

static void print_cell(const char *text, size_t width, bool last)
{
    if (last)
        printf("%s\n", text);
    else
        printf("%-*s  ", (int)width, text);
}

/* Two passes over the rows: the first measures, the second prints; so columns are as wide as what they hold. */
static void print_rows(const struct admin_object *object, const json_t *rows)
{
    size_t widths[COLUMNS_MAX] = { 0 };
    size_t columns = column_count(object);
    for (size_t c = 0; c < columns; c++)
        widths[c] = strlen(object->columns[c].title);
    for (int printing = 0; printing < 2; printing++) {
        for (size_t c = 0; printing && c < columns; c++)
            print_cell(object->columns[c].title, widths[c], c + 1 == columns);
        for (size_t r = 0; r < json_array_size(rows); r++) {
            for (size_t c = 0; c < columns; c++) {
                AUTO_BUF(cell, CELL_SIZE);
                cell_write(&cell, object->columns[c].kind,
                           json_object_get(json_array_get(rows, r), object->columns[c].member));
                if (printing)
                    print_cell(buf_str(&cell), widths[c], c + 1 == columns);
                else if (cell.len > widths[c])
                    widths[c] = cell.len;
            }
        }
    }
}

static void print_list(const struct admin_object *object, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, object->collection);
    const char *next = json_member_text(answer, "next");
    if (json_array_size(rows) == 0) {
        printf("no %s\n", object->collection);
        return;
    }
    print_rows(object, rows);
    if (next != NULL)
        printf("\nThere are more: caraway %s list --after %s\n", object->word, next);
}

/* ---- show */

static void print_value(const char *key, const json_t *value, int indent);

static void print_members(const json_t *object, int indent)
{
    const char *key;
    json_t *value;
    json_object_foreach ((json_t *)object, key, value)
        print_value(key, value, indent);
}

static void print_value(const char *key, const json_t *value, int indent)
{
    printf("%*s%s", indent, "", key);
    if (json_is_string(value)) {
        printf(": %s\n", json_string_value(value));
    } else if (json_is_object(value)) {
        printf("\n");
        print_members(value, indent + 2);
    } else if (json_is_array(value)) {
        printf("\n");
        size_t i;
        json_t *entry;
        json_array_foreach (value, i, entry)
            print_value("-", entry, indent + 2);
    } else {
        AUTO_TYPE(char) text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        printf(": %s\n", text != NULL ? text : "?");
    }
}

/* ---- the command */

static int usage(FILE *to, int status)
{
    fprintf(to, "usage: caraway OBJECT VERB [ID] [options]\n\n");
    for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
        AUTO_BUF(words, 64);
        for (size_t v = 0; v < ARRAY_SIZE(verbs); v++) {
            if (objects[i].verbs & verbs[v].verb)
                buf_printf(&words, "%s%s%s", words.len > 0 ? "|" : "", verbs[v].word, verbs[v].takes_id ? " ID" : "");
        }
        fprintf(to, "  %-9s%-26s%s\n", objects[i].word, buf_str(&words), objects[i].sentence);
    }
    fprintf(to, "\n"
                "  --data DIR       data directory of the server (default: $CARAWAY_DATA or ./caraway-data)\n"
                "  --account ID     of this account only (order, cert)\n"
                "  --name NAME      for this name only (cert)\n"
                "  --limit N        rows a page (default 50)\n"
                "  --after KEY      the page behind this key\n"
                "  --id KID         the new key's id (eab add; default: a random one)\n"
                "  --secret TEXT    its secret as base64url (eab add; default: 32 random bytes)\n"
                "  --json           the objects as the server gives them\n\n"
                "The newest come first. The server must be running.\n");
    return status;
}

static bool read_options(int argc, char **argv, struct admin_options *out)
{
    static const struct option options[] = {
        { "data", required_argument, NULL, 'd' },
        { "account", required_argument, NULL, 'a' },
        { "name", required_argument, NULL, 'n' },
        { "limit", required_argument, NULL, 'l' },
        { "after", required_argument, NULL, 'f' },
        { "id", required_argument, NULL, 'i' },
        { "secret", required_argument, NULL, 's' },
        { "json", no_argument, NULL, 'j' },
        { 0 },
    };
    const char *environment = getenv("CARAWAY_DATA");
    *out = (struct admin_options) { .data = environment != NULL ? environment : "./caraway-data" };
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'd':
            out->data = optarg;
            break;
        case 'a':
            out->account = optarg;
            break;
        case 'n':
            out->name = optarg;
            break;
        case 'l':
            out->limit = optarg;
            break;
        case 'f':
            out->after = optarg;
            break;
        case 'i':
            out->id = optarg;
            break;
        case 's':
            out->secret = optarg;
            break;
        case 'j':
            out->json = true;
            break;
        default:
            return false;
        }
    }
    return true;
}

static void add_encoded(struct buf *path, const char *value)
{
    for (; *value != '\0'; value++) {
        bool plain = (*value >= '0' && *value <= '9') || (*value >= 'a' && *value <= 'z') ||
                     (*value >= 'A' && *value <= 'Z') || strchr("-._", *value) != NULL;
        buf_printf(path, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
}

static void add_argument(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(path, "%c%s=", strchr(buf_str(path), '?') != NULL ? '&' : '?', name);
    add_encoded(path, value);
}

static void build_path(struct buf *path, const struct admin_object *object, const struct admin_options *options,
                       const char *id)
{
    buf_printf(path, "/api/%s%s", object->collection, id != NULL ? "/" : "");
    add_encoded(path, id != NULL ? id : "");
    add_argument(path, "account", options->account);
    add_argument(path, "name", options->name);
    add_argument(path, "limit", options->limit);
    add_argument(path, "after", options->after);
}

static void build_body(struct buf *body, const struct admin_options *options)
{
    struct json_out out = JSON_OUT(body, 0);
    json_out_object(&out, NULL);
    if (options->id != NULL)
        json_out_text(&out, "id", options->id);
    if (options->secret != NULL)
        json_out_text(&out, "secret", options->secret);
    json_out_end_object(&out);
}

static int run(const struct admin_object *object, size_t verb, const struct admin_options *options, const char *id)
{
    AUTO_BUF(path, 4096);
    AUTO_BUF(body, 4096);
    char why[ADMIN_WHY_SIZE];
    AUTO_TYPE(json_t) answer = NULL;
    build_path(&path, object, options, id);
    build_body(&body, options);
    const char *sent = verbs[verb].verb == VERB_ADD ? buf_str(&body) : NULL;
    if (path.failed || body.failed) {
        fprintf(stderr, "caraway: the arguments are too long\n");
        return 1;
    }
    if (!admin_ask(options->data, verbs[verb].method, buf_str(&path), sent, &answer, why)) {
        fprintf(stderr, "caraway: %s\n", why);
        return 1;
    }
    if (options->json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (verbs[verb].verb == VERB_LIST) {
        print_list(object, answer);
    } else {
        print_members(answer, 0);
    }
    return 0;
}

int admin_command(int argc, char **argv)
{
    const struct admin_object *object = object_of(argv[0]);
    CHECK(object != NULL);
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    struct admin_options options;
    if (argc < 2 || !read_options(argc - 1, argv + 1, &options))
        return usage(stderr, 2);
    int rest = argc - 1 - optind;
    for (size_t v = 0; v < ARRAY_SIZE(verbs); v++) {
        if (strcmp(argv[1], verbs[v].word) == 0 && (object->verbs & verbs[v].verb) && rest == verbs[v].takes_id)
            return run(object, v, &options, verbs[v].takes_id ? argv[1 + optind] : NULL);
    }
    return usage(stderr, 2);
}
