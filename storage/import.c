#include "storage/fields.h"
#include "storage/indexes.h"
#include "storage/scan.h"
#include "storage/schema.h"
#include "storage/upkeep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { BATCH_RECORDS = 5000, BATCH_BYTES = 16 << 20, READ_BYTES = 64 << 10, IMPORT_ARENA_MAX = 256 << 20 };

static const struct record_type *const types[] = {
#define X(record, fields, class, id) &record_type_##record,
    RECORD_TABLE(X)
#undef X
};

struct parsed_record {
    const struct record_type *type;
    const void *record;
};

struct importer {
    int fd;
    struct buf pending; /* what was read */
    size_t at;          /* where in it the next line begins */
    uint64_t line;
    struct arena *arena; /* of the batch */
    struct parsed_record batch[BATCH_RECORDS];
    size_t batch_count, batch_bytes;
    struct store_counts counts;
    bool ended;
    char *why;
};

static enum store_status wrong(struct importer *in, const char *format, ...) PRINTF_LIKE(2, 3);
static enum store_status wrong(struct importer *in, const char *format, ...)
{
    int len = snprintf(in->why, STORE_WHY_SIZE, "line %" PRIu64 ": ", in->line);
    va_list args;
    va_start(args, format);
    vsnprintf(in->why + len, (size_t)(STORE_WHY_SIZE - len), format, args);
    va_end(args);
    return STORE_CORRUPT;
}

/* ---- lines */

/* Gives up the lines that were taken and reads on. *out_end: there is nothing more. */
static enum store_status read_more(struct importer *in, bool *out_end)
{
    struct buf *pending = &in->pending;
    if (in->at > 0) {
        pending->len -= in->at;
        memmove(pending->data, pending->data + in->at, pending->len);
        in->at = 0;
    }
    if (pending->len >= STORE_LINE_MAX_BYTES)
        return wrong(in, "it is longer than %d MiB", STORE_LINE_MAX_BYTES >> 20);
    if (!buf_reserve(pending, READ_BYTES))
        return STORE_NO_MEMORY;
    ssize_t count;
    do
        count = read(in->fd, pending->data + pending->len, READ_BYTES);
    while (count < 0 && errno == EINTR);
    if (count < 0) {
        snprintf(in->why, STORE_WHY_SIZE, "cannot read the import: %s", strerror(errno));
        return STORE_IO;
    }
    pending->len += (size_t)count;
    *out_end = count == 0;
    return STORE_OK;
}

/* The next line; valid until the next call. *out_end: there is none. */
static enum store_status next_line(struct importer *in, struct bytes *out, bool *out_end)
{
    in->line++;
    *out_end = false;
    for (size_t looked_at = 0; !*out_end;) {
        size_t from = in->at + looked_at;
        char *newline = from < in->pending.len ? memchr(in->pending.data + from, '\n', in->pending.len - from) : NULL;
        if (newline != NULL) {
            *out = bytes_of(in->pending.data + in->at, (size_t)(newline - in->pending.data) - in->at);
            in->at += out->len + 1;
            return STORE_OK;
        }
        looked_at = in->pending.len - in->at;
        enum store_status status = read_more(in, out_end);
        if (status != STORE_OK)
            return status;
    }
    return in->pending.len == 0 ? STORE_OK : wrong(in, "the file breaks off inside it");
}

/* ---- what a line says */

static enum store_status take_header(struct importer *in, const json_t *line)
{
    const json_t *version = json_object_get(json_object_get(line, "export"), "version");
    if (!json_is_integer(version))
        return wrong(in, "this is no export: it does not begin with {\"export\":{\"version\":%d}}",
                     STORE_EXPORT_VERSION);
    if (json_integer_value(version) > STORE_EXPORT_VERSION)
        return wrong(in, "the export was written by a newer version, in format %lld; this program reads %d",
                     (long long)json_integer_value(version), STORE_EXPORT_VERSION);
    return STORE_OK;
}

static enum store_status take_end(struct importer *in, const json_t *line)
{
    const json_t *records = json_object_get(json_object_get(line, "end"), "records");
    uint64_t read = in->counts.records + in->batch_count;
    if (!json_is_integer(records) || (uint64_t)json_integer_value(records) != read)
        return wrong(in, "the export does not hold as many records as it says at its end; %" PRIu64 " were read", read);
    in->ended = true;
    return STORE_OK;
}

static bool has_keys(struct importer *in, const struct record_type *type, const void *record)
{
    struct key key;
    const char *id = record_id(type, record);
    TRY(id != NULL && key_of_record(type->class, id, &key));
    struct index_keys keys = { .arena = in->arena };
    index_keys_of(&keys, type->class, record);
    return !keys.failed;
}

/* Members that no record was ever stored without, and that are read without asking. */
static const struct {
    const struct record_type *type;
    const char *members[3];
} needed[] = {
    { &record_type_authorization, { "account", "identifier" } },
    { &record_type_challenge, { "type" } },
    { &record_type_order, { "account", "profile", "identifiers" } },
    { &record_type_certificate, { "account", "identifiers" } },
    { &record_type_external_key, { "secret" } },
    { &record_type_rate_override, { "limit", "subject", "rate" } },
    { &record_type_webhook_event, { "event" } },
};

static bool is_needed(const struct record_type *type, const char *member)
{
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++)
        for (size_t k = 0; k < ARRAY_SIZE(needed[i].members) && needed[i].type == type; k++)
            if (needed[i].members[k] != NULL && strcmp(needed[i].members[k], member) == 0)
                return true;
    return false;
}

