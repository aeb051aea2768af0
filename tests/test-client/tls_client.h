/* One TLS handshake of a test with a server in the same thread. */
#pragma once

#include "base/crypto.h"

#include <uv.h>

/* The leaf the server shows, or NULL when it refuses. `server_name` NULL sends none; `protocols` is the ALPN list in
 * wire form, NULL sends none. The caller frees the certificate. */
X509 *tls_client_leaf(uv_loop_t *loop, uint16_t port, const char *server_name, const char *protocols);

/* One connection to a server in another thread or process: sends, reads to the end; gives the leaf that was shown. No
 * certificate is checked. */
X509 *tls_client_exchange(uint16_t port, const char *server_name, struct bytes request, struct buf *out);
