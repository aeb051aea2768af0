/* The server's side of one TLS connection that reads and writes memory; the socket is tcp_server's business. */
#pragma once

#include "base/buf.h"

#include <openssl/ssl.h>

struct tls_stream;

/* The context is referenced. NULL when memory is out. */
MUST_USE struct tls_stream *tls_stream_create(SSL_CTX *context);
void tls_stream_drop(struct tls_stream *stream);

/* Takes what the peer sent, does the handshake with it, and appends what was said inside to `plain`. False when nothing
 * more will come: an alert, an end, or what is no TLS. */
bool tls_stream_take(struct tls_stream *stream, struct bytes input, struct buf *plain);
/* Says something inside. False before the handshake is over, and after an end. */
MUST_USE bool tls_stream_put(struct tls_stream *stream, struct bytes plain);
void tls_stream_end(struct tls_stream *stream);
/* What is to be sent to the peer, and that it was taken. */
struct bytes tls_stream_output(const struct tls_stream *stream);
void tls_stream_sent(struct tls_stream *stream);

const char *tls_stream_server_name(const struct tls_stream *stream); /* NULL: the peer named none */

/* For OpenSSL's callbacks: what comes next on this connection is to be sent that much later. */
void tls_stream_delay(SSL *ssl, unsigned ms);
unsigned tls_stream_take_delay(struct tls_stream *stream); /* once; 0 afterwards */
