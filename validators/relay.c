#include "validators/relay.h"

#include "base/crypto.h"
#include "base/list.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>

enum { LINKS_MAX = 512, CHUNK_BYTES = 16384, QUEUE_MAX_BYTES = 256 * 1024, BACKLOG = 128 };

struct link { /* one connection of libunbound's, and its other half; lives until both handles are closed */
    struct val_relay *relay;
    uv_tcp_t near, far;
    uv_connect_t connect;
    SSL *tls;
    BIO *in, *out; /* of tls, which owns them */
    unsigned open; /* handles */
    bool greeted, closing;
    struct list ring;
};

struct val_relay {
    uv_loop_t *loop;
    struct val_relay_target target;
    uv_tcp_t door;
    uint16_t port;
    SSL_CTX *tls;
    struct list links;
    size_t count;
    char why[VAL_RELAY_WHY_SIZE];
    char chunk[CHUNK_BYTES]; /* what is being read; used up before the next */
};

struct piece { /* on its way out */
    uv_write_t write;
    char data[];
};

/* ---- the end of a link */

static void on_handle_closed(uv_handle_t *handle)
{
    struct link *link = handle->data;
    if (--link->open > 0)
        return;
    list_remove(&link->ring);
    link->relay->count--;
    SSL_free(link->tls);
    free(link);
}

static void close_link(struct link *link)
{
    if (link->closing)
        return;
    link->closing = true;
    uv_close((uv_handle_t *)&link->near, on_handle_closed);
    uv_close((uv_handle_t *)&link->far, on_handle_closed);
}

static void fail(struct link *link, const char *why)
{
    snprintf(link->relay->why, sizeof link->relay->why, "%s", why);
    close_link(link);
}

static void fail_tls(struct link *link)
{
    unsigned long code = ERR_peek_last_error();
    long verdict = SSL_get_verify_result(link->tls);
    const char *reason = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (verdict != X509_V_OK)
        reason = X509_verify_cert_error_string(verdict);
    ERR_clear_error();
    fail(link, reason != NULL ? reason : "the server ended the connection");
}

/* ---- bytes */

static void on_written(uv_write_t *write, int status)
{
    struct link *link = write->handle->data;
    free(write->data);
    if (status < 0)
        close_link(link);
}

static bool send_piece(uv_tcp_t *to, const char *data, size_t len)
{
    TRY(uv_stream_get_write_queue_size((uv_stream_t *)to) < QUEUE_MAX_BYTES);
    struct piece *piece = malloc(sizeof *piece + len);
    TRY(piece != NULL);
    memcpy(piece->data, data, len);
    piece->write.data = piece;
    uv_buf_t buf = uv_buf_init(piece->data, (unsigned)len);
    if (uv_write(&piece->write, (uv_stream_t *)to, &buf, 1, on_written) == 0)
        return true;
    free(piece);
    return false;
}

static bool flush(struct link *link)
{
    char data[CHUNK_BYTES];
    int len;
    while ((len = BIO_read(link->out, data, sizeof data)) > 0)
        TRY(send_piece(&link->far, data, (size_t)len));
    return true;
}

static void get_room(uv_handle_t *handle, size_t wish, uv_buf_t *out)
{
    struct link *link = handle->data;
    (void)wish;
    *out = uv_buf_init(link->relay->chunk, CHUNK_BYTES);
}

static void on_near(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct link *link = stream->data;
    ERR_clear_error();
    if (len < 0 || (len > 0 && SSL_write(link->tls, buf->base, (int)len) != len) || !flush(link))
        close_link(link);
}

static bool pass_on(struct link *link)
{
    char data[CHUNK_BYTES];
    int len;
    while ((len = SSL_read(link->tls, data, sizeof data)) > 0)
        TRY(send_piece(&link->near, data, (size_t)len));
    return SSL_get_error(link->tls, len) == SSL_ERROR_WANT_READ;
}

static void shake_hands(struct link *link)
{
    int result = SSL_do_handshake(link->tls);
    bool waits = result != 1 && SSL_get_error(link->tls, result) == SSL_ERROR_WANT_READ;
    if (!flush(link))
        close_link(link);
    else if (result != 1 && !waits)
        fail_tls(link);
    link->greeted = result == 1;
    if (!link->greeted || link->closing)
        return;
    link->relay->why[0] = '\0';
    uv_read_start((uv_stream_t *)&link->near, get_room, on_near);
}

