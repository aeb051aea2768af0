#include "storage/fields.h"

#define OF_TEXT(of)
#define OF_JSON(of)
#define OF_BLOB(of)
#define OF_INT(of)
#define OF_TIME(of)
#define OF_FLAG(of)
#define OF_STATE(of) .states = &of##_states
#define OF_IDENTIFIER(of)
#define OF_TEXTS(of)
#define OF_JSONS(of)
#define OF_IDENTIFIERS(of)
#define OF_RECORDS(of) .type = &record_type_##of

#define ROW(record, number, kind_name, member, of)                                                                     \
    { .tag = (number),                                                                                                 \
      .kind = KIND_##kind_name,                                                                                        \
      .name = #member,                                                                                                 \
      .offset = offsetof(struct record, member),                                                                       \
      OF_##kind_name(of) },
#define ROW_challenge(tag, kind, name, of)     ROW(challenge, tag, kind, name, of)
#define ROW_account(tag, kind, name, of)       ROW(account, tag, kind, name, of)
#define ROW_order(tag, kind, name, of)         ROW(order, tag, kind, name, of)
#define ROW_authorization(tag, kind, name, of) ROW(authorization, tag, kind, name, of)
#define ROW_certificate(tag, kind, name, of)   ROW(certificate, tag, kind, name, of)
#define ROW_external_key(tag, kind, name, of)  ROW(external_key, tag, kind, name, of)
#define ROW_rate_bucket(tag, kind, name, of)   ROW(rate_bucket, tag, kind, name, of)
#define ROW_rate_override(tag, kind, name, of) ROW(rate_override, tag, kind, name, of)
#define ROW_pause(tag, kind, name, of)         ROW(pause, tag, kind, name, of)
#define ROW_webhook_event(tag, kind, name, of) ROW(webhook_event, tag, kind, name, of)

#define X(record, table, number, id)                                                                                   \
    static const struct field record##_fields[] = { table(ROW_##record) };                                             \
    const struct record_type record_type_##record = { #record,                                                         \
                                                      number,                                                          \
                                                      sizeof(struct record),                                           \
                                                      offsetof(struct record, id),                                     \
                                                      record##_fields,                                                 \
                                                      ARRAY_SIZE(record##_fields) };
X(challenge, CHALLENGE_FIELDS, 0, type)
RECORD_TABLE(X)
#undef X

_Static_assert(sizeof(struct list) == sizeof(struct texts) && sizeof(struct list) == sizeof(struct identifiers) &&
                   sizeof(struct list) == sizeof(struct challenge_list),
               "every list has one shape");
_Static_assert(sizeof(enum order_state) == sizeof(unsigned), "a state is read and written as unsigned");

const struct record_type *record_type_of(enum record_class class)
{
    static const struct record_type *const types[] = {
#define X(record, table, number, id) &record_type_##record,
        RECORD_TABLE(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (types[i]->class == (unsigned)class)
            return types[i];
    return NULL;
}

const char *record_type_name(const struct record_type *type)
{
    return type->name;
}

const char *record_id(const struct record_type *type, const void *record)
{
    return *(const char *const *)((const char *)record + type->id_offset);
}

struct list list_of(const void *value)
{
    struct list list;
    memcpy(&list, value, sizeof list);
    return list;
}

bool field_is_list(const struct field *field)
{
    return field->kind == KIND_TEXTS || field->kind == KIND_JSONS || field->kind == KIND_IDENTIFIERS ||
           field->kind == KIND_RECORDS;
}

enum field_kind field_item_kind(const struct field *field)
{
    CHECK(field_is_list(field) && field->kind != KIND_RECORDS);
    if (field->kind == KIND_IDENTIFIERS)
        return KIND_IDENTIFIER;
    return field->kind == KIND_JSONS ? KIND_JSON : KIND_TEXT;
}

size_t field_item_size(const struct field *field)
{
    CHECK(field_is_list(field));
    if (field->kind == KIND_RECORDS)
        return field->type->size;
    return field->kind == KIND_IDENTIFIERS ? sizeof(struct acme_identifier) : sizeof(const char *);
}

bool field_present(const struct field *field, const void *value)
{
    switch (field->kind) {
    case KIND_TEXT:
    case KIND_JSON:
        return *(const char *const *)value != NULL;
    case KIND_BLOB:
        return ((const struct bytes *)value)->len > 0;
    case KIND_INT:
    case KIND_TIME:
        return *(const int64_t *)value != 0;
    case KIND_FLAG:
        return *(const bool *)value;
    case KIND_IDENTIFIER:
        return ((const struct acme_identifier *)value)->value != NULL;
    case KIND_TEXTS:
    case KIND_JSONS:
    case KIND_IDENTIFIERS:
    case KIND_RECORDS:
        return list_of(value).count > 0;
    default:
        return true; /* a state is always one of its machine's */
    }
}
