/* JSON in (jansson, strict) and JSON out (written straight into a buffer). The one place that includes jansson. */
#pragma once

#include "base/buf.h"

#include <jansson.h>

DEFINE_DROP_TYPE(json_t, json_decref)

/* Notes when jansson gets no memory (base/memory.h). */
void json_watch_memory(void);

/* Parses one JSON object: UTF-8, no duplicate members, no NUL, nothing behind it. NULL on error; then `why` (size
 * JSON_WHY_SIZE) holds what is wrong and at which position, in words for the sender. */
enum { JSON_WHY_SIZE = 200 };
MUST_USE json_t *json_read_object(struct bytes text, char why[static JSON_WHY_SIZE]);

/* The member's text, or NULL when it is absent or not a string. */
const char *json_member_text(const json_t *object, const char *key);

/* A writer over a buf: commas, quotes and escapes are its business ('/' is never escaped). Keys are NULL inside
 * arrays. Failure is the buf's sticky error. `indent` spaces per level, 0 for compact. */
struct json_out {
    struct buf *buf;
    unsigned indent;
    unsigned depth;
    bool first;
};

#define JSON_OUT(b, spaces) ((struct json_out) { .buf = (b), .indent = (spaces), .first = true })

void json_out_object(struct json_out *out, const char *key); /* opens; close with json_out_end_object */
void json_out_end_object(struct json_out *out);
void json_out_array(struct json_out *out, const char *key);
void json_out_end_array(struct json_out *out);
void json_out_text(struct json_out *out, const char *key, const char *value);
void json_out_bytes(struct json_out *out, const char *key, struct bytes value); /* as text; must be UTF-8 */
void json_out_texts(struct json_out *out, const char *key, const char *const *values, size_t count); /* an array */
void json_out_int(struct json_out *out, const char *key, int64_t value);
void json_out_bool(struct json_out *out, const char *key, bool value);
void json_out_null(struct json_out *out, const char *key);
void json_out_time(struct json_out *out, const char *key, int64_t ms);      /* RFC 3339, UTC, seconds */
void json_out_raw(struct json_out *out, const char *key, const char *json); /* already JSON, put in as it is */
