/* A small HTTP/1.1 server on a libuv loop: bounded requests, keep-alive, answers made at once by one function. */
#pragma once

#include "test-client/http_parse.h"
#include "test-client/tcp_server.h"

struct http_server;

struct http_response {
    int status;               /* 200 to begin with */
    const char *content_type; /* NULL: none is sent */
    struct buf *body;         /* empty to begin with */
};

/* The request's views last until the function returns. */
typedef void http_handler(void *owner, const struct http_request *request, struct http_response *response);

MUST_USE bool http_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, http_handler *handler,
                                void *owner, struct http_server **out, char why[static LISTEN_WHY_SIZE]);
/* No handler runs from here on; the sockets go when the loop has run their close callbacks. */
void http_server_drop(struct http_server *server);
DEFINE_DROP(http_server, http_server_drop)
uint16_t http_server_port(const struct http_server *server);
