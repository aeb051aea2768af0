#include "server/web/payload.h"

#include "base/clock_text.h"
#include "base/encode.h"
#include "server/caraway.h"

static bool wrong_kind(struct request *rq, const char *name, const char *kind)
{
    return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%s\" in the payload must be %s", name, kind);
}

bool payload_read(struct request *rq)
{
    char why[JSON_WHY_SIZE];
    rq->payload = json_read_object(buf_bytes(&rq->body), why);
    return rq->payload != NULL ||
           problem_fail(&rq->problem, PROBLEM_MALFORMED, "The body must be a JSON object: %s", why);
}

bool payload_text(struct request *rq, const char *name, const char **out)
{
    const json_t *value = json_object_get(rq->payload, name);
    if (value == NULL)
        return true;
    if (!json_is_string(value))
        return wrong_kind(rq, name, "a string");
    *out = arena_text(rq->arena, json_string_value(value));
    return *out != NULL || problem_out_of_memory(&rq->problem);
}

bool payload_flag(struct request *rq, const char *name, bool *out)
{
    const json_t *value = json_object_get(rq->payload, name);
    if (value == NULL)
        return true;
    if (!json_is_boolean(value))
        return wrong_kind(rq, name, "true or false");
    *out = json_is_true(value);
    return true;
}

bool payload_texts(struct request *rq, const char *name, size_t most, struct texts *out)
{
    const json_t *list = json_object_get(rq->payload, name);
    if (list == NULL)
        return true;
    if (!json_is_array(list))
        return wrong_kind(rq, name, "an array of strings");
    size_t count = json_array_size(list);
    if (count > most)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%s\" has %zu entries; at most %zu are taken", name,
                            count, most);
    const char **items = arena_array(rq->arena, count, sizeof *items);
    if (items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (text == NULL)
            return wrong_kind(rq, name, "an array of strings");
        items[i] = arena_text(rq->arena, text);
        if (items[i] == NULL)
            return problem_out_of_memory(&rq->problem);
    }
    *out = (struct texts) { items, count };
    return true;
}

bool payload_b64url(struct request *rq, const char *name, size_t most, struct bytes *out)
{
    const char *text = NULL;
    TRY(payload_text(rq, name, &text));
    if (text == NULL)
        return true;
    if (strlen(text) > B64URL_LEN(most))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%s\" is longer than %zu bytes", name, most);
    struct bytes encoded = bytes_text(text);
    if (rq->caraway->settings->lenient_base64)
        encoded = b64url_trim_padding(encoded);
    if (!b64url_decode(rq->arena, encoded, out))
        return wrong_kind(rq, name, "base64url without padding (RFC 4648 section 5)");
    return true;
}

bool payload_time(struct request *rq, const char *name, int64_t *out_ms)
{
    static const int64_t year_two_ms = -62104060800000; /* 0002-01-01T00:00:00Z */
    const char *text = NULL;
    int64_t ms;
    TRY(payload_text(rq, name, &text));
    if (text == NULL)
        return true;
    if (!time_parse(text, &ms))
        return wrong_kind(rq, name, "a date and time like 2027-01-31T12:00:00Z (RFC 3339)");
    if (ms >= year_two_ms)
        *out_ms = ms;
    return true;
}