static void on_far(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
    struct link *link = stream->data;
    ERR_clear_error();
    if (len < 0 && !link->greeted) {
        fail(link, uv_strerror((int)len));
        return;
    }
    if (len < 0 || (len > 0 && BIO_write(link->in, buf->base, (int)len) != len)) {
        close_link(link);
        return;
    }
    if (!link->greeted)
        shake_hands(link);
    if (link->greeted && !link->closing && !(pass_on(link) && flush(link)))
        close_link(link);
}

/* ---- the beginning of a link */

static void on_connected(uv_connect_t *connect, int status)
{
    struct link *link = connect->handle->data;
    if (link->closing)
        return;
    if (status < 0) {
        fail(link, uv_strerror(status));
        return;
    }
    ERR_clear_error();
    uv_read_start((uv_stream_t *)&link->far, get_room, on_far);
    shake_hands(link);
}

static bool prepare_tls(struct link *link)
{
    const char *name = link->relay->target.name;
    link->tls = SSL_new(link->relay->tls);
    link->in = BIO_new(BIO_s_mem());
    link->out = BIO_new(BIO_s_mem());
    if (link->tls == NULL || link->in == NULL || link->out == NULL) {
        BIO_free(link->in);
        BIO_free(link->out);
        return false;
    }
    SSL_set_bio(link->tls, link->in, link->out);
    SSL_set_connect_state(link->tls);
    if (name[0] == '\0')
        return true;
    SSL_set_verify(link->tls, SSL_VERIFY_PEER, NULL);
    return SSL_set1_host(link->tls, name) == 1 && SSL_set_tlsext_host_name(link->tls, name) == 1;
}

static bool start_link(struct link *link)
{
    struct sockaddr_storage to;
    const struct val_relay_target *target = &link->relay->target;
    val_address_socket(&target->address, target->port, &to);
    TRY(uv_accept((uv_stream_t *)&link->relay->door, (uv_stream_t *)&link->near) == 0);
    TRY(prepare_tls(link));
    return uv_tcp_connect(&link->connect, &link->far, (struct sockaddr *)&to, on_connected) == 0;
}

static void on_knock(uv_stream_t *door, int status)
{
    struct val_relay *relay = door->data;
    struct link *link = status == 0 ? calloc(1, sizeof *link) : NULL;
    if (link == NULL)
        return;
    link->relay = relay;
    link->near.data = link->far.data = link;
    CHECK(uv_tcp_init(relay->loop, &link->near) == 0 && uv_tcp_init(relay->loop, &link->far) == 0);
    link->open = 2;
    list_add(&relay->links, &link->ring);
    if (++relay->count > LINKS_MAX || !start_link(link))
        close_link(link);
}

/* ---- the relay */

static bool open_door(struct val_relay *relay)
{
    struct sockaddr_in in;
    int len = sizeof in;
    TRY(uv_ip4_addr("127.0.0.1", 0, &in) == 0);
    TRY(uv_tcp_bind(&relay->door, (const struct sockaddr *)&in, 0) == 0);
    TRY(uv_tcp_getsockname(&relay->door, (struct sockaddr *)&in, &len) == 0);
    relay->port = ntohs(in.sin_port);
    return uv_listen((uv_stream_t *)&relay->door, BACKLOG, on_knock) == 0;
}

bool val_relay_open(uv_loop_t *loop, const struct val_relay_target *target, struct val_relay **out)
{
    struct val_relay *relay = calloc(1, sizeof *relay);
    TRY(relay != NULL);
    relay->loop = loop;
    relay->target = *target;
    list_init(&relay->links);
    relay->door.data = relay;
    CHECK(uv_tcp_init(loop, &relay->door) == 0);
    *out = relay; /* the caller closes it, opened or not */
    relay->tls = SSL_CTX_new(TLS_client_method());
    TRY(relay->tls != NULL && SSL_CTX_set_min_proto_version(relay->tls, TLS1_2_VERSION) == 1);
    TRY(target->name[0] == '\0' || SSL_CTX_set_default_verify_paths(relay->tls) == 1);
    return open_door(relay);
}

void val_relay_close(struct val_relay *relay)
{
    if (relay == NULL)
        return;
    LIST_EACH (&relay->links, ring)
        close_link(CONTAINER_OF(ring, struct link, ring));
    uv_close((uv_handle_t *)&relay->door, NULL);
}

void val_relay_drop(struct val_relay *relay)
{
    if (relay == NULL)
        return;
    SSL_CTX_free(relay->tls);
    free(relay);
}

uint16_t val_relay_port(const struct val_relay *relay)
{
    return relay->port;
}

const char *val_relay_why(const struct val_relay *relay)
{
    return relay->why;
}
