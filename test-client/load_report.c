#include "test-client/load_report.h"

#include <inttypes.h>

enum { REPORT_MAX = 256 << 10 };

void tc_load_count_issued(struct tc_load_result *result, uint64_t us, struct tc_flow_times times)
{
    tc_histogram_add(&result->issued, us);
    tc_histogram_add(&result->answered, times.answered_us);
    tc_histogram_add(&result->paused, times.paused_us);
}

static struct tc_load_failure *failure_kind(struct tc_load_result *result, const char *step, const char *type)
{
    for (size_t i = 0; i < result->failure_kinds; i++) {
        struct tc_load_failure *kind = &result->failures[i];
        if (strncmp(kind->type, type, sizeof kind->type - 1) == 0 && strcmp(kind->step, step) == 0)
            return kind;
    }
    if (result->failure_kinds == TC_LOAD_FAILURE_KINDS)
        return &result->failures[TC_LOAD_FAILURE_KINDS - 1];
    return &result->failures[result->failure_kinds++];
}

/* Cut to fit, but never inside a character. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t len = strnlen(text, size - 1);
    while (text[len] != '\0' && len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    memcpy(out, text, len);
    out[len] = '\0';
}

void tc_load_count_failure(struct tc_load_result *result, const char *step, const struct tc_problem *problem)
{
    struct tc_load_failure *kind = failure_kind(result, step, problem->type);
    if (kind->count++ == 0) {
        copy_text(kind->type, sizeof kind->type, problem->type);
        copy_text(kind->step, sizeof kind->step, step);
        copy_text(kind->detail, sizeof kind->detail, problem->detail);
    }
    result->failed++;
}

/* A number with three decimals: `value` thousandths. */
static void write_thousandths(struct json_out *json, const char *key, uint64_t value)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
    json_out_raw(json, key, text);
}

static uint64_t per_second_thousandths(const struct tc_load_result *result)
{
    return result->elapsed_us > 0 ? result->issued.count * 1000000000 / result->elapsed_us : 0;
}

static uint64_t per_issuance(const struct tc_load_result *result, uint64_t amount)
{
    return result->issued.count > 0 ? amount / result->issued.count : 0;
}

static const struct {
    const char *name;
    unsigned per_mille;
} percentiles[] = { { "p50", 500 }, { "p90", 900 }, { "p99", 990 }, { "max", 1000 } };

static uint64_t median(const struct tc_histogram *histogram)
{
    return tc_histogram_at(histogram, 500);
}

static void write_latency(const struct tc_load_result *result, struct json_out *json)
{
    json_out_object(json, "latency_ms");
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        write_thousandths(json, percentiles[i].name, tc_histogram_at(&result->issued, percentiles[i].per_mille));
    json_out_end_object(json);
}

static void write_failures(const struct tc_load_result *result, struct json_out *json)
{
    json_out_array(json, "errors");
    for (size_t i = 0; i < result->failure_kinds; i++) {
        const struct tc_load_failure *kind = &result->failures[i];
        json_out_object(json, NULL);
        json_out_text(json, "type", kind->type);
        json_out_text(json, "step", kind->step);
        json_out_int(json, "count", (int64_t)kind->count);
        json_out_text(json, "first_detail", kind->detail);
        json_out_end_object(json);
    }
    json_out_end_array(json);
}

void tc_load_write_json(const struct tc_load_result *result, struct buf *out)
{
    struct json_out json = JSON_OUT(out, 2);
    json_out_object(&json, NULL);
    json_out_int(&json, "clients", (int64_t)result->clients);
    write_thousandths(&json, "seconds", result->elapsed_us / 1000);
    json_out_int(&json, "issued", (int64_t)result->issued.count);
    json_out_int(&json, "failed", (int64_t)result->failed);
    json_out_int(&json, "unfinished", (int64_t)result->unfinished);
    write_thousandths(&json, "issuances_per_second", per_second_thousandths(result));
    write_latency(result, &json);
    write_thousandths(&json, "server_ms", median(&result->answered));
    write_thousandths(&json, "paused_ms", median(&result->paused));
    write_thousandths(&json, "client_cpu_ms_per_issuance", per_issuance(result, result->client_us));
    write_thousandths(&json, "requests_per_issuance", per_issuance(result, result->requests * 1000));
    if (result->server_us > 0)
        write_thousandths(&json, "server_cpu_ms_per_issuance", per_issuance(result, result->server_us));
    write_failures(result, &json);
    json_out_end_object(&json);
    buf_char(out, '\n');
}

static const char *unit_of(const struct tc_load_result *result)
{
    return result->unit != NULL ? result->unit : "issuance";
}

static void write_row(struct buf *out, const char *name, uint64_t thousandths, const char *unit)
{
    buf_printf(out, "%-16s %10" PRIu64 ".%03" PRIu64 " %s\n", name, thousandths / 1000, thousandths % 1000, unit);
}

void tc_load_write_table(const struct tc_load_result *result, struct buf *out)
{
    buf_printf(out, "%-16s %10" PRIu64 "\n", "clients", result->clients);
    write_row(out, "time", result->elapsed_us / 1000, "s");
    buf_printf(out, "%-16s %10" PRIu64 "\n", "issued", result->issued.count);
    buf_printf(out, "%-16s %10" PRIu64 "\n", "failed", result->failed);
    buf_printf(out, "%-16s %10" PRIu64 "\n", "unfinished", result->unfinished);
    char per_second[40], per_one[40];
    snprintf(per_second, sizeof per_second, "%ss/s", unit_of(result));
    snprintf(per_one, sizeof per_one, "ms/%s", unit_of(result));
    write_row(out, "throughput", per_second_thousandths(result), per_second);
    for (size_t i = 0; i < ARRAY_SIZE(percentiles); i++)
        write_row(out, percentiles[i].name, tc_histogram_at(&result->issued, percentiles[i].per_mille), "ms");
    write_row(out, "server, p50", median(&result->answered), "ms");
    write_row(out, "pauses, p50", median(&result->paused), "ms");
    write_row(out, "client CPU", per_issuance(result, result->client_us), per_one);
    if (result->server_us > 0)
        write_row(out, "server CPU", per_issuance(result, result->server_us), per_one);
    for (size_t i = 0; i < result->failure_kinds; i++) {
        const struct tc_load_failure *kind = &result->failures[i];
        buf_printf(out, "%8" PRIu64 " x ", kind->count);
        tc_print_harmless(out, kind->type);
        buf_printf(out, " at %s: ", kind->step);
        tc_print_harmless(out, kind->detail);
        buf_char(out, '\n');
    }
}

void tc_load_print(const struct tc_load_result *result, bool json, FILE *out)
{
    AUTO_BUF(text, REPORT_MAX);
    (json ? tc_load_write_json : tc_load_write_table)(result, &text);
    fputs(buf_str(&text), out);
}
