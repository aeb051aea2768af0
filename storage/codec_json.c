#include "storage/fields.h"

#include "base/clock_text.h"
#include "base/encode.h"

#include <stdio.h>

enum { MEMBER_SIZE = 40, STORED_JSON_MAX = 1 << 20 };

struct reader {
    struct arena *arena;
    char *why; /* JSON_WHY_SIZE; says in advance what is wrong should the next value be refused */
};

/* The member's name is the field's; a time is text in JSON, so its unit is not part of the name. */
static void member_name(const struct field *field, char out[static MEMBER_SIZE])
{
    int unit = field->kind == KIND_TIME ? (int)strlen("_ms") : 0;
    snprintf(out, MEMBER_SIZE, "%.*s", (int)strlen(field->name) - unit, field->name);
}

static void write_text(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    json_out_text(out, key, *(const char *const *)value);
}

static bool read_text(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)field;
    const char *text = json_string_value(value);
    TRY(text != NULL);
    *(const char **)out = arena_text(in->arena, text);
    return *(const char **)out != NULL;
}

static void write_json(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    json_out_raw(out, key, *(const char *const *)value);
}

static bool read_json(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)field;
    AUTO_TYPE(char) text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    TRY(text != NULL && strlen(text) <= STORED_JSON_MAX);
    *(const char **)out = arena_text(in->arena, text);
    return *(const char **)out != NULL;
}

static void write_blob(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    const struct bytes *blob = value;
    AUTO_BUF(text, B64URL_LEN(blob->len));
    buf_b64url(&text, *blob);
    out->buf->failed |= text.failed;
    json_out_bytes(out, key, buf_bytes(&text));
}

static bool read_blob(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)field;
    const char *text = json_string_value(value);
    return text != NULL && b64url_decode(in->arena, bytes_text(text), out);
}

static void write_int(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    json_out_int(out, key, *(const int64_t *)value);
}

static bool read_int(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)in;
    (void)field;
    TRY(json_is_integer(value));
    *(int64_t *)out = json_integer_value(value);
    return true;
}

static void write_time(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    int64_t ms = *(const int64_t *)value;
    char seconds[TIME_TEXT_SIZE];
    time_text(ms, seconds);
    char text[TIME_TEXT_SIZE + 4];
    snprintf(text, sizeof text, "%.*s.%03dZ", (int)strlen(seconds) - 1, seconds, (int)(ms % 1000));
    json_out_text(out, key, text);
}

static bool read_time(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)in;
    (void)field;
    const char *text = json_string_value(value);
    int64_t ms;
    TRY(text != NULL && time_parse(text, &ms) && ms >= 0 && ms <= TIME_MAX_MS);
    *(int64_t *)out = ms;
    return true;
}

static void write_flag(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    json_out_bool(out, key, *(const bool *)value);
}

static bool read_flag(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)in;
    (void)field;
    TRY(json_is_boolean(value));
    *(bool *)out = json_is_true(value);
    return true;
}

static void write_state(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    json_out_text(out, key, state_text(field->states, *(const unsigned *)value));
}

static bool read_state(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    (void)in;
    const char *text = json_string_value(value);
    return text != NULL && state_from_text(field->states, text, out);
}

static void write_identifier(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    (void)field;
    const struct acme_identifier *identifier = value;
    json_out_object(out, key);
    json_out_text(out, "type", identifier_type_text(identifier->type));
    json_out_text(out, "value", identifier->value);
    json_out_end_object(out);
}

static bool read_identifier(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    struct acme_identifier identifier;
    const char *type = json_member_text(value, "type");
    TRY(type != NULL && json_object_size(value) == 2 && identifier_type_from_text(type, &identifier.type));
    TRY(read_text(in, field, json_object_get(value, "value"), &identifier.value));
    *(struct acme_identifier *)out = identifier;
    return true;
}

static void write_list(struct json_out *out, const char *key, const struct field *field, const void *value);
static bool read_list(struct reader *in, const struct field *field, const json_t *value, void *out);

