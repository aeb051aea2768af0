#include "validators/peer.h"

#include "validators/outgoing.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <unistd.h>

struct peer_socket { /* outlives its peer until libuv has let go of it */
    uv_poll_t poll;
    int fd;
    SSL *tls;
    struct val_peer *peer;
};

DEFINE_DROP_TYPE(SSL_CTX, SSL_CTX_free)

static void on_deadline(struct val_deadline *deadline);
static void on_unstarted(struct val_deadline *deadline);

/* With the first peer, since it takes memory that many servers never need. */
static bool start_tls(struct val_prober *prober)
{
    static const unsigned char protocols[] = "\x0a" VAL_ALPN_PROTOCOL;
    AUTO_TYPE(SSL_CTX) tls = SSL_CTX_new(TLS_client_method());
    TRY(tls != NULL && SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) == 1);
    TRY(SSL_CTX_set_alpn_protos(tls, protocols, sizeof protocols - 1) == 0);
    SSL_CTX_set_verify(tls, SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    prober->tls = TAKE(tls);
    return true;
}

void val_prober_open(struct val_prober *prober, uv_loop_t *loop, int64_t connect_timeout_ms, int files_below)
{
    prober->loop = loop;
    prober->files_below = files_below;
    val_deadlines_init(&prober->connecting, loop, connect_timeout_ms, on_deadline);
    val_deadlines_init(&prober->unstarted, loop, 0, on_unstarted);
}

void val_prober_close(struct val_prober *prober)
{
    val_deadlines_close(&prober->connecting);
    val_deadlines_close(&prober->unstarted);
    SSL_CTX_free(TAKE(prober->tls));
}

static void free_socket(uv_handle_t *handle)
{
    struct peer_socket *socket = handle->data;
    close(socket->fd);
    free(socket);
}

static void hang_up(struct val_peer *peer)
{
    val_deadline_remove(&peer->deadline);
    struct peer_socket *socket = TAKE(peer->socket);
    if (socket == NULL)
        return;
    SSL_free(TAKE(socket->tls));
    socket->peer = NULL;
    uv_close((uv_handle_t *)&socket->poll, free_socket);
}

static void finish(struct val_peer *peer, enum val_peer_outcome outcome)
{
    peer->outcome = outcome;
    hang_up(peer);
    peer->done(peer);
}

static void on_deadline(struct val_deadline *deadline)
{
    struct val_peer *peer = CONTAINER_OF(deadline, struct val_peer, deadline);
    snprintf(peer->why, sizeof peer->why,
             peer->connected ? "timeout during the handshake" : "timeout while connecting");
    finish(peer, peer->connected ? VAL_PEER_NO_HANDSHAKE : VAL_PEER_UNCONNECTED);
}

static void on_unstarted(struct val_deadline *deadline)
{
    struct val_peer *peer = CONTAINER_OF(deadline, struct val_peer, deadline);
    peer->done(peer);
}

static void errno_text(char why[static VAL_PEER_WHY_SIZE], int number)
{
    char text[96];
    snprintf(why, VAL_PEER_WHY_SIZE, "%s", strerror_r(number, text, sizeof text));
    if (why[0] >= 'A' && why[0] <= 'Z')
        why[0] += 'a' - 'A';
}

static void record(struct val_peer *peer)
{
    const unsigned char *alpn;
    unsigned len;
    SSL_get0_alpn_selected(peer->socket->tls, &alpn, &len);
    if (len > 0 && len < sizeof peer->alpn)
        memcpy(peer->alpn, alpn, len);
    peer->certificate = SSL_get1_peer_certificate(peer->socket->tls);
}

