#include "server/command/operator.h"

#include "server/command/admin_client.h"

#include <getopt.h>
#include <stdio.h>

enum { PATH_MAX_BYTES = 16384, CELL_MAX_BYTES = 4096, COLUMNS_MAX = 8 };

bool operator_read(int argc, char **argv, struct operator_line *out)
{
    static const struct option options[] = {
        { "data", required_argument, NULL, 'd' },
        { "account", required_argument, NULL, 'a' },
        { "comment", required_argument, NULL, 'c' },
        { "profile", required_argument, NULL, 'p' },
        { "replaces", required_argument, NULL, 'r' },
        { "after", required_argument, NULL, 'f' },
        { "json", no_argument, NULL, 'j' },
        { "help", no_argument, NULL, 'h' },
        { 0 },
    };
    const char *environment = getenv("CARAWAY_DATA");
    *out = (struct operator_line) { .data = environment != NULL ? environment : "./caraway-data" };
    optind = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'd':
            out->data = optarg;
            break;
        case 'a':
            out->account = optarg;
            break;
        case 'c':
            out->comment = optarg;
            break;
        case 'f':
            out->after = optarg;
            break;
        case 'p':
            out->profile = optarg;
            break;
        case 'r':
            out->replaces = optarg;
            break;
        case 'j':
            out->json = true;
            break;
        case 'h':
            out->help = true;
            break;
        default:
            fprintf(stderr, "see caraway %s --help\n", argv[0]);
            return false;
        }
    }
    if (argc - optind > OPERATOR_WORDS_MAX) {
        fprintf(stderr, "caraway: %s takes at most %d words\n", argv[0], OPERATOR_WORDS_MAX);
        return false;
    }
    for (int i = optind; i < argc; i++)
        out->words[out->word_count++] = argv[i];
    return true;
}

bool operator_send(const struct operator_line *line, const char *method, const char *path, const struct buf *body,
                   json_t **out)
{
    AUTO_BUF(copy, PATH_MAX_BYTES);
    buf_text(&copy, path);
    return operator_ask(line, method, &copy, body, out);
}

bool operator_ask(const struct operator_line *line, const char *method, const struct buf *path, const struct buf *body,
                  json_t **out)
{
    char why[ADMIN_WHY_SIZE] = "the arguments are too long";
    bool fit = !path->failed && (body == NULL || !body->failed);
    if (!fit || !admin_ask(line->data, method, buf_str(path), body != NULL ? buf_str(body) : NULL, out, why)) {
        fprintf(stderr, "caraway: %s\n", why);
        return false;
    }
    if (line->json) {
        json_dumpf(*out, stdout, JSON_INDENT(2));
        printf("\n");
    }
    return true;
}

void operator_argument(struct buf *path, const char *name, const char *value)
{
    if (value == NULL)
        return;
    buf_printf(path, "%c%s=", strchr(buf_str(path), '?') != NULL ? '&' : '?', name);
    for (; *value != '\0'; value++) {
        bool plain = (*value >= '0' && *value <= '9') || (*value >= 'a' && *value <= 'z') ||
                     (*value >= 'A' && *value <= 'Z') || strchr("-._", *value) != NULL;
        buf_printf(path, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
}

/* ---- tables */

static const char *cell(const json_t *row, const char *member, struct buf *out)
{
    const json_t *value = json_object_get(row, member);
    if (json_is_string(value))
        buf_text(out, json_string_value(value));
    else if (json_is_integer(value))
        buf_printf(out, "%lld", (long long)json_integer_value(value));
    else
        buf_char(out, '-');
    return buf_str(out);
}

static void print_cell(const char *text, size_t width, bool last)
{
    if (last)
        printf("%s\n", text);
    else
        printf("%-*s  ", (int)width, text);
}

static size_t width_of(const struct operator_column *column, const json_t *rows)
{
    size_t width = strlen(column->title);
    for (size_t r = 0; r < json_array_size(rows); r++) {
        AUTO_BUF(text, CELL_MAX_BYTES);
        size_t len = strlen(cell(json_array_get(rows, r), column->member, &text));
        width = len > width ? len : width;
    }
    return width;
}

void operator_table(const struct operator_column *columns, size_t count, const json_t *rows)
{
    size_t widths[COLUMNS_MAX];
    CHECK(count <= COLUMNS_MAX);
    for (size_t c = 0; c < count; c++) {
        widths[c] = width_of(&columns[c], rows);
        print_cell(columns[c].title, widths[c], c + 1 == count);
    }
    for (size_t r = 0; r < json_array_size(rows); r++) {
        for (size_t c = 0; c < count; c++) {
            AUTO_BUF(text, CELL_MAX_BYTES);
            print_cell(cell(json_array_get(rows, r), columns[c].member, &text), widths[c], c + 1 == count);
        }
    }
}
