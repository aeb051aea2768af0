#include "storage/fields.h"
#include "storage/scan.h"
#include "storage/upkeep.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { LINES_MAX = 4 * STORE_LINE_MAX_BYTES, FLUSH_BYTES = 64 << 10, EXPORT_ARENA_MAX = 64 << 20 };

struct exporter {
    struct store_txn *txn;
    struct arena *arena;
    int fd;
    struct buf lines;
    uint64_t records;
    char *why;
};

static enum store_status flush(struct exporter *to)
{
    if (to->lines.failed)
        return STORE_NO_MEMORY;
    for (size_t done = 0; done < to->lines.len;) {
        ssize_t count = write(to->fd, to->lines.data + done, to->lines.len - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            snprintf(to->why, STORE_WHY_SIZE, "cannot write the export: %s", strerror(errno));
            return STORE_IO;
        }
        done += (size_t)count;
    }
    buf_clear(&to->lines);
    return STORE_OK;
}

static void write_line(struct exporter *to, const struct record_type *type, const void *record)
{
    struct json_out out = JSON_OUT(&to->lines, 0);
    json_out_object(&out, NULL);
    record_to_json(&out, type->name, type, record);
    json_out_end_object(&out);
    buf_char(&to->lines, '\n');
    to->records++;
}

static enum store_status export_record(struct exporter *to, const struct record_type *type, struct bytes tail)
{
    arena_reset(to->arena);
    const char *id = arena_text_of(to->arena, tail);
    void *record = arena_alloc(to->arena, type->size);
    if (id == NULL || record == NULL)
        return STORE_NO_MEMORY;
    if (txn_get(to->txn, to->arena, type, id, record)) {
        write_line(to, type, record);
        return to->lines.len < FLUSH_BYTES && !to->lines.failed ? STORE_OK : flush(to);
    }
    enum store_status status = to->txn->status != STORE_OK ? to->txn->status : STORE_CORRUPT;
    if (status == STORE_CORRUPT)
        snprintf(to->why, STORE_WHY_SIZE, "a record (%s) is damaged; caraway check names it", type->name);
    return status;
}

static enum store_status export_class(struct exporter *to, const struct record_type *type)
{
    struct scan scan = { .prefix = key_of_class(type->class) };
    struct bytes tail;
    enum store_status status = STORE_OK;
    bool more = scan_start(&scan, NULL);
    while (status == STORE_OK && more && scan_next(to->txn, &scan, &tail))
        status = export_record(to, type, tail);
    return status != STORE_OK ? status : to->txn->status;
}

static enum store_status export_all(struct exporter *to)
{
    static const struct record_type *const types[] = {
#define X(record, fields, class, id) &record_type_##record,
        RECORD_TABLE(X)
#undef X
    };
    buf_printf(&to->lines, "{\"export\":{\"version\":%d}}\n", STORE_EXPORT_VERSION);
    enum store_status status = STORE_OK;
    for (size_t i = 0; i < ARRAY_SIZE(types) && status == STORE_OK; i++)
        status = export_class(to, types[i]);
    buf_printf(&to->lines, "{\"end\":{\"records\":%" PRIu64 "}}\n", to->records);
    return status != STORE_OK ? status : flush(to);
}

enum store_status store_export(struct store *store, int fd, char why[static STORE_WHY_SIZE])
{
    AUTO(arena) arena = arena_create(EXPORT_ARENA_MAX);
    AUTO(store_txn) txn = store_begin_read(store);
    struct exporter to = { .txn = txn, .arena = arena, .fd = fd, .lines = BUF_INIT(LINES_MAX), .why = why };
    *why = '\0';
    enum store_status status = arena != NULL && txn != NULL ? export_all(&to) : STORE_NO_MEMORY;
    buf_free(&to.lines);
    if (status != STORE_OK && *why == '\0')
        snprintf(why, STORE_WHY_SIZE, "%s", store_status_text(status));
    return status;
}
