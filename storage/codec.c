#include "storage/fields.h"

enum { CODEC_VERSION = 1 };

static void put_varint(struct buf *out, uint64_t value)
{
    while (value >= 0x80) {
        buf_char(out, (char)(value | 0x80));
        value >>= 7;
    }
    buf_char(out, (char)value);
}

/* Refuses what put_varint would not write: more than 64 bits, or a last byte that adds nothing. */
static bool take_varint(struct bytes *in, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && in->len > 0; shift += 7) {
        uint8_t byte = *in->data;
        *in = bytes_of(in->data + 1, in->len - 1);
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = value;
            return byte != 0 || shift == 0;
        }
    }
    return false;
}

/* Puts the length of what was appended since `from` in front of it: lengths are known only afterwards. */
static void close_piece(struct buf *out, size_t from)
{
    size_t len = out->len - from;
    put_varint(out, len);
    if (out->failed)
        return;
    uint8_t prefix[10];
    size_t prefix_len = out->len - from - len;
    memcpy(prefix, out->data + from + len, prefix_len);
    memmove(out->data + from + prefix_len, out->data + from, len);
    memcpy(out->data + from, prefix, prefix_len);
}

static bool take_piece(struct bytes *in, struct bytes *out)
{
    uint64_t len;
    TRY(take_varint(in, &len) && len <= in->len);
    *out = bytes_of(in->data, len);
    *in = bytes_of(in->data + len, in->len - len);
    return true;
}

static void encode_text(struct buf *out, const struct field *field, const void *value)
{
    (void)field;
    const char *text = *(const char *const *)value;
    CHECK(text != NULL);
    buf_text(out, text);
}

static bool decode_text(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    (void)field;
    TRY(data.len == 0 || memchr(data.data, '\0', data.len) == NULL);
    char *text = arena_text_of(arena, data);
    TRY(text != NULL);
    *(const char **)out = text;
    return true;
}

static void encode_blob(struct buf *out, const struct field *field, const void *value)
{
    (void)field;
    const struct bytes *blob = value;
    buf_append(out, blob->data, blob->len);
}

static bool decode_blob(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    (void)field;
    char *copy = arena_text_of(arena, data);
    TRY(copy != NULL);
    *(struct bytes *)out = bytes_of(copy, data.len);
    return true;
}

/* Small numbers of either sign take few bytes: the sign goes into the lowest bit. */
static void encode_int(struct buf *out, const struct field *field, const void *value)
{
    (void)field;
    int64_t number = *(const int64_t *)value;
    put_varint(out, (uint64_t)number << 1 ^ (uint64_t) - (number < 0));
}

static bool decode_int(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    (void)arena;
    uint64_t coded;
    TRY(take_varint(&data, &coded) && data.len == 0);
    int64_t number = (int64_t)(coded >> 1) ^ -(int64_t)(coded & 1);
    TRY(field->kind != KIND_TIME || (number >= 0 && number <= TIME_MAX_MS));
    *(int64_t *)out = number;
    return true;
}

static void encode_flag(struct buf *out, const struct field *field, const void *value)
{
    (void)field;
    buf_char(out, *(const bool *)value ? 1 : 0);
}

static bool decode_flag(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    (void)arena;
    (void)field;
    TRY(data.len == 1 && data.data[0] <= 1);
    *(bool *)out = data.data[0] == 1;
    return true;
}

/* A state is kept as its text, so that the order of the rows in acme/state.h is not a matter of the disk. */
static void encode_state(struct buf *out, const struct field *field, const void *value)
{
    buf_text(out, state_text(field->states, *(const unsigned *)value));
}

static bool decode_state(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    const char *text;
    TRY(decode_text(arena, field, data, &text));
    return state_from_text(field->states, text, out);
}

static void encode_identifier(struct buf *out, const struct field *field, const void *value)
{
    (void)field;
    const struct acme_identifier *identifier = value;
    CHECK(identifier->value != NULL);
    buf_text(out, identifier_type_text(identifier->type));
    buf_char(out, ':');
    buf_text(out, identifier->value);
}

