#include "acme/problem.h"

#include <stdio.h>

#define PROBLEM_URN "urn:ietf:params:acme:error:"
enum { PROBLEM_JSON_MAX_BYTES = 1 << 20 };

static const struct {
    const char *text;
    const char *urn;
    int status;
} problem_types[] = {
#define X(name, text, status) [PROBLEM_##name] = { text, PROBLEM_URN text, status },
    ACME_PROBLEM_TABLE(X)
#undef X
};

const char *problem_type_text(enum acme_problem_type type)
{
    CHECK(type < ARRAY_SIZE(problem_types));
    return problem_types[type].text;
}

/* The length of the UTF-8 sequence that starts at `text` (RFC 3629), 0 when there is no whole and right one. */
static size_t utf8_length(const char *text)
{
    static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint8_t first = (uint8_t)*text;
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    size_t len = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    uint32_t point = first & (0x7fU >> len);
    for (size_t i = 1; i < len; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | ((uint8_t)text[i] & 0x3f);
    }
    bool surrogate = point >= 0xd800 && point <= 0xdfff;
    return point >= smallest[len] && point <= 0x10ffff && !surrogate ? len : 0;
}

/* A detail quotes what others sent and may be cut in the middle of a character: what is no UTF-8 would spoil the JSON
 * document, and control characters the log. */
static void make_printable(char *text)
{
    while (*text != '\0') {
        size_t len = utf8_length(text);
        if (len == 0 || (uint8_t)*text < 0x20 || *text == 0x7f)
            *text = '?';
        text += len > 0 ? len : 1;
    }
}

static void PRINTF_LIKE(4, 0)
    fill(struct acme_problem *problem, enum acme_problem_type type, int status, const char *detail, va_list args)
{
    *problem = (struct acme_problem) { .type = type, .status = status };
    vsnprintf(problem->detail, sizeof problem->detail, detail, args);
    make_printable(problem->detail);
}

bool problem_fail(struct acme_problem *problem, enum acme_problem_type type, const char *detail, ...)
{
    CHECK(type < ARRAY_SIZE(problem_types));
    va_list args;
    va_start(args, detail);
    fill(problem, type, problem_types[type].status, detail, args);
    va_end(args);
    return false;
}

bool problem_fail_status(struct acme_problem *problem, enum acme_problem_type type, int status, const char *detail, ...)
{
    CHECK(type < ARRAY_SIZE(problem_types));
    va_list args;
    va_start(args, detail);
    fill(problem, type, status, detail, args);
    va_end(args);
    return false;
}

bool problem_internal(struct acme_problem *problem, const char *cause, ...)
{
    problem_fail(problem, PROBLEM_SERVER_INTERNAL,
                 "The server could not do this because of a fault of its own; "
                 "the request may be sent again later");
    va_list args;
    va_start(args, cause);
    vsnprintf(problem->cause, sizeof problem->cause, cause, args);
    va_end(args);
    make_printable(problem->cause);
    return false;
}

bool problem_out_of_memory(struct acme_problem *problem)
{
    problem_internal(problem, "out of memory");
    problem->status = 503;
    return false;
}

static void write_subproblem(struct json_out *out, const struct acme_subproblem *sub)
{
    CHECK(sub->type < ARRAY_SIZE(problem_types));
    json_out_object(out, NULL);
    json_out_text(out, "type", problem_types[sub->type].urn);
    json_out_text(out, "detail", sub->detail);
    json_out_object(out, "identifier");
    json_out_text(out, "type", identifier_type_text(sub->identifier.type));
    json_out_text(out, "value", sub->identifier.value);
    json_out_end_object(out);
    json_out_end_object(out);
}

void problem_write(struct json_out *out, const char *key, const struct acme_problem *problem)
{
    CHECK(problem->type < ARRAY_SIZE(problem_types));
    json_out_object(out, key);
    json_out_text(out, "type", problem_types[problem->type].urn);
    json_out_text(out, "detail", problem->detail);
    json_out_int(out, "status", problem->status);
    if (problem->instance != NULL)
        json_out_text(out, "instance", problem->instance);
    if (problem->algorithms != NULL) {
        json_out_array(out, "algorithms");
        for (const char *const *algorithm = problem->algorithms; *algorithm != NULL; algorithm++)
            json_out_text(out, NULL, *algorithm);
        json_out_end_array(out);
    }
    if (problem->subproblem_count + problem->failure_count > 0) {
        json_out_array(out, "subproblems");
        for (size_t i = 0; i < problem->subproblem_count; i++)
            write_subproblem(out, &problem->subproblems[i]);
        for (size_t i = 0; i < problem->failure_count; i++)
            json_out_raw(out, NULL, problem->failures[i]);
        json_out_end_array(out);
    }
    json_out_end_object(out);
}

const char *problem_json(struct arena *arena, const struct acme_problem *problem)
{
    AUTO_BUF(text, PROBLEM_JSON_MAX_BYTES);
    struct json_out out = JSON_OUT(&text, 0);
    problem_write(&out, NULL, problem);
    return text.failed ? NULL : arena_text(arena, buf_str(&text));
}
