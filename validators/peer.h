/* One TLS handshake with a peer, as tls-alpn-01 needs it (RFC 8737 §3): ALPN "acme-tls/1", SNI of ours, any certificate
 * taken and handed over for judging. Non-blocking, on the loop's thread. */
#pragma once

#include "validators/address.h"
#include "validators/deadlines.h"

#include "acme/problem.h"
#include "base/crypto.h"

#include <openssl/ssl.h>

enum { VAL_PEER_WHY_SIZE = 160, VAL_ALPN_SIZE = 32 };
#define VAL_ALPN_PROTOCOL "acme-tls/1"

enum val_peer_outcome {
    VAL_PEER_MET,          /* handshake done */
    VAL_PEER_UNCONNECTED,  /* no TCP connection came about */
    VAL_PEER_NO_HANDSHAKE, /* connected, but the handshake failed */
    VAL_PEER_INTERNAL      /* our own want: memory, descriptors */
};

struct val_prober {
    uv_loop_t *loop;
    SSL_CTX *tls;    /* NULL before the first peer */
    int files_below; /* see outgoing.h */
    struct val_deadlines connecting;
    struct val_deadlines unstarted; /* told in the next turn of the loop */
};

struct peer_socket;
struct val_peer {
    /* asked; sni lives until done or cancel */
    struct val_address address;
    uint16_t port;
    const char *sni;
    void (*done)(struct val_peer *peer);
    void *arg;
    /* answered */
    enum val_peer_outcome outcome;
    bool connected;
    char why[VAL_PEER_WHY_SIZE]; /* unless met: what happened */
    char alpn[VAL_ALPN_SIZE];    /* what the peer chose; "" when nothing */
    X509 *certificate;           /* when met; freed by val_peer_clear */
    /* of the prober */
    struct val_prober *prober;
    struct peer_socket *socket;
    struct val_deadline deadline;
};

void val_prober_open(struct val_prober *prober, uv_loop_t *loop, int64_t connect_timeout_ms, int files_below);
void val_prober_close(struct val_prober *prober); /* all peers must be cleared before */

/* done is called from the loop, never from inside here. */
void val_peer_meet(struct val_prober *prober, struct val_peer *peer);
void val_peer_clear(struct val_peer *peer); /* cancels, frees the answer, forgets everything */