static void handshake_failed(struct val_peer *peer, int error, int number)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (reason != NULL)
        snprintf(peer->why, sizeof peer->why, "%s", reason);
    else if (error == SSL_ERROR_SYSCALL && number != 0)
        errno_text(peer->why, number);
    else
        snprintf(peer->why, sizeof peer->why, "the peer closed the connection");
    ERR_clear_error();
    finish(peer, VAL_PEER_NO_HANDSHAKE);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void wait_for(struct val_peer *peer, int events)
{
    if (uv_poll_start(&peer->socket->poll, events, on_ready) == 0)
        return;
    snprintf(peer->why, sizeof peer->why, "the socket cannot be watched");
    finish(peer, VAL_PEER_INTERNAL);
}

static void shake_hands(struct val_peer *peer)
{
    ERR_clear_error();
    errno = 0;
    int result = SSL_connect(peer->socket->tls), number = errno;
    int error = SSL_get_error(peer->socket->tls, result);
    if (error == SSL_ERROR_WANT_READ) {
        wait_for(peer, UV_READABLE);
    } else if (error == SSL_ERROR_WANT_WRITE) {
        wait_for(peer, UV_WRITABLE);
    } else if (error == SSL_ERROR_NONE) {
        record(peer);
        finish(peer, VAL_PEER_MET);
    } else {
        handshake_failed(peer, error, number);
    }
}

static bool connected(struct val_peer *peer)
{
    int error = 0;
    socklen_t len = sizeof error;
    getsockopt(peer->socket->fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error == 0)
        return true;
    errno_text(peer->why, error);
    finish(peer, VAL_PEER_UNCONNECTED);
    return false;
}

/* An error on the socket shows in what is tried next: SO_ERROR while connecting, SSL_connect's read afterwards. */
static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    struct val_peer *peer = ((struct peer_socket *)poll->data)->peer;
    if (!peer->connected && !connected(peer))
        return;
    peer->connected = true;
    shake_hands(peer);
}

static bool prepare_tls(const struct val_peer *peer, struct peer_socket *socket)
{
    TRY(peer->prober->tls != NULL || start_tls(peer->prober));
    socket->tls = SSL_new(peer->prober->tls);
    return socket->tls != NULL && SSL_set_fd(socket->tls, socket->fd) == 1 &&
           SSL_set_tlsext_host_name(socket->tls, peer->sni) == 1;
}

/* Takes the descriptor in any case. */
static struct peer_socket *make_socket(struct val_peer *peer, int fd)
{
    struct peer_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL || uv_poll_init_socket(peer->prober->loop, &socket->poll, fd) != 0) {
        free(socket);
        close(fd);
        return NULL;
    }
    socket->poll.data = socket;
    socket->fd = fd;
    socket->peer = peer;
    return socket;
}

static void start(struct val_peer *peer)
{
    struct sockaddr_storage to;
    socklen_t len = val_address_socket(&peer->address, peer->port, &to);
    peer->outcome = VAL_PEER_INTERNAL;
    int fd = val_outgoing_open(peer->address.family, SOCK_STREAM, 0, peer->prober->files_below);
    if (fd < 0) {
        peer->outcome = errno == EAFNOSUPPORT ? VAL_PEER_UNCONNECTED : VAL_PEER_INTERNAL;
        errno_text(peer->why, errno);
        return;
    }
    int error = connect(fd, (struct sockaddr *)&to, len) == 0 || errno == EINPROGRESS ? 0 : errno;
    peer->socket = make_socket(peer, fd);
    if (peer->socket != NULL && error == 0 && prepare_tls(peer, peer->socket) &&
        uv_poll_start(&peer->socket->poll, UV_WRITABLE, on_ready) == 0)
        return;
    if (error != 0)
        peer->outcome = VAL_PEER_UNCONNECTED;
    errno_text(peer->why, error != 0 ? error : ENOMEM);
    hang_up(peer);
}

void val_peer_meet(struct val_prober *prober, struct val_peer *peer)
{
    peer->prober = prober;
    start(peer);
    val_deadline_add(peer->socket != NULL ? &prober->connecting : &prober->unstarted, &peer->deadline);
}

void val_peer_clear(struct val_peer *peer)
{
    hang_up(peer);
    X509_free(peer->certificate);
    *peer = (struct val_peer) { 0 };
}
