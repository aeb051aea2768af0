#include "server/operator.h"

#include "server/admin_client.h"

#include <getopt.h>
#include <stdio.h>

bool operator_read(int argc, char **argv, struct operator_line *out)
{
    static const struct option options[] = {
        { "data", required_argument, NULL, 'd' },
        { "account", required_argument, NULL, 'a' },
        { "comment", required_argument, NULL, 'c' },
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
        case 'j':
            out->json = true;
            break;
        case 'h':
            out->help = true;
            break;
        default:
            return false;
        }
    }
    TRY(argc - optind <= OPERATOR_WORDS_MAX);
    for (int i = optind; i < argc; i++)
        out->words[out->word_count++] = argv[i];
    return true;
}

bool operator_ask(const struct operator_line *line, const char *method, const char *path, const char *body,
                  json_t **out)
{
    char why[ADMIN_WHY_SIZE];
    if (!admin_ask(line->data, method, path, body, out, why)) {
        fprintf(stderr, "caraway: %s\n", why);
        return false;
    }
    if (line->json) {
        json_dumpf(*out, stdout, JSON_INDENT(2));
        printf("\n");
    }
    return true;
}

void operator_encode(struct buf *path, const char *value)
{
    for (; *value != '\0'; value++) {
        bool plain = (*value >= '0' && *value <= '9') || (*value >= 'a' && *value <= 'z') ||
                     (*value >= 'A' && *value <= 'Z') || strchr("-._", *value) != NULL;
        buf_printf(path, plain ? "%c" : "%%%02X", (unsigned char)*value);
    }
}
