/* What was asked of the challenge servers, for tests that want to know: JSON texts by kind and host, the oldest of too
 * many forgotten. */
#pragma once

#include "base/buf.h"

/* name, text */
#define CTS_EVENT_TABLE(X)                                                                                             \
    X(HTTP, "http")                                                                                                    \
    X(DNS, "dns")                                                                                                      \
    X(TLSALPN, "tlsalpn")

enum cts_event {
#define X(name, text) CTS_EVENT_##name,
    CTS_EVENT_TABLE(X)
#undef X
        CTS_EVENTS
};

const char *cts_event_text(enum cts_event kind);
MUST_USE bool cts_event_from_text(const char *text, enum cts_event *out);

struct cts_history;

MUST_USE struct cts_history *cts_history_create(size_t max_bytes);
void cts_history_drop(struct cts_history *history);
DEFINE_DROP(cts_history, cts_history_drop)

/* Hosts are compared as they are: see cts_host_key. What is too much for the memory left is not kept. */
void cts_history_add(struct cts_history *history, enum cts_event kind, const char *host, struct bytes json);
/* The events of a host as a JSON array, the oldest first. */
void cts_history_write(const struct cts_history *history, enum cts_event kind, const char *host, struct buf *out);
void cts_history_clear(struct cts_history *history, enum cts_event kind, const char *host);
void cts_history_reset(struct cts_history *history);
size_t cts_history_count(const struct cts_history *history, enum cts_event kind);
