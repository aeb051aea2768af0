#include "server/command/admin_table.h"

#include <stdio.h>

enum { CELL_SIZE = 1024 };

const struct admin_verb_row admin_verbs[] = {
    { "list", "GET", NULL, VERB_LIST, .lists = true },
    { "show", "GET", NULL, VERB_SHOW, .takes_id = true },
    { "add", "POST", NULL, VERB_ADD, .takes_body = true },
    { "change", "POST", NULL, VERB_CHANGE, .takes_id = true, .takes_body = true },
    { "revoke", "POST", "revoke", VERB_REVOKE, .takes_id = true },
    { "suspend", "POST", "suspend", VERB_SUSPEND, .takes_id = true },
    { "resume", "POST", "resume", VERB_RESUME, .takes_id = true },
    { "retry", "POST", "retry", VERB_RETRY, .takes_id = true },
    { "remove", "DELETE", NULL, VERB_REMOVE, .takes_id = true },
};
const size_t admin_verb_count = ARRAY_SIZE(admin_verbs);

const struct admin_object admin_objects[] = {
    { "account",
      "accounts",
      "who may order",
      VERB_LIST | VERB_SHOW | VERB_SUSPEND | VERB_RESUME,
      { { "ACCOUNT", "id", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "OWNER", "owner", CELL_TEXT | CELL_IF_ANY },
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
        { "ALLOWED BY", "allowed_by", CELL_TEXT | CELL_IF_ANY },
        { "NAME", "identifier", CELL_IDENTIFIER } } },
    { "cert",
      "certificates",
      "what was issued",
      VERB_LIST | VERB_SHOW,
      { { "SERIAL", "serial", CELL_TEXT },
        { "STATUS", "state", CELL_TEXT },
        { "NOT AFTER", "not_after", CELL_TIME },
        { "ACCOUNT", "account", CELL_TEXT },
        { "OWNER", "owner", CELL_TEXT | CELL_IF_ANY },
        { "NAMES", "identifiers", CELL_IDENTIFIERS } } },
    { "eab",
      "external-keys",
      "keys for external account binding",
      VERB_LIST | VERB_SHOW | VERB_ADD | VERB_CHANGE | VERB_REVOKE | VERB_REMOVE,
      { { "KEY ID", "id", CELL_TEXT },
        { "STATUS", "status", CELL_TEXT },
        { "OWNER", "owner", CELL_TEXT | CELL_IF_ANY },
        { "NAMES", "names", CELL_TEXTS | CELL_IF_ANY },
        { "WILDCARDS", "wildcards", CELL_FLAG | CELL_IF_ANY },
        { "TYPES", "types", CELL_TEXTS | CELL_IF_ANY },
        { "PROFILES", "profiles", CELL_TEXTS | CELL_IF_ANY },
        { "CHALLENGES", "challenges", CELL_TEXTS | CELL_IF_ANY },
        { "PRE-AUTHORIZED", "pre_authorized", CELL_FLAG | CELL_IF_ANY },
        { "LIFETIME", "lifetime", CELL_TEXT | CELL_IF_ANY },
        { "LIMITS", "limits", CELL_TEXT | CELL_IF_ANY },
        { "EXPIRES", "expires", CELL_TIME | CELL_IF_ANY },
        { "USES", "uses", CELL_COUNT | CELL_IF_ANY },
        { "CREATED", "created", CELL_TIME },
        { "ACCOUNTS", "bound", CELL_COUNT } } },
    { "webhook",
      "webhook-events",
      "what webhook.url has not taken yet (retry all: all that wait)",
      VERB_LIST | VERB_SHOW | VERB_RETRY,
      { { "EVENT", "id", CELL_TEXT },
        { "WHAT", "event", CELL_TEXT },
        { "CREATED", "created", CELL_TIME },
        { "ATTEMPTS", "attempts", CELL_COUNT },
        { "NEXT", "next", CELL_TIME },
        { "ERROR", "error", CELL_TEXT },
        { "NAMES", "identifiers", CELL_IDENTIFIERS } } },
};
const size_t admin_object_count = ARRAY_SIZE(admin_objects);

const struct admin_object *admin_object_of(const char *word)
{
    for (size_t i = 0; i < admin_object_count; i++) {
        if (strcmp(admin_objects[i].word, word) == 0)
            return &admin_objects[i];
    }
    return NULL;
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

static void cell_write(struct buf *out, enum admin_cell cell, const json_t *value)
{
    const char *text = json_string_value(value);
    switch (cell) {
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
    case CELL_COUNT:
        if (json_is_integer(value))
            buf_printf(out, "%lld", (long long)json_integer_value(value));
        break;
    case CELL_FLAG:
        buf_text(out, json_is_true(value) ? "yes" : "");
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
    while (count < ADMIN_COLUMNS_MAX && object->columns[count].title != NULL)
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

static void cell_of(struct buf *out, const struct admin_object *object, size_t column, const json_t *row)
{
    cell_write(out, object->columns[column].cell & ~CELL_IF_ANY, json_object_get(row, object->columns[column].member));
}

/* As wide as what it holds; 0 for one that is left out. */
static size_t column_width(const struct admin_object *object, size_t column, const json_t *rows)
{
    size_t width = strlen(object->columns[column].title);
    bool empty = true;
    for (size_t r = 0; r < json_array_size(rows); r++) {
        AUTO_BUF(cell, CELL_SIZE);
        cell_of(&cell, object, column, json_array_get(rows, r));
        empty = empty && strcmp(buf_str(&cell), "-") == 0;
        width = cell.len > width ? cell.len : width;
    }
    return empty && (object->columns[column].cell & CELL_IF_ANY) ? 0 : width;
}

/* The last column always stands. */
static void print_rows(const struct admin_object *object, const json_t *rows)
{
    size_t widths[ADMIN_COLUMNS_MAX];
    size_t columns = column_count(object);
    for (size_t c = 0; c < columns; c++) {
        widths[c] = column_width(object, c, rows);
        if (widths[c] > 0)
            print_cell(object->columns[c].title, widths[c], c + 1 == columns);
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t c = 0; c < columns; c++) {
            AUTO_BUF(cell, CELL_SIZE);
            cell_of(&cell, object, c, json_array_get(rows, r));
            if (widths[c] > 0)
                print_cell(buf_str(&cell), widths[c], c + 1 == columns);
        }
    }
}

static void print_unreadable(const json_t *list)
{
    size_t i;
    json_t *entry;
    json_array_foreach (list, i, entry)
        fprintf(stderr, "caraway: %s cannot be shown: %s\n", json_member_text(entry, "id"),
                json_member_text(entry, "why"));
}

void admin_print_list(const struct admin_object *object, const json_t *answer)
{
    const json_t *rows = json_object_get(answer, object->collection);
    const json_t *unreadable = json_object_get(answer, "unreadable");
    const char *next = json_member_text(answer, "next");
    if (json_array_size(rows) == 0 && unreadable == NULL) {
        printf("no %s\n", object->collection);
        return;
    }
    print_rows(object, rows);
    print_unreadable(unreadable);
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

void admin_print_object(const json_t *object)
{
    print_members(object, 0);
}
