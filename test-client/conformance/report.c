/* What a run found: as a table, as JSON, as JUnit's XML. */
#include "test-client/conformance/inside.h"

#include "test-client/file.h"

enum { FILE_MAX = 64 << 20 };

struct tally {
    unsigned of[CF_OUTCOMES];
};

static void print_row(FILE *out, const char *spec, const char *section, const char *title, const struct tally *tally)
{
    fprintf(out, "%-34s %-7s %-40s %5u %5u %12u\n", spec, section, title, tally->of[CF_PASSED], tally->of[CF_FAILED],
            tally->of[CF_NOT_OFFERED]);
}

void cf_report_table(const struct cf_result *results, size_t count, FILE *out)
{
    struct tally all = { 0 };
    fprintf(out, "\n%-34s %-7s %-40s %5s %5s %12s\n", "specification", "section", "about", "pass", "fail",
            "not offered");
    for (size_t i = 0; i < count;) {
        const struct cf_group *group = results[i].group;
        struct tally tally = { 0 };
        for (; i < count && results[i].group == group; i++)
            tally.of[results[i].outcome]++;
        print_row(out, group->spec, group->section, group->title, &tally);
        for (size_t k = 0; k < CF_OUTCOMES; k++)
            all.of[k] += tally.of[k];
    }
    print_row(out, "total", "", "", &all);
}

/* "RFC 8555 §6.5" of a group and a check's id. */
static void write_section(struct buf *out, const struct cf_result *result)
{
    const char *from = strrchr(result->check->id, '/');
    from = from != NULL ? from + 1 : result->check->id;
    buf_printf(out, "%s §%.*s", result->group->spec, (int)(strrchr(from, '.') - from), from);
}

static void write_result(struct json_out *json, const struct cf_result *result)
{
    static const char *const words[CF_OUTCOMES] = { "pass", "fail", "not offered" };
    AUTO_BUF(section, FILE_MAX);
    write_section(&section, result);
    json_out_object(json, NULL);
    json_out_text(json, "id", result->check->id);
    json_out_text(json, "section", buf_str(&section));
    json_out_text(json, "requirements", result->check->requirements);
    json_out_text(json, "what", result->check->what);
    json_out_text(json, "outcome", words[result->outcome]);
    json_out_int(json, "ms", result->took_ms);
    if (result->why != NULL)
        json_out_text(json, "why", result->why);
    if (result->shown != NULL)
        json_out_text(json, "exchange", result->shown);
    json_out_end_object(json);
}

bool cf_report_json(const struct cf *cf, const struct cf_result *results, size_t count, char why[static TC_WHY_SIZE])
{
    AUTO_BUF(text, FILE_MAX);
    struct json_out json = JSON_OUT(&text, 2);
    json_out_object(&json, NULL);
    json_out_text(&json, "directory", cf->settings->directory_url);
    json_out_array(&json, "checks");
    for (size_t i = 0; i < count; i++)
        write_result(&json, &results[i]);
    json_out_end_array(&json);
    json_out_end_object(&json);
    buf_char(&text, '\n');
    return tc_file_write(cf->settings->json, buf_bytes(&text), 0644, why);
}

static void write_xml(struct buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        switch (*c) {
        case '&':
            buf_text(out, "&amp;");
            break;
        case '<':
            buf_text(out, "&lt;");
            break;
        case '>':
            buf_text(out, "&gt;");
            break;
        case '"':
            buf_text(out, "&quot;");
            break;
        default:
            buf_char(out, *c);
        }
    }
}

static void write_case(struct buf *out, const struct cf_result *result)
{
    buf_text(out, "    <testcase classname=\"");
    write_xml(out, result->group->spec);
    buf_text(out, "\" name=\"");
    write_xml(out, result->check->id);
    buf_printf(out, "\" time=\"%.3f\">", (double)result->took_ms / 1000);
    if (result->outcome != CF_PASSED) {
        buf_printf(out, "<%s message=\"", result->outcome == CF_FAILED ? "failure" : "skipped");
        write_xml(out, result->why);
        buf_text(out, "\">");
        write_xml(out, result->shown != NULL ? result->shown : "");
        buf_printf(out, "</%s>", result->outcome == CF_FAILED ? "failure" : "skipped");
    }
    buf_text(out, "</testcase>\n");
}

static void write_suite(struct buf *out, const struct cf_result *results, size_t count)
{
    struct tally tally = { 0 };
    for (size_t i = 0; i < count; i++)
        tally.of[results[i].outcome]++;
    buf_text(out, "  <testsuite name=\"");
    write_xml(out, results->group->spec);
    buf_printf(out, " section %s, ", results->group->section);
    write_xml(out, results->group->title);
    buf_printf(out, "\" tests=\"%zu\" failures=\"%u\" skipped=\"%u\">\n", count, tally.of[CF_FAILED],
               tally.of[CF_NOT_OFFERED]);
    for (size_t i = 0; i < count; i++)
        write_case(out, &results[i]);
    buf_text(out, "  </testsuite>\n");
}

bool cf_report_junit(const struct cf *cf, const struct cf_result *results, size_t count, char why[static TC_WHY_SIZE])
{
    AUTO_BUF(text, FILE_MAX);
    buf_text(&text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"ACME conformance\">\n");
    for (size_t i = 0; i < count;) {
        size_t from = i;
        while (i < count && results[i].group == results[from].group)
            i++;
        write_suite(&text, results + from, i - from);
    }
    buf_text(&text, "</testsuites>\n");
    return tc_file_write(cf->settings->junit, buf_bytes(&text), 0644, why);
}
