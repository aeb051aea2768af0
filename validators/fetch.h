/* One HTTP exchange at a time per fetch: a GET to a given address, no redirects followed, no connection kept, answer
 * bounded. A fetcher is one curl multi on one uv loop; everything runs on that loop's thread. */
#pragma once

#include "validators/address.h"

#include "acme/problem.h"

#include <curl/curl.h>
#include <uv.h>

enum { VAL_BODY_MAX_BYTES = 128, VAL_HEADERS_MAX_BYTES = 32768, VAL_URL_MAX_BYTES = 2048 };

/* name; problem type; whether no connection came about; what happened; what to look at */
#define VAL_FETCH_TABLE(X)                                                                                             \
    X(ANSWERED, CONNECTION, false, "an answer", "")                                                                    \
    X(REFUSED, CONNECTION, true, "connection refused", "is something listening on that port?")                         \
    X(UNREACHABLE, CONNECTION, true, "no route to that address", "does the address belong to a running host?")         \
    X(NO_CONNECTION, CONNECTION, true, "timeout while connecting", "does a firewall drop the packets?")                \
    X(SLOW, CONNECTION, false, "timeout while waiting for the answer", "the server is too slow")                       \
    X(BROKEN, CONNECTION, false, "the connection broke", "the server ended it before its answer was complete")         \
    X(CHUNKS, CONNECTION, false, "the answer's chunks are malformed", "a chunk begins with its size in hexadecimal")   \
    X(EMPTY, CONNECTION, false, "the connection was closed without an answer", "does the server speak HTTP/1.1?")      \
    X(NOT_HTTP, CONNECTION, false, "the answer is not HTTP/1.1", "is this the port of an HTTP server?")                \
    X(HTTP2, CONNECTION, false, "the server speaks HTTP/2", "http-01 asks in HTTP/1.1 without TLS")                    \
    X(HEADERS, CONNECTION, false, "the answer's header is too long", "at most 32 KiB are read")                        \
    X(ENCODING, CONNECTION, false, "the answer has an encoding that was not asked for", "send it plain or chunked")    \
    X(TLS, TLS, false, "the TLS handshake failed", "does the server speak TLS 1.2 or 1.3 on that port?")               \
    X(INTERNAL, SERVER_INTERNAL, false, "the request could not be made", "")

enum val_fetch_outcome {
#define X(name, type, unconnected, phrase, hint) VAL_FETCH_##name,
    VAL_FETCH_TABLE(X)
#undef X
        VAL_FETCH_OUTCOMES
};
struct val_fetch_row {
    enum acme_problem_type type;
    bool unconnected;
    const char *phrase, *hint;
};
extern const struct val_fetch_row val_fetch_rows[VAL_FETCH_OUTCOMES];

struct val_fetcher;
struct val_fetch {
    /* asked; the url lives until done or cancel; whatever host it names, the address is what is connected to */
    const char *url;
    struct val_address address;
    uint16_t port;
    void (*done)(struct val_fetch *fetch);
    void *arg;
    /* answered; of what is no HTTP/1.1 the body has the first bytes */
    enum val_fetch_outcome outcome;
    long status;
    char body[VAL_BODY_MAX_BYTES];
    size_t body_len;
    bool body_over; /* there was more */
    char *location; /* of a redirect, not decoded; NULL when absent; freed by val_fetch_clear */
    char why[CURL_ERROR_SIZE];
    /* of the fetcher */
    struct val_fetcher *fetcher;
    CURL *easy;
    struct curl_slist *connect_to;
    size_t header_bytes;
    int socket_errno;
};

/* `files_below`: see outgoing.h */
MUST_USE bool val_fetcher_open(uv_loop_t *loop, const char *user_agent, int64_t connect_timeout_ms, int files_below,
                               struct val_fetcher **out);
void val_fetcher_close(struct val_fetcher *fetcher); /* ends its handles; all fetches must be cancelled before */
void val_fetcher_drop(struct val_fetcher *fetcher);  /* frees it, after the loop has run its close callbacks */
DEFINE_DROP(val_fetcher, val_fetcher_drop)

/* Starts libcurl when it is the first. False when memory is out; then done is never called. done is called from the
 * loop, never from inside here. */
MUST_USE bool val_fetch_start(struct val_fetcher *fetcher, struct val_fetch *fetch);
bool val_fetch_connected(const struct val_fetch *fetch); /* while under way: the connection has come about */
void val_fetch_cancel(struct val_fetch *fetch);          /* done will not be called; nothing when not under way */
void val_fetch_clear(struct val_fetch *fetch);           /* cancels, frees the answer, forgets everything */
