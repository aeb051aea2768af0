#include "test-client/challtestsrv/history.h"

#include "base/text.h"

struct event {
    struct event *next;
    enum cts_event kind;
    size_t host_len, len;
    char text[]; /* host, then JSON */
};

struct cts_history {
    struct event *first, **end;
    size_t bytes, max_bytes;
    size_t counts[CTS_EVENTS];
};

static const char *const texts[CTS_EVENTS] = {
#define X(name, text) [CTS_EVENT_##name] = text,
    CTS_EVENT_TABLE(X)
#undef X
};

const char *cts_event_text(enum cts_event kind)
{
    return texts[kind];
}

bool cts_event_from_text(const char *text, enum cts_event *out)
{
    size_t i = text_index(texts, CTS_EVENTS, text);
    TRY(i < CTS_EVENTS);
    *out = (enum cts_event)i;
    return true;
}

struct cts_history *cts_history_create(size_t max_bytes)
{
    struct cts_history *history = calloc(1, sizeof *history);
    if (history == NULL)
        return NULL;
    history->max_bytes = max_bytes;
    history->end = &history->first;
    return history;
}

static size_t size_of(const struct event *event)
{
    return sizeof *event + event->host_len + event->len;
}

static void unlink_event(struct cts_history *history, struct event **link)
{
    struct event *event = *link;
    *link = event->next;
    if (event->next == NULL)
        history->end = link;
    history->bytes -= size_of(event);
    history->counts[event->kind]--;
    free(event);
}

void cts_history_reset(struct cts_history *history)
{
    while (history->first != NULL)
        unlink_event(history, &history->first);
}

void cts_history_drop(struct cts_history *history)
{
    if (history == NULL)
        return;
    cts_history_reset(history);
    free(history);
}

void cts_history_add(struct cts_history *history, enum cts_event kind, const char *host, struct bytes json)
{
    struct event *event = malloc(sizeof *event + strlen(host) + json.len);
    if (event == NULL)
        return;
    *event = (struct event) { .kind = kind, .host_len = strlen(host), .len = json.len };
    memcpy(event->text, host, event->host_len);
    memcpy(event->text + event->host_len, json.data, json.len);
    *history->end = event;
    history->end = &event->next;
    history->bytes += size_of(event);
    history->counts[kind]++;
    while (history->bytes > history->max_bytes)
        unlink_event(history, &history->first);
}

static bool is_of(const struct event *event, enum cts_event kind, const char *host)
{
    return event->kind == kind && bytes_equal_text(bytes_of(event->text, event->host_len), host);
}

void cts_history_write(const struct cts_history *history, enum cts_event kind, const char *host, struct buf *out)
{
    bool first = true;
    buf_char(out, '[');
    for (const struct event *event = history->first; event != NULL; event = event->next) {
        if (!is_of(event, kind, host))
            continue;
        if (!first)
            buf_char(out, ',');
        first = false;
        buf_append(out, event->text + event->host_len, event->len);
    }
    buf_char(out, ']');
}

void cts_history_clear(struct cts_history *history, enum cts_event kind, const char *host)
{
    for (struct event **link = &history->first; *link != NULL;) {
        if (is_of(*link, kind, host))
            unlink_event(history, link);
        else
            link = &(*link)->next;
    }
}

size_t cts_history_count(const struct cts_history *history, enum cts_event kind)
{
    return history->counts[kind];
}
