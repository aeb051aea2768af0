#include "tests/test-client/tls_client.h"

#include "tests/test-client/loopback.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <unistd.h>

static bool handshake(uv_loop_t *loop, SSL *ssl, int fd)
{
    for (;;) {
        int done = SSL_connect(ssl);
        if (done == 1)
            return true;
        if (SSL_get_error(ssl, done) != SSL_ERROR_WANT_READ)
            return false;
        loopback_wait(loop, fd);
    }
}

X509 *tls_client_leaf(uv_loop_t *loop, uint16_t port, const char *server_name, const char *protocols)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;
    CHECK(ssl != NULL);
    int fd = loopback_connect(port);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && SSL_set_fd(ssl, fd) == 1);
    if (server_name != NULL)
        CHECK(SSL_set_tlsext_host_name(ssl, server_name) == 1);
    if (protocols != NULL)
        CHECK(SSL_set_alpn_protos(ssl, (const unsigned char *)protocols, (unsigned)strlen(protocols)) == 0);
    X509 *leaf = NULL;
    if (handshake(loop, ssl, fd)) {
        const unsigned char *chosen;
        unsigned chosen_len;
        SSL_get0_alpn_selected(ssl, &chosen, &chosen_len);
        CHECK(bytes_equal_text(bytes_of(chosen, chosen_len), "acme-tls/1"));
        leaf = SSL_get1_peer_certificate(ssl);
    }
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return leaf;
}

X509 *tls_client_exchange(uint16_t port, const char *server_name, struct bytes request, struct buf *out)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = context != NULL ? SSL_new(context) : NULL;
    int fd = loopback_connect(port);
    CHECK(ssl != NULL && SSL_set_fd(ssl, fd) == 1);
    CHECK(server_name == NULL || SSL_set_tlsext_host_name(ssl, server_name) == 1);
    CHECK(SSL_connect(ssl) == 1 && SSL_write(ssl, request.data, (int)request.len) == (int)request.len);
    char block[4096];
    for (int got; (got = SSL_read(ssl, block, sizeof block)) > 0;)
        buf_append(out, block, (size_t)got);
    CHECK(SSL_get_error(ssl, 0) == SSL_ERROR_ZERO_RETURN); /* and not cut off */
    X509 *leaf = SSL_get1_peer_certificate(ssl);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
    return leaf;
}
