/* TLS handshakes over TCP on a libuv loop: what tls-alpn-01 needs, and no more. What a client sends afterwards is
 * thrown away. */
#pragma once

#include "test-client/tcp_server.h"

#include <openssl/ssl.h>

struct tls_server;

/* The context is a loan until tls_server_drop returns. */
MUST_USE bool tls_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *context,
                               struct tls_server **out, char why[static LISTEN_WHY_SIZE]);
/* The sockets go when the loop has run their close callbacks. */
void tls_server_drop(struct tls_server *server);
DEFINE_DROP(tls_server, tls_server_drop)
uint16_t tls_server_port(const struct tls_server *server);
