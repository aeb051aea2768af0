/* Records to bytes and JSON and back, driven by the field tables of records.h. Decoding treats its input as hostile: it
 * may come from a damaged page or an imported file. */
#pragma once

#include "base/json.h"
#include "storage/records.h"

struct record_type; /* one per record, and one for challenge, which lives inside an authorization */
#define X(record, fields, class, id_field) extern const struct record_type record_type_##record;
RECORD_TABLE(X)
#undef X
extern const struct record_type record_type_challenge;
const struct record_type *record_type_of(enum record_class class);
const char *record_type_name(const struct record_type *type); /* "account" */

/* A version byte, then each present field as tag, length, value in the order of tags; unknown tags are skipped on
 * reading. What is read into the arena shares nothing with `data`. False: damaged, or the arena is full. */
void record_encode(struct buf *out, const struct record_type *type, const void *record);
MUST_USE bool record_decode(struct arena *arena, const struct record_type *type, struct bytes data, void *out_record);

/* One JSON object of the present fields: times as RFC 3339 with milliseconds kept exact ("created_ms" is the member
 * "created"), blobs as base64url, states as their text, stored JSON (error, trace) as JSON. */
void record_to_json(struct json_out *out, const char *key, const struct record_type *type, const void *record);
/* An unknown member is an error. On refusal `why` names the member that is wrong. */
MUST_USE bool record_from_json(struct arena *arena, const struct record_type *type, const json_t *object,
                               void *out_record, char why[static JSON_WHY_SIZE]);