/* What it lacks, or something inside it; NULL: nothing. */
static const char *lacking(const struct record_type *type, const void *record)
{
    const char *name = NULL;
    for (size_t i = 0; i < type->count && name == NULL; i++) {
        const struct field *field = &type->fields[i];
        const void *value = field_at(field, record);
        struct list inside = { 0 };
        if (!field_present(field, value) && is_needed(type, field->name))
            return field->name;
        if (field->kind == KIND_RECORDS)
            inside = list_of(value);
        for (size_t k = 0; k < inside.count && name == NULL; k++)
            name = lacking(field->type, (const char *)inside.items + k * field_item_size(field));
    }
    return name;
}

static enum store_status take_record(struct importer *in, const struct record_type *type, const json_t *value)
{
    char why[JSON_WHY_SIZE] = "";
    void *record = arena_alloc(in->arena, type->size);
    if (record == NULL)
        return STORE_NO_MEMORY;
    if (!record_from_json(in->arena, type, value, record, why))
        return wrong(in, "%s", why);
    schema_modernize(type, record);
    if (!has_keys(in, type, record))
        return wrong(in, "%s: its id or another member is missing, empty or too long", type->name);
    const char *lacks = lacking(type, record);
    if (lacks != NULL)
        return wrong(in, "%s: \"%s\" is missing", type->name, lacks);
    in->batch[in->batch_count++] = (struct parsed_record) { type, record };
    return STORE_OK;
}

static enum store_status take_line(struct importer *in, struct bytes text)
{
    char why[JSON_WHY_SIZE] = "";
    AUTO_TYPE(json_t) line = json_read_object(text, why);
    if (line == NULL)
        return wrong(in, "%s", why);
    if (in->line == 1)
        return take_header(in, line);
    if (in->ended)
        return wrong(in, "something stands behind the end of the export");
    if (json_object_get(line, "end") != NULL)
        return take_end(in, line);
    in->batch_bytes += text.len;
    for (size_t i = 0; i < ARRAY_SIZE(types) && json_object_size(line) == 1; i++) {
        const json_t *value = json_object_get(line, types[i]->name);
        if (value != NULL)
            return take_record(in, types[i], value);
    }
    return wrong(in, "one record is expected, as in {\"account\":{…}}");
}

/* ---- into the store */

static void put_batch(struct store_txn *txn, void *arg)
{
    const struct importer *in = arg;
    for (size_t i = 0; i < in->batch_count; i++)
        txn_put(txn, in->batch[i].type, in->batch[i].record);
}

static enum store_status store_batch(struct importer *in, struct store *store, const struct store_listener *listener)
{
    enum store_status status = store_write(store, put_batch, in);
    if (status != STORE_OK)
        return status;
    in->counts.records += in->batch_count;
    in->batch_count = in->batch_bytes = 0;
    arena_reset(in->arena);
    return listener->progress(listener->arg, &in->counts) ? STORE_OK : STORE_CLOSED;
}

static enum store_status import_all(struct importer *in, struct store *store, const struct store_listener *listener)
{
    struct bytes text;
    bool end = false;
    while (!end) {
        enum store_status status = next_line(in, &text, &end);
        if (status == STORE_OK && !end)
            status = take_line(in, text);
        bool full = in->batch_count == BATCH_RECORDS || in->batch_bytes >= BATCH_BYTES || end;
        if (status == STORE_OK && full)
            status = store_batch(in, store, listener);
        if (status != STORE_OK)
            return status;
    }
    return in->ended ? STORE_OK : wrong(in, "the export breaks off: its last line is not {\"end\":{…}}");
}

static enum store_status refuse_records(struct store *store, char why[static STORE_WHY_SIZE])
{
    AUTO(store_txn) txn = store_begin_read(store);
    if (txn == NULL)
        return STORE_NO_MEMORY;
    struct bytes tail;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct scan scan = { .prefix = key_of_class(types[i]->class) };
        if (!scan_start(&scan, NULL) || !scan_next(txn, &scan, &tail))
            continue;
        snprintf(why, STORE_WHY_SIZE, "the database holds records already (%s)", types[i]->name);
        return STORE_CORRUPT;
    }
    return txn->status;
}

static void importer_drop(struct importer *in)
{
    if (in == NULL)
        return;
    buf_free(&in->pending);
    arena_drop(in->arena);
    free(in);
}
DEFINE_DROP(importer, importer_drop)

static struct importer *importer_create(int fd, char why[static STORE_WHY_SIZE])
{
    AUTO(importer) in = calloc(1, sizeof *in);
    if (in == NULL)
        return NULL;
    in->fd = fd;
    in->why = why;
    in->pending = BUF_INIT(STORE_LINE_MAX_BYTES + 2 * READ_BYTES);
    in->arena = arena_create(IMPORT_ARENA_MAX);
    return in->arena != NULL ? TAKE(in) : NULL;
}

enum store_status store_import(struct store *store, int fd, enum store_import_mode mode,
                               const struct store_listener *listener, struct store_counts *out,
                               char why[static STORE_WHY_SIZE])
{
    *why = '\0';
    AUTO(importer) in = importer_create(fd, why);
    enum store_status status = in != NULL ? STORE_OK : STORE_NO_MEMORY;
    if (status == STORE_OK && mode == STORE_IMPORT_EMPTY)
        status = refuse_records(store, why);
    if (status == STORE_OK)
        status = import_all(in, store, listener);
    if (in != NULL)
        *out = in->counts;
    if (status != STORE_OK && *why == '\0')
        snprintf(why, STORE_WHY_SIZE, "%s", store_status_text(status));
    return status;
}
