#include "test-client/tcp_server.h"

#include "base/buf.h"

#include <stdio.h>

enum {
    READ_BYTES = 65536,
    PLAIN_MAX = 2 * READ_BYTES,
    HELD_MAX = 32 << 20,
    BACKLOG = 1024,
    SWEEP_MS = 1000,
    SERVER_MAGIC = 0x7c5e47e1,
    CONN_MAGIC = 0x7c5c0221
};

struct tcp_conn {
    unsigned magic;
    uv_tcp_t stream;
    uv_shutdown_t shutdown;
    uv_timer_t timer; /* of a delay */
    unsigned handles; /* whose close callback is still to come */
    struct tcp_server *server;
    struct tcp_conn *next, **link; /* list of the server's connections */
    struct tls_stream *tls;        /* NULL: plain */
    struct buf unread;
    struct buf held; /* to be sent after the delay */
    void *state;
    uint64_t active_ms;           /* loop time of the last byte in either direction */
    bool delayed, finishes_later; /* the delay goes on; what was said ends behind it */
    bool finishing, closing;
    bool own_done, peer_done; /* this side, the other side has ended its stream */
};

struct tcp_server {
    unsigned magic;
    uv_tcp_t listener;
    uv_timer_t sweep;
    unsigned handles; /* whose close callback is still to come, connections included */
    size_t conn_count;
    struct tcp_conn *conns;
    const struct tcp_protocol *protocol;
    void *owner;
    uint16_t port;
    SSL_CTX *tls;
    struct buf plain;            /* of the one read that goes on at any time */
    char read_space[READ_BYTES]; /* the same */
};

static struct tcp_server *server_of(const void *handle)
{
    struct tcp_server *server = ((const uv_handle_t *)handle)->data;
    CHECK(server != NULL && server->magic == SERVER_MAGIC);
    return server;
}

static struct tcp_conn *conn_of(const void *handle)
{
    struct tcp_conn *conn = ((const uv_handle_t *)handle)->data;
    CHECK(conn != NULL && conn->magic == CONN_MAGIC);
    return conn;
}

static void release(struct tcp_server *server)
{
    CHECK(server->handles > 0);
    if (--server->handles > 0)
        return;
    SSL_CTX_free(server->tls);
    buf_free(&server->plain);
    free(server);
}

static void server_handle_closed(uv_handle_t *handle)
{
    release(server_of(handle));
}

static void conn_closed(uv_handle_t *handle)
{
    struct tcp_conn *conn = conn_of(handle);
    struct tcp_server *server = conn->server;
    if (--conn->handles > 0)
        return;
    if (conn->state != NULL && server->protocol->close != NULL)
        server->protocol->close(conn->state);
    tls_stream_drop(conn->tls);
    buf_free(&conn->unread);
    buf_free(&conn->held);
    free(conn);
    release(server);
}

void tcp_conn_close(struct tcp_conn *conn)
{
    if (conn->closing)
        return;
    conn->closing = true;
    *conn->link = conn->next;
    if (conn->next != NULL)
        conn->next->link = conn->link;
    conn->server->conn_count--;
    uv_close((uv_handle_t *)&conn->stream, conn_closed);
    uv_close((uv_handle_t *)&conn->timer, conn_closed);
}

static void shutdown_done(uv_shutdown_t *request, int status)
{
    struct tcp_conn *conn = conn_of(request->handle);
    conn->own_done = true;
    if (status != 0 || conn->peer_done)
        tcp_conn_close(conn);
}

/* Closing at once could reset the connection and with it lose what the peer has not read yet. */
static void end_stream(struct tcp_conn *conn)
{
    conn->finishing = true;
    if (uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->stream, shutdown_done) != 0)
        tcp_conn_close(conn);
}

struct write_rest {
    uv_write_t request;
    char data[];
};

static void write_done(uv_write_t *request, int status)
{
    struct tcp_conn *conn = conn_of(request->handle);
    if (status != 0)
        tcp_conn_close(conn);
    else
        conn->active_ms = uv_now(conn->stream.loop);
    free(request); /* the first member of struct write_rest */
}

static bool write_later(struct tcp_conn *conn, struct bytes rest)
{
    if (uv_stream_get_write_queue_size((uv_stream_t *)&conn->stream) + rest.len > TCP_QUEUED_MAX)
        return false;
    struct write_rest *queued = malloc(sizeof *queued + rest.len);
    if (queued == NULL)
        return false;
    memcpy(queued->data, rest.data, rest.len);
    uv_buf_t data = uv_buf_init(queued->data, (unsigned)rest.len);
    if (uv_write(&queued->request, (uv_stream_t *)&conn->stream, &data, 1, write_done) == 0)
        return true;
    free(queued);
    return false;
}

