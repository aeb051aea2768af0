#include "test-client/tls_server.h"

#include <openssl/err.h>
#include <stdio.h>

enum { UNREAD_MAX = 65536, BLOCK_BYTES = 16384 };

struct tls_server {
    struct tcp_server *tcp;
    SSL_CTX *context;
};

/* The TLS state reads and writes memory; the socket is tcp_server's business. */
static void *open_conn(void *owner, struct tcp_conn *conn)
{
    (void)conn;
    const struct tls_server *server = owner;
    SSL *ssl = SSL_new(server->context);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (ssl == NULL || in == NULL || out == NULL) {
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(out);
        return NULL;
    }
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    return ssl;
}

static void close_conn(void *ssl)
{
    SSL_free(ssl);
}

static void flush(SSL *ssl, struct tcp_conn *conn)
{
    char *data;
    long len = BIO_get_mem_data(SSL_get_wbio(ssl), &data);
    if (len > 0)
        tcp_conn_write(conn, bytes_of(data, (size_t)len));
    BIO_reset(SSL_get_wbio(ssl));
}

static size_t take_input(void *owner, struct tcp_conn *conn, void *state, struct bytes input)
{
    (void)owner;
    SSL *ssl = state;
    char thrown_away[BLOCK_BYTES];
    int got = BIO_write(SSL_get_rbio(ssl), input.data, (int)input.len) == (int)input.len ? 1 : -1;
    while (got > 0)
        got = SSL_read(ssl, thrown_away, sizeof thrown_away); /* does the handshake first */
    bool goes_on = SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    flush(ssl, conn);
    if (!goes_on)
        tcp_conn_finish(conn);
    return input.len;
}

static const struct tcp_protocol tls_protocol = {
    .unread_max = UNREAD_MAX,
    .open = open_conn,
    .close = close_conn,
    .input = take_input,
};

bool tls_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *context,
                      struct tls_server **out, char why[static LISTEN_WHY_SIZE])
{
    AUTO(tls_server) server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    server->context = context;
    TRY(tcp_server_start(loop, address, &tls_protocol, server, &server->tcp, why));
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