static const struct kind_json {
    void (*write)(struct json_out *out, const char *key, const struct field *field, const void *value);
    bool (*read)(struct reader *in, const struct field *field, const json_t *value, void *out);
    const char *expected;
} kinds[FIELD_KINDS] = {
    [KIND_TEXT] = { write_text, read_text, "a text" },
    [KIND_JSON] = { write_json, read_json, "a JSON value of at most a mebibyte" },
    [KIND_BLOB] = { write_blob, read_blob, "base64url without padding" },
    [KIND_INT] = { write_int, read_int, "an integer" },
    [KIND_TIME] = { write_time, read_time, "an RFC 3339 time between 1970 and 9999" },
    [KIND_FLAG] = { write_flag, read_flag, "true or false" },
    [KIND_STATE] = { write_state, read_state, "a state of this kind of object" },
    [KIND_IDENTIFIER] = { write_identifier, read_identifier, "an object of a known \"type\" and a \"value\"" },
    [KIND_TEXTS] = { write_list, read_list, "an array of texts" },
    [KIND_JSONS] = { write_list, read_list, "an array of JSON values of at most a mebibyte each" },
    [KIND_IDENTIFIERS] = { write_list, read_list, "an array of objects of a known \"type\" and a \"value\"" },
    [KIND_RECORDS] = { write_list, read_list, "an array of objects" },
};

static void write_list(struct json_out *out, const char *key, const struct field *field, const void *value)
{
    struct list list = list_of(value);
    size_t size = field_item_size(field);
    json_out_array(out, key);
    for (size_t i = 0; i < list.count; i++) {
        const void *item = (const char *)list.items + i * size;
        if (field->kind == KIND_RECORDS)
            record_to_json(out, NULL, field->type, item);
        else
            kinds[field_item_kind(field)].write(out, NULL, field, item);
    }
    json_out_end_array(out);
}

static bool read_item(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    if (field->kind == KIND_RECORDS)
        return record_from_json(in->arena, field->type, value, out, in->why);
    return kinds[field_item_kind(field)].read(in, field, value, out);
}

static bool read_list(struct reader *in, const struct field *field, const json_t *value, void *out)
{
    TRY(json_is_array(value));
    struct list list = { .count = json_array_size(value) };
    size_t size = field_item_size(field);
    list.items = arena_array(in->arena, list.count, size);
    TRY(list.items != NULL);
    for (size_t i = 0; i < list.count; i++)
        TRY(read_item(in, field, json_array_get(value, i), (char *)list.items + i * size));
    memcpy(out, &list, sizeof list);
    return true;
}

void record_to_json(struct json_out *out, const char *key, const struct record_type *type, const void *record)
{
    json_out_object(out, key);
    for (size_t i = 0; i < type->count; i++) {
        const struct field *field = &type->fields[i];
        const void *value = field_at(field, record);
        char name[MEMBER_SIZE];
        member_name(field, name);
        if (field_present(field, value))
            kinds[field->kind].write(out, name, field, value);
    }
    json_out_end_object(out);
}

static const struct field *field_by_member(const struct record_type *type, const char *member)
{
    for (size_t i = 0; i < type->count; i++) {
        char name[MEMBER_SIZE];
        member_name(&type->fields[i], name);
        if (strcmp(name, member) == 0)
            return &type->fields[i];
    }
    return NULL;
}

bool record_from_json(struct arena *arena, const struct record_type *type, const json_t *object, void *out_record,
                      char why[static JSON_WHY_SIZE])
{
    snprintf(why, JSON_WHY_SIZE, "%s: a JSON object is expected", type->name);
    TRY(json_is_object(object));
    char *record = arena_alloc(arena, type->size);
    TRY(record != NULL);
    const char *member;
    json_t *value;
    struct reader in = { arena, why };
    json_object_foreach ((json_t *)object, member, value) {
        const struct field *field = field_by_member(type, member);
        snprintf(why, JSON_WHY_SIZE, "%s has no member \"%.80s\"", type->name, member);
        TRY(field != NULL);
        snprintf(why, JSON_WHY_SIZE, "%s: \"%s\" must be %s", type->name, member, kinds[field->kind].expected);
        TRY(kinds[field->kind].read(&in, field, value, record + field->offset));
    }
    memcpy(out_record, record, type->size);
    return true;
}
