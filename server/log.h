/* The daemon's log: one event a line with typed fields, as text on a terminal and as JSON elsewhere. Only the edges log
 * (server/), never a layer below. Never a key, a token, a MAC or a body: fields are ids, names, numbers and sentences.
 * Thread-safe; each line is one write(2). */
#pragma once

#include "base/world.h"

#define LOG_LEVEL_TABLE(X)                                                                                             \
    X(DEBUG, "debug", "\033[2m")                                                                                       \
    X(INFO, "info", "\033[32m")                                                                                        \
    X(WARNING, "warning", "\033[33m")                                                                                  \
    X(ERROR, "error", "\033[31m")

enum log_level {
#define X(name, text, colour) LOG_LEVEL_##name,
    LOG_LEVEL_TABLE(X)
#undef X
};
MUST_USE bool log_level_from_text(const char *text, enum log_level *out);

/* event, its name in the log, level */
#define LOG_EVENT_TABLE(X)                                                                                             \
    X(SERVER_STARTED, "server.started", INFO)                                                                          \
    X(SERVER_FEW_FILES, "server.few-files", WARNING) /* the process may open less than web.max-connections wants */    \
    X(SERVER_NO_ADMIN, "server.no-admin-socket", WARNING)                                                              \
    X(SERVER_STOPPING, "server.stopping", INFO)                                                                        \
    X(SERVER_STOPPED, "server.stopped", INFO)                                                                          \
    X(SERVER_STOP_LATE, "server.stop-late", WARNING) /* requests were cut off at the shutdown timeout */               \
    X(REQUEST, "request", DEBUG)                                                                                       \
    X(REQUEST_REFUSED, "request.refused", INFO) /* the client's fault: a problem document was sent */                  \
    X(REQUEST_FAILED, "request.failed", ERROR)  /* ours */                                                             \
    X(PROXY_REFUSED, "proxy.refused", INFO)     /* a connection to listen-proxied was closed before it began */        \
    X(ACCOUNT_CREATED, "account.created", INFO)                                                                        \
    X(ACCOUNT_UPDATED, "account.updated", INFO)                                                                        \
    X(ORDER_CREATED, "order.created", INFO)                                                                            \
    X(ORDER_FAILED, "order.failed", INFO)                                                                              \
    X(CHALLENGE_STARTED, "challenge.started", DEBUG)                                                                   \
    X(CHALLENGE_VALID, "challenge.valid", INFO)                                                                        \
    X(CHALLENGE_FAILED, "challenge.failed", INFO) /* it will be tried again */                                         \
    X(CHALLENGE_INVALID, "challenge.invalid", INFO)                                                                    \
    X(CAA_ALLOWED, "caa.allowed", DEBUG) /* asked again at finalize */                                                 \
    X(CAA_WARNED, "caa.warned", WARNING) /* caa.mode warn */                                                           \
    X(CAA_REFUSED, "caa.refused", INFO)                                                                                \
    X(CERTIFICATE_ISSUED, "certificate.issued", INFO)                                                                  \
    X(CERTIFICATE_REFUSED, "certificate.refused", ERROR)                                                               \
    X(CERTIFICATE_REVOKED, "certificate.revoked", INFO)                                                                \
    X(JANITOR_PRUNED, "janitor.pruned", INFO)                                                                          \
    X(LIMIT_OVERRIDDEN, "limit.overridden", INFO)                                                                      \
    X(LIMIT_RESTORED, "limit.restored", INFO) /* an override was removed */                                            \
    X(LIMIT_RESET, "limit.reset", INFO)                                                                                \
    X(CLOCK_MOVED, "clock.moved", INFO) /* by the operator of a laboratory; the log itself keeps the machine's time */ \
    X(APPROVAL_FAILED, "approval.failed", WARNING) /* no answer: policy.approval-failure decided */                    \
    X(WEBHOOK_DELIVERED, "webhook.delivered", DEBUG)                                                                   \
    X(WEBHOOK_FAILED, "webhook.failed", WARNING)                                                                       \
    X(WEBHOOK_DROPPED, "webhook.dropped", WARNING) /* more events than webhook.queue */                                \
    X(STORE_FAILED, "store.failed", ERROR)

enum log_event {
#define X(name, text, level) LOG_##name,
    LOG_EVENT_TABLE(X)
#undef X
};

struct log_field {
    const char *key; /* a literal; NULL ends the list */
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_BOOL } type;
    const char *text; /* NULL: the field is left out */
    int64_t number;
};
#define LOG_TEXT(k, v) ((struct log_field) { .key = (k), .type = LOG_FIELD_TEXT, .text = (v) })
#define LOG_INT(k, v)  ((struct log_field) { .key = (k), .type = LOG_FIELD_INT, .number = (v) })
#define LOG_BOOL(k, v) ((struct log_field) { .key = (k), .type = LOG_FIELD_BOOL, .number = (v) })

#define LOG_FORMAT_TABLE(X)                                                                                            \
    X(AUTO, "auto") /* text on a terminal, JSON elsewhere */                                                           \
    X(TEXT, "text")                                                                                                    \
    X(JSON, "json")

enum log_format {
#define X(name, text) LOG_FORMAT_##name,
    LOG_FORMAT_TABLE(X)
#undef X
};
MUST_USE bool log_format_from_text(const char *text, enum log_format *out);

struct log;
/* Writes to `fd`, which stays the caller's. NULL when memory is out. */
MUST_USE struct log *log_open(int fd, enum log_level level, enum log_format format, const struct world *world);
void log_drop(struct log *log);
DEFINE_DROP(log, log_drop)

/* log_event(log, LOG_REQUEST, LOG_TEXT("path", path), LOG_INT("status", 200)); a NULL log writes nothing. In texts a
 * backslash is shown as \\ and what is not printable ASCII as \xNN, in JSON before JSON's own escapes. Long texts are
 * cut: 600 characters or more of that, then "...". */
#define log_event(log, event, ...)                                                                                     \
    log_write((log), (event), (const struct log_field[]) { __VA_ARGS__ __VA_OPT__(, ) { .key = NULL } })
void log_write(struct log *log, enum log_event event, const struct log_field *fields);
/* True when the event would be written: to skip costly preparation. */
bool log_wants(const struct log *log, enum log_event event);
