/* A listening socket and its connections on a libuv loop, plain or in TLS: accepting, reading, writing, idle time and
 * limits, shared by the HTTP, DNS and TLS servers. A protocol is a row of functions. Everything happens on the loop's
 * thread. */
#pragma once

#include "test-client/listen_address.h"
#include "test-client/tls_stream.h"

#include <uv.h>

struct tcp_server;
struct tcp_conn;

struct tcp_protocol {
    size_t unread_max; /* most bytes that may wait for the rest of a message; a peer that sends more is cut off */
    /* State of a new connection, NULL to refuse it. Without this function the state is NULL. */
    void *(*open)(void *owner, struct tcp_conn *conn);
    void (*close)(void *state); /* may be NULL; runs late, when `owner` may be gone */
    /* Looks at what has come and says how much of it is done with; 0 waits for more. */
    size_t (*input)(void *owner, struct tcp_conn *conn, void *state, struct bytes input);
};

enum { TCP_CONNECTIONS_MAX = 4096, TCP_IDLE_MS = 30000, TCP_LINGER_MS = 2000, TCP_QUEUED_MAX = 1 << 20 };

/* `tls` NULL: plain. It, `protocol` and `owner` are loans that last until tcp_server_drop returns. */
MUST_USE bool tcp_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *tls,
                               const struct tcp_protocol *protocol, void *owner, struct tcp_server **out,
                               char why[static LISTEN_WHY_SIZE]);
/* Closes the handles; the memory goes when the loop has run their close callbacks. */
void tcp_server_drop(struct tcp_server *server);
DEFINE_DROP(tcp_server, tcp_server_drop)
uint16_t tcp_server_port(const struct tcp_server *server);

/* For protocols. Writing copies what the socket does not take at once; a peer that does not read is cut off. */
void tcp_conn_write(struct tcp_conn *conn, struct bytes bytes);
void tcp_conn_finish(struct tcp_conn *conn); /* ends our side once all is written; further input is thrown away */
void tcp_conn_close(struct tcp_conn *conn);  /* at once */
/* What is written from here on goes out that much later, and nothing is read meanwhile. */
void tcp_conn_delay(struct tcp_conn *conn, unsigned ms);
const char *tcp_conn_server_name(const struct tcp_conn *conn); /* of TLS; NULL: plain, or the peer named none */
