/* Records for tests with every field set, and stores to put them in. */
#pragma once

#include "base/json.h"
#include "storage/codec.h"
#include "storage/driver.h"
#include "tests/unit.h"

struct account sample_account(const char *id, const char *thumbprint);
struct order sample_order(const char *id, const char *account, int64_t expires_ms);
struct authorization sample_authorization(const char *id, const char *account, const char *name);
struct certificate sample_certificate(const char *serial, const char *account, int64_t not_after_ms);

/* One record of each type with every field set, by type. */
const void *sample_of(const struct record_type *type);
extern const struct record_type *const sample_types[];
enum { SAMPLE_TYPES = 10 };

/* A fresh directory for a database, and its removal with all that is in it. */
void sample_path(char out[static 64]);
void sample_remove(const char *path);

/* The text is the record as JSON: the way tests compare records. */
const char *sample_json(struct arena *arena, const struct record_type *type, const void *record);
