/* The HTTP edge: listeners on libmicrohttpd, one request context per exchange, suspended while a job is under way.
 * Limits are enforced where bytes enter: connections in all and per address, body size, time for a request to arrive
 * and for its answer to be taken.
 */
#pragma once

#include "ca/ca.h"
#include "server/web/request.h"

struct web;

struct web_options {
    const char *listen; /* "localhost:14000" (both families), "127.0.0.1:0", "[::]:443", "unix:PATH" (mode 0600) */
    const struct ca_tls *tls; /* NULL: plain HTTP */
    bool proxied;             /* each connection begins with a PROXY header */
    const struct routes *routes;
    unsigned threads;
    unsigned max_connections, max_connections_per_address; /* 0: no limit per address */
    int64_t idle_timeout_ms;                               /* a kept connection without a request */
    int64_t request_timeout_ms; /* from a request's first byte, or the connection's start, to its last; for an answer
                                   with a second more for every 8 KiB */
};
enum { WEB_WHY_SIZE = 256 };

/* Listens and answers when it returns true. `why` is a sentence for the operator. */
MUST_USE bool web_start(struct caraway *caraway, const struct web_options *options, struct web **out,
                        char why[static WEB_WHY_SIZE]);
/* The addresses really bound, "127.0.0.1:14000, [::1]:14000"; lives as long as the web. */
const char *web_addresses(const struct web *web);
uint16_t web_port(const struct web *web); /* 0 for a Unix socket */
/* New connections are closed at once; kept ones get their answers with Connection: close. */
void web_stop_accepting(struct web *web);
size_t web_in_flight(const struct web *web); /* requests that have no complete answer yet */
/* Ends every connection. Requests that wait for a job are waited for: drop the web before the store and the CA. */
void web_drop(struct web *web);
DEFINE_DROP(web, web_drop)
