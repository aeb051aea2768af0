/* One HTTP exchange at a time over a connection that is kept: a curl handle with the answer it fills. It can be run to
 * its end at once (tc_exchange_run) or started on an event loop (test-client/fetch.h). Not thread-safe. */
#pragma once

#include "test-client/answer.h"

#include <curl/curl.h>

enum { TC_WHY_SIZE = 512 };

struct tc_exchange;

/* text on the command line, what becomes of connections */
#define TC_CONNECTIONS_TABLE(X)                                                                                        \
    X(KEEP, "keep")     /* the next exchange uses them */                                                              \
    X(RESUME, "resume") /* a new one for each exchange, its TLS session taken up again where the server can */         \
    X(NEW, "new")       /* a new one and a whole handshake for each exchange */

enum tc_connections {
#define X(name, text) TC_CONNECTIONS_##name,
    TC_CONNECTIONS_TABLE(X)
#undef X
        TC_CONNECTIONS_KINDS
};
extern const char *const tc_connections_names[TC_CONNECTIONS_KINDS + 1]; /* NULL-ended */

struct tc_exchange_options {
    const char *ca_file;   /* PEM of what to trust; NULL: the system's */
    const char *protocols; /* "https" or "https,http": what a URL may begin with, wherever it comes from */
    long timeout_s;        /* for one exchange */
    enum tc_connections connections;
};

struct tc_exchange_request {
    const char *method; /* GET, HEAD, POST, … */
    const char *url;
    const char *content_type;   /* NULL: none */
    const char *const *headers; /* NULL-ended "Name: value" lines to send besides, or NULL */
    struct bytes body;          /* stays the caller's until the exchange is over */
};

MUST_USE struct tc_exchange *tc_exchange_create(const struct tc_exchange_options *options);
void tc_exchange_drop(struct tc_exchange *exchange);
DEFINE_DROP(tc_exchange, tc_exchange_drop)

/* False when memory is out or the content type is absurdly long. */
MUST_USE bool tc_exchange_prepare(struct tc_exchange *exchange, const struct tc_exchange_request *request);
/* Runs what was asked to its end. False, with `why`, when there is no whole answer within the limits. */
MUST_USE bool tc_exchange_run(struct tc_exchange *exchange, const struct tc_exchange_request *request,
                              char why[static TC_WHY_SIZE]);

/* The latest answer; good until the next prepare. */
const struct tc_answer *tc_exchange_answer(const struct tc_exchange *exchange);

/* From the moment when the latest request had been handed to the connection to the end of its answer. */
uint64_t tc_exchange_answered_us(const struct tc_exchange *exchange);

/* For the event loop: the handle, and the verdict when curl has said `result`. */
CURL *tc_exchange_curl(struct tc_exchange *exchange);
MUST_USE bool tc_exchange_finish(struct tc_exchange *exchange, CURLcode result, char why[static TC_WHY_SIZE]);
