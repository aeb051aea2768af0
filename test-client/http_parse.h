/* HTTP/1.1 requests (RFC 9112) out of bytes: bounded and strict, but for bare LF line ends (§2.2). */
#pragma once

#include "base/buf.h"

enum { HTTP_HEAD_MAX = 8192, HTTP_BODY_MAX = 65536, HTTP_UNREAD_MAX = HTTP_HEAD_MAX + 2 * HTTP_BODY_MAX };

struct http_request {
    struct bytes method, path, query;            /* path as sent, undecoded; query without '?' */
    struct bytes host, user_agent, content_type; /* empty when absent */
    struct bytes body;
    bool tls; /* this and the next are the server's business, not the parser's */
    const char *server_name;
    bool keep_alive;
    bool expects_continue; /* also set when the body is still to come */
};

enum http_parse { HTTP_MORE, HTTP_DONE, HTTP_BAD };

/* DONE: the request and how many bytes it took; its views point into `input`, or into `chunks` for a chunked body.
 * MORE: incomplete; out->expects_continue says whether the sender waits for "100 Continue".
 * BAD: out_status is the 4xx or 5xx to answer with; the connection cannot go on. */
enum http_parse http_request_parse(struct bytes input, struct buf *chunks, struct http_request *out, size_t *out_used,
                                   int *out_status);

const char *http_status_text(int status);
