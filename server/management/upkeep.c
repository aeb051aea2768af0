#include "server/management/upkeep.h"

#include "server/caraway.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 4096 };

struct check_lines {
    int fd;
    bool broken; /* nobody reads any more */
};

static void write_line(struct check_lines *lines, const struct buf *text)
{
    if (text->failed)
        return;
    for (size_t done = 0; done < text->len && !lines->broken;) {
        ssize_t count = write(lines->fd, text->data + done, text->len - done);
        lines->broken = count < 0 && errno != EINTR;
        done += count > 0 ? (size_t)count : 0;
    }
}

static void write_sentence(struct check_lines *lines, const char *key, const char *sentence)
{
    AUTO_BUF(text, LINE_MAX_BYTES);
    struct json_out out = JSON_OUT(&text, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, key, sentence);
    json_out_end_object(&out);
    buf_char(&text, '\n');
    write_line(lines, &text);
}

static void on_fault(void *arg, const char *sentence)
{
    write_sentence(arg, "fault", sentence);
}

static bool on_progress(void *arg, const struct store_counts *counts)
{
    struct check_lines *lines = arg;
    AUTO_BUF(text, LINE_MAX_BYTES);
    buf_printf(&text, "{\"progress\":%llu}\n", (unsigned long long)(counts->records + counts->keys));
    write_line(lines, &text);
    return !lines->broken;
}

static void write_counts(struct check_lines *lines, const struct store_counts *counts)
{
    AUTO_BUF(text, LINE_MAX_BYTES);
    buf_printf(&text, "{\"checked\":{\"records\":%llu,\"keys\":%llu,\"faults\":%llu}}\n",
               (unsigned long long)counts->records, (unsigned long long)counts->keys,
               (unsigned long long)counts->faults);
    write_line(lines, &text);
}

static bool check_source(struct store *store, int fd, char why[static STORE_WHY_SIZE])
{
    (void)why;
    struct check_lines lines = { .fd = fd };
    struct store_listener listener = { on_fault, on_progress, &lines };
    struct store_counts counts;
    enum store_status status = store_check(store, &listener, &counts);
    if (status == STORE_OK)
        write_counts(&lines, &counts);
    else
        write_sentence(&lines, "failed", store_status_text(status));
    return true;
}

static bool backup_source(struct store *store, int fd, char why[static STORE_WHY_SIZE])
{
    return store_copy(store, fd, why) == STORE_OK;
}

static bool export_source(struct store *store, int fd, char why[static STORE_WHY_SIZE])
{
    return store_export(store, fd, why) == STORE_OK;
}

static const struct upkeep {
    const char *name;
    stream_source *source;
    const char *content_type;
} rows[] = {
    { "check", check_source, "application/jsonl" },
    { "backup", backup_source, "application/octet-stream" },
    { "export", export_source, "application/jsonl" },
};

static const struct upkeep *row_of(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

stream_source *upkeep_source(const char *name)
{
    const struct upkeep *row = row_of(name);
    return row != NULL ? row->source : NULL;
}

bool upkeep_post(struct request *rq)
{
    const struct upkeep *row = row_of(rq->params[0]);
    if (row == NULL)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404,
                                   "There is no \"%.50s\"; ask for check, backup or export", rq->params[0]);
    rq->reply.stream = stream_open(rq->caraway->store, row->source, rq->caraway->log);
    if (rq->reply.stream == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, row->name);
    rq->reply.status = 200;
    rq->reply.content_type = row->content_type;
    return true;
}
