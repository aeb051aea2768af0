#include "test-client/tls_stream.h"

#include <openssl/err.h>

enum { BLOCK_BYTES = 16384 };

struct tls_stream {
    SSL *ssl;
    unsigned delay_ms;
};

struct tls_stream *tls_stream_create(SSL_CTX *context)
{
    struct tls_stream *stream = calloc(1, sizeof *stream);
    SSL *ssl = stream != NULL ? SSL_new(context) : NULL;
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    if (ssl == NULL || in == NULL || out == NULL) {
        SSL_free(ssl);
        BIO_free(in);
        BIO_free(out);
        free(stream);
        return NULL;
    }
    SSL_set_bio(ssl, in, out);
    SSL_set_accept_state(ssl);
    SSL_set_app_data(ssl, stream);
    stream->ssl = ssl;
    return stream;
}

void tls_stream_drop(struct tls_stream *stream)
{
    if (stream == NULL)
        return;
    SSL_free(stream->ssl);
    free(stream);
}

bool tls_stream_take(struct tls_stream *stream, struct bytes input, struct buf *plain)
{
    char block[BLOCK_BYTES];
    int got = BIO_write(SSL_get_rbio(stream->ssl), input.data, (int)input.len) == (int)input.len ? 0 : -1;
    while (got >= 0 && (got = SSL_read(stream->ssl, block, sizeof block)) > 0) /* does the handshake first */
        buf_append(plain, block, (size_t)got);
    bool goes_on = SSL_get_error(stream->ssl, got) == SSL_ERROR_WANT_READ;
    ERR_clear_error();
    return goes_on && !plain->failed;
}

bool tls_stream_put(struct tls_stream *stream, struct bytes plain)
{
    bool put = SSL_write(stream->ssl, plain.data, (int)plain.len) == (int)plain.len;
    ERR_clear_error();
    return put;
}

void tls_stream_end(struct tls_stream *stream)
{
    SSL_shutdown(stream->ssl);
    ERR_clear_error();
}

struct bytes tls_stream_output(const struct tls_stream *stream)
{
    char *data;
    long len = BIO_get_mem_data(SSL_get_wbio(stream->ssl), &data);
    return bytes_of(data, len > 0 ? (size_t)len : 0);
}

void tls_stream_sent(struct tls_stream *stream)
{
    BIO_reset(SSL_get_wbio(stream->ssl));
}

const char *tls_stream_server_name(const struct tls_stream *stream)
{
    return SSL_get_servername(stream->ssl, TLSEXT_NAMETYPE_host_name);
}

void tls_stream_delay(SSL *ssl, unsigned ms)
{
    struct tls_stream *stream = SSL_get_app_data(ssl);
    CHECK(stream != NULL);
    stream->delay_ms = ms;
}

unsigned tls_stream_take_delay(struct tls_stream *stream)
{
    unsigned delay_ms = stream->delay_ms;
    stream->delay_ms = 0;
    return delay_ms;
}