static bool decode_identifier(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    char *text;
    TRY(decode_text(arena, field, data, &text));
    char *colon = strchr(text, ':');
    TRY(colon != NULL);
    *colon = '\0';
    struct acme_identifier identifier = { .value = colon + 1 };
    TRY(identifier_type_from_text(text, &identifier.type));
    *(struct acme_identifier *)out = identifier;
    return true;
}

static void encode_list(struct buf *out, const struct field *field, const void *value);
static bool decode_list(struct arena *arena, const struct field *field, struct bytes data, void *out);

static const struct kind_codec {
    void (*encode)(struct buf *out, const struct field *field, const void *value);
    bool (*decode)(struct arena *arena, const struct field *field, struct bytes data, void *out);
} kinds[FIELD_KINDS] = {
    [KIND_TEXT] = { encode_text, decode_text },        [KIND_JSON] = { encode_text, decode_text },
    [KIND_BLOB] = { encode_blob, decode_blob },        [KIND_INT] = { encode_int, decode_int },
    [KIND_TIME] = { encode_int, decode_int },          [KIND_FLAG] = { encode_flag, decode_flag },
    [KIND_STATE] = { encode_state, decode_state },     [KIND_IDENTIFIER] = { encode_identifier, decode_identifier },
    [KIND_TEXTS] = { encode_list, decode_list },       [KIND_JSONS] = { encode_list, decode_list },
    [KIND_IDENTIFIERS] = { encode_list, decode_list }, [KIND_RECORDS] = { encode_list, decode_list },
};

static void encode_item(struct buf *out, const struct field *list, const void *item)
{
    if (list->kind == KIND_RECORDS)
        record_encode(out, list->type, item);
    else
        kinds[field_item_kind(list)].encode(out, list, item);
}

static bool decode_item(struct arena *arena, const struct field *list, struct bytes data, void *out)
{
    if (list->kind == KIND_RECORDS)
        return record_decode(arena, list->type, data, out);
    return kinds[field_item_kind(list)].decode(arena, list, data, out);
}

static void encode_list(struct buf *out, const struct field *field, const void *value)
{
    struct list list = list_of(value);
    size_t size = field_item_size(field);
    for (size_t i = 0; i < list.count; i++) {
        size_t from = out->len;
        encode_item(out, field, (const char *)list.items + i * size);
        close_piece(out, from);
    }
}

static bool decode_list(struct arena *arena, const struct field *field, struct bytes data, void *out)
{
    struct list list = { 0 };
    struct bytes piece;
    for (struct bytes rest = data; rest.len > 0; list.count++)
        TRY(take_piece(&rest, &piece));
    size_t size = field_item_size(field);
    list.items = arena_array(arena, list.count, size);
    TRY(list.items != NULL);
    for (size_t i = 0; i < list.count; i++)
        TRY(take_piece(&data, &piece) && decode_item(arena, field, piece, (char *)list.items + i * size));
    memcpy(out, &list, sizeof list);
    return true;
}

void record_encode(struct buf *out, const struct record_type *type, const void *record)
{
    buf_char(out, CODEC_VERSION);
    for (size_t i = 0; i < type->count; i++) {
        const struct field *field = &type->fields[i];
        const void *value = field_at(field, record);
        if (!field_present(field, value))
            continue;
        put_varint(out, field->tag);
        size_t from = out->len;
        kinds[field->kind].encode(out, field, value);
        close_piece(out, from);
    }
}

static const struct field *field_by_tag(const struct record_type *type, uint64_t tag)
{
    for (size_t i = 0; i < type->count; i++)
        if (type->fields[i].tag == tag)
            return &type->fields[i];
    return NULL;
}

bool record_decode(struct arena *arena, const struct record_type *type, struct bytes data, void *out_record)
{
    TRY(data.len > 0 && data.data[0] == CODEC_VERSION);
    data = bytes_of(data.data + 1, data.len - 1);
    char *record = arena_alloc(arena, type->size);
    TRY(record != NULL);
    uint64_t tag;
    for (uint64_t last = 0; data.len > 0; last = tag) {
        struct bytes value;
        TRY(take_varint(&data, &tag) && tag > last && take_piece(&data, &value));
        const struct field *field = field_by_tag(type, tag);
        TRY(field == NULL || kinds[field->kind].decode(arena, field, value, record + field->offset));
    }
    memcpy(out_record, record, type->size);
    return true;
}