static void write_now(struct tcp_conn *conn, struct bytes bytes)
{
    uv_buf_t data = uv_buf_init((char *)bytes.data, (unsigned)bytes.len);
    int written = uv_try_write((uv_stream_t *)&conn->stream, &data, 1);
    if (written < 0 && written != UV_EAGAIN) {
        tcp_conn_close(conn);
        return;
    }
    size_t done = written > 0 ? (size_t)written : 0;
    if (done < bytes.len && !write_later(conn, bytes_of(bytes.data + done, bytes.len - done)))
        tcp_conn_close(conn);
}

static void write_raw(struct tcp_conn *conn, struct bytes bytes)
{
    if (conn->closing || bytes.len == 0)
        return;
    if (!conn->delayed) {
        write_now(conn, bytes);
        return;
    }
    buf_append(&conn->held, bytes.data, bytes.len);
    if (conn->held.failed)
        tcp_conn_close(conn);
}

static void flush_tls(struct tcp_conn *conn)
{
    write_raw(conn, tls_stream_output(conn->tls));
    tls_stream_sent(conn->tls);
}

void tcp_conn_write(struct tcp_conn *conn, struct bytes bytes)
{
    if (conn->closing || conn->finishing || conn->finishes_later || bytes.len == 0)
        return;
    if (conn->tls == NULL) {
        write_raw(conn, bytes);
        return;
    }
    bool put = tls_stream_put(conn->tls, bytes);
    flush_tls(conn);
    if (!put)
        tcp_conn_close(conn);
}

void tcp_conn_finish(struct tcp_conn *conn)
{
    if (conn->closing || conn->finishing || conn->finishes_later)
        return;
    if (conn->tls != NULL) {
        tls_stream_end(conn->tls);
        flush_tls(conn);
    }
    if (conn->delayed)
        conn->finishes_later = true;
    else if (!conn->closing)
        end_stream(conn);
}

static bool takes_input(const struct tcp_conn *conn)
{
    return !conn->closing && !conn->finishing && !conn->finishes_later && !conn->delayed;
}

/* Hands the protocol its input until it wants more; keeps what is left. */
static void feed(struct tcp_conn *conn, struct bytes fresh)
{
    const struct tcp_server *server = conn->server;
    bool kept = conn->unread.len > 0;
    if (kept)
        buf_append(&conn->unread, fresh.data, fresh.len);
    struct bytes input = kept ? buf_bytes(&conn->unread) : fresh;
    for (size_t used = 1; used > 0 && input.len > 0 && takes_input(conn);) {
        used = server->protocol->input(server->owner, conn, conn->state, input);
        CHECK(used <= input.len);
        input = bytes_of(input.data + used, input.len - used);
    }
    if (kept) {
        memmove(conn->unread.data, input.data, input.len);
        conn->unread.len = input.len;
    } else {
        buf_append(&conn->unread, input.data, input.len);
    }
    if (conn->unread.failed || conn->unread.len > server->protocol->unread_max)
        tcp_conn_close(conn);
}

static void receive(struct tcp_conn *conn, struct bytes fresh)
{
    if (conn->tls == NULL) {
        feed(conn, fresh);
        return;
    }
    struct buf *plain = &conn->server->plain;
    buf_clear(plain);
    bool goes_on = tls_stream_take(conn->tls, fresh, plain);
    tcp_conn_delay(conn, tls_stream_take_delay(conn->tls));
    flush_tls(conn);
    if (plain->len > 0 && !conn->closing)
        feed(conn, buf_bytes(plain));
    if (!goes_on)
        tcp_conn_finish(conn);
}

static void read_space(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    *out = uv_buf_init(conn_of(handle)->server->read_space, READ_BYTES);
}

static void read_done(uv_stream_t *stream, ssize_t got, const uv_buf_t *space)
{
    struct tcp_conn *conn = conn_of(stream);
    if (got == UV_EOF && !conn->own_done) {
        conn->peer_done = true; /* what is still queued goes out first */
        tcp_conn_finish(conn);
        return;
    }
    if (got < 0) {
        tcp_conn_close(conn);
        return;
    }
    if (conn->finishing || got == 0)
        return;
    conn->active_ms = uv_now(stream->loop);
    receive(conn, bytes_of(space->base, (size_t)got));
}

static void delay_is_over(uv_timer_t *timer)
{
    struct tcp_conn *conn = conn_of(timer);
    conn->delayed = false;
    conn->active_ms = uv_now(timer->loop);
    write_raw(conn, buf_bytes(&conn->held));
    buf_free(&conn->held);
    if (conn->closing)
        return;
    if (conn->finishes_later)
        end_stream(conn);
    if (uv_read_start((uv_stream_t *)&conn->stream, read_space, read_done) != 0)
        tcp_conn_close(conn);
    else
        feed(conn, bytes_of(NULL, 0)); /* what came before the delay */
}

