/* Records to bytes and JSON and back, driven by the field tables of records.h. Decoding treats its input as hostile: it
 * may come from a damaged page or an imported file. */
#pragma once

#include "base/json.h"
#include "storage/records.h"

struct record_type; /* one per record and for challenge: field descriptors made from the X-macro table */
#define X(record, fields, class, id_field) extern const struct record_type record_type_##record;
RECORD_TABLE(X)
#undef X
const struct record_type *record_type_of(enum record_class class);
const char *record_type_name(const struct record_type *type); /* "account" */

/* A version byte, then each present field as tag, length, value; unknown tags are skipped on reading. */
void record_encode(struct buf *out, const struct record_type *type, const void *record);
MUST_USE bool record_decode(struct arena *arena, const struct record_type *type, struct bytes data, void *out_record);

/* One JSON object: times as RFC 3339 with milliseconds kept exact, blobs as base64url, states as their text, stored
 * JSON texts (error, trace) as JSON. */
void record_to_json(struct json_out *out, const char *key, const struct record_type *type, const void *record);
/* On refusal `why` names the member that is wrong. */
MUST_USE bool record_from_json(struct arena *arena, const struct record_type *type, const json_t *object,
                               void *out_record, char why[static JSON_WHY_SIZE]);
