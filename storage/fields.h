/* The field tables of records.h as data, for code that treats every record alike: the codecs and the store. */
#pragma once

#include "storage/codec.h"

enum field_kind {
    KIND_TEXT,
    KIND_JSON,
    KIND_BLOB,
    KIND_INT,
    KIND_TIME,
    KIND_FLAG,
    KIND_STATE,
    KIND_IDENTIFIER,
    KIND_TEXTS,
    KIND_JSONS,
    KIND_IDENTIFIERS,
    KIND_RECORDS,
    FIELD_KINDS
};

struct field {
    unsigned tag;
    enum field_kind kind;
    const char *name;
    size_t offset;
    const struct state_machine *states; /* of KIND_STATE */
    const struct record_type *type;     /* of KIND_RECORDS */
};

struct record_type {
    const char *name;
    unsigned class; /* 0: stored only inside another record */
    size_t size;
    size_t id_offset;
    const struct field *fields;
    size_t count;
};

/* TEXTS, JSONS, IDENTIFIERS and RECORDS all have this shape; copied in and out, since the pointer types differ. */
struct list {
    void *items;
    size_t count;
};

#define TIME_MAX_MS INT64_C(253402300799999) /* the end of year 9999, the last that RFC 3339 can write */

static inline const void *field_at(const struct field *field, const void *record)
{
    return (const char *)record + field->offset;
}

const char *record_id(const struct record_type *type, const void *record);
bool field_present(const struct field *field, const void *value);

struct list list_of(const void *value);
bool field_is_list(const struct field *field);
enum field_kind field_item_kind(const struct field *field); /* of a list but RECORDS */
size_t field_item_size(const struct field *field);