void tcp_conn_delay(struct tcp_conn *conn, unsigned ms)
{
    if (ms == 0 || conn->delayed || conn->closing || conn->finishing)
        return;
    conn->delayed = true;
    uv_read_stop((uv_stream_t *)&conn->stream);
    CHECK(uv_timer_start(&conn->timer, delay_is_over, ms, 0) == 0);
}

const char *tcp_conn_server_name(const struct tcp_conn *conn)
{
    return conn->tls != NULL ? tls_stream_server_name(conn->tls) : NULL;
}

static struct tcp_conn *conn_create(struct tcp_server *server)
{
    struct tcp_conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL)
        return NULL;
    conn->magic = CONN_MAGIC;
    conn->server = server;
    conn->unread = BUF_INIT(server->protocol->unread_max + PLAIN_MAX);
    conn->held = BUF_INIT(HELD_MAX);
    conn->active_ms = uv_now(server->listener.loop);
    CHECK(uv_tcp_init(server->listener.loop, &conn->stream) == 0); /* makes no socket yet, so it cannot fail */
    CHECK(uv_timer_init(server->listener.loop, &conn->timer) == 0);
    conn->stream.data = conn->timer.data = conn;
    conn->handles = 2;
    conn->next = server->conns;
    conn->link = &server->conns;
    if (conn->next != NULL)
        conn->next->link = &conn->next;
    server->conns = conn;
    server->conn_count++;
    server->handles++;
    return conn;
}

static bool conn_begin(struct tcp_conn *conn)
{
    struct tcp_server *server = conn->server;
    TRY(uv_accept((uv_stream_t *)&server->listener, (uv_stream_t *)&conn->stream) == 0);
    TRY(server->conn_count <= TCP_CONNECTIONS_MAX);
    uv_tcp_nodelay(&conn->stream, 1);
    if (server->tls != NULL) {
        conn->tls = tls_stream_create(server->tls);
        TRY(conn->tls != NULL);
    }
    if (server->protocol->open != NULL) {
        conn->state = server->protocol->open(server->owner, conn);
        TRY(conn->state != NULL);
    }
    return uv_read_start((uv_stream_t *)&conn->stream, read_space, read_done) == 0;
}

static void accept_conn(uv_stream_t *listener, int status)
{
    if (status != 0)
        return;
    struct tcp_conn *conn = conn_create(server_of(listener));
    if (conn != NULL && !conn_begin(conn))
        tcp_conn_close(conn);
}

static void sweep_idle(uv_timer_t *timer)
{
    uint64_t now_ms = uv_now(timer->loop);
    for (struct tcp_conn *conn = server_of(timer)->conns, *next; conn != NULL; conn = next) {
        next = conn->next;
        if (!conn->delayed && now_ms - conn->active_ms > (conn->finishing ? TCP_LINGER_MS : TCP_IDLE_MS))
            tcp_conn_close(conn);
    }
}

static int listen_on(struct tcp_server *server, const struct sockaddr_storage *address)
{
    int error = uv_tcp_bind(&server->listener, (const struct sockaddr *)address, 0);
    if (error == 0)
        error = uv_listen((uv_stream_t *)&server->listener, BACKLOG, accept_conn);
    struct sockaddr_storage bound;
    int size = sizeof bound;
    if (error == 0)
        error = uv_tcp_getsockname(&server->listener, (struct sockaddr *)&bound, &size);
    if (error != 0)
        return error;
    server->port = listen_port_of(&bound);
    return uv_timer_start(&server->sweep, sweep_idle, SWEEP_MS, SWEEP_MS);
}

bool tcp_server_start(uv_loop_t *loop, const struct sockaddr_storage *address, SSL_CTX *tls,
                      const struct tcp_protocol *protocol, void *owner, struct tcp_server **out,
                      char why[static LISTEN_WHY_SIZE])
{
    struct tcp_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        snprintf(why, LISTEN_WHY_SIZE, "out of memory");
        return false;
    }
    server->magic = SERVER_MAGIC;
    server->protocol = protocol;
    server->owner = owner;
    server->handles = 2;
    server->tls = tls != NULL && SSL_CTX_up_ref(tls) == 1 ? tls : NULL;
    server->plain = BUF_INIT(PLAIN_MAX);
    CHECK(uv_tcp_init(loop, &server->listener) == 0 && uv_timer_init(loop, &server->sweep) == 0);
    server->listener.data = server->sweep.data = server;
    int error = listen_on(server, address);
    if (error != 0) {
        snprintf(why, LISTEN_WHY_SIZE, "%s", uv_strerror(error));
        tcp_server_drop(server);
        return false;
    }
    *out = server;
    return true;
}

void tcp_server_drop(struct tcp_server *server)
{
    if (server == NULL)
        return;
    while (server->conns != NULL)
        tcp_conn_close(server->conns);
    uv_close((uv_handle_t *)&server->listener, server_handle_closed);
    uv_close((uv_handle_t *)&server->sweep, server_handle_closed);
}

uint16_t tcp_server_port(const struct tcp_server *server)
{
    return server->port;
}
