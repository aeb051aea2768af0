/* A small HTTP/1.1 server on a libuv loop, plain or over TLS: bounded requests, keep-alive, answers made at once by one
 * function. */
#pragma once

#include "test-client/http_parse.h"
#include "test-client/tcp_server.h"

struct http_server;

enum { HTTP_LOCATION_MAX = 4096 };

struct http_response {
    int status;               /* 200 to begin with */
    const char *content_type; /* NULL: none is sent */
    const char *location;     /* the same; visible characters only */
    struct buf *body;         /* empty to begin with */
    unsigned delay_ms;        /* it is sent that much later */
};

/* The request's views last until the function returns. */
typedef void http_handler(void *owner, const struct http_request *request, struct http_response *response);

/* `tls` NULL: plain; else a loan until http_server_drop returns. */
MUST_USE bool http_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *tls,
                                http_handler *handler, void *owner, struct http_server **out,
                                char why[static LISTEN_WHY_SIZE]);
/* No handler runs from here on; the sockets go when the loop has run their close callbacks. */
void http_server_drop(struct http_server *server);
DEFINE_DROP(http_server, http_server_drop)
uint16_t http_server_port(const struct http_server *server);
