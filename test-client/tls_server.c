#include "test-client/tls_server.h"

#include <stdio.h>

enum { UNREAD_MAX = 65536 };

struct tls_server {
    struct tcp_server *tcp;
};

static size_t throw_away(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    (void)owner;
    (void)conn;
    (void)state;
    return input.len;
}

static const struct tcp_protocol handshake_only = { .unread_max = UNREAD_MAX, .input = throw_away };

bool tls_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *context,
                      struct tls_server **out, char why[static LISTEN_WHY_SIZE])
{
    AUTO(tls_server) server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    TRY(tcp_server_start(loop, address, context, &handshake_only, NULL, &server->tcp, why));
    *out = TAKE(server);
    return true;
}

void tls_server_drop(struct tls_server *server)
{
    if (server == NULL)
        return;
    tcp_server_drop(server->tcp);
    free(server);
}

uint16_t tls_server_port(const struct tls_server *server)
{
    return tcp_server_port(server->tcp);
}
