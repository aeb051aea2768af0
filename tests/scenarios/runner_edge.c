/* Bytes instead of requests: connections to the server that misbehave, and targets of validations that do. */
#include "tests/scenarios/runner.h"

#include "base/world.h"
#include "test-client/cpu.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TEXT_MAX = 4 << 20,
    RECEIVED_MAX = 1 << 20,
    IO_TIMEOUT_S = 30,
    POLL_MS = 10,
    DRIP_MS = 100,
    NARROW_BUFFER_BYTES = 4096, /* what fits into the kernel's buffers costs the server nothing */
    NARROW_SEGMENT_BYTES = 536,
};

struct connection {
    char name[NAME_MAX_BYTES];
    int fd;
    SSL_CTX *context; /* NULL: no TLS */
    SSL *tls;
};

static void connection_drop(struct connection *connection)
{
    if (connection == NULL)
        return;
    SSL_free(connection->tls);
    SSL_CTX_free(connection->context);
    if (connection->fd >= 0)
        close(connection->fd);
    free(connection);
}
DEFINE_DROP(connection, connection_drop)

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in) { .sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* ---- connect NAME [plain|narrow [PORT]], secure NAME [OTHER], hello NAME [half], send NAME TEXT [TIMES],
 * drip NAME TEXT, sip NAME BYTES, receive NAME closed|TEXT, stall NAME, abandon, pipeline */

/* With the session of a connection before, where one is given: then the server must take it up. */
static bool start_tls(struct connection *connection, const struct connection *before)
{
    connection->context = SSL_CTX_new(TLS_client_method());
    connection->tls = connection->context != NULL ? SSL_new(connection->context) : NULL;
    TRY(connection->tls != NULL && SSL_set_fd(connection->tls, connection->fd) == 1);
    TRY(before == NULL || SSL_set_session(connection->tls, SSL_get0_session(before->tls)) == 1);
    TRY(SSL_connect(connection->tls) == 1);
    return before == NULL || SSL_session_reused(connection->tls) == 1;
}

static void make_narrow(int fd)
{
    const int buffer = NARROW_BUFFER_BYTES, segment = NARROW_SEGMENT_BYTES;
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
}

static bool open_connection(struct scenario *s, const char *name, int port, const char *kind, struct connection **out)
{
    AUTO(connection) connection = calloc(1, sizeof *connection);
    struct timeval patience = { .tv_sec = IO_TIMEOUT_S };
    struct sockaddr_in address = loopback(port);
    if (connection == NULL)
        return fail(s, "out of memory");
    snprintf(connection->name, sizeof connection->name, "%s", name);
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(connection->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (strcmp(kind, "narrow") == 0)
        make_narrow(connection->fd);
    if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        return fail(s, "cannot connect");
    if (strcmp(kind, "plain") != 0 && !start_tls(connection, NULL))
        return fail(s, "no TLS connection comes about");
    *out = TAKE(connection);
    return true;
}

static bool keep(struct scenario *s, struct connection **connection)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i] == NULL) {
            s->connections[i] = TAKE(*connection);
            return true;
        }
    }
    return fail(s, "too many connections");
}

bool play_connect(struct scenario *s, words w, size_t count)
{
    AUTO(connection) connection = NULL;
    int port = count > 2 ? (int)strtol(w[2], NULL, 10) : s->daemon.port;
    return open_connection(s, w[0], port, count > 1 ? w[1] : "", &connection) && keep(s, &connection);
}

static struct connection *connection_find(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i] != NULL && strcmp(s->connections[i]->name, name) == 0)
            return s->connections[i];
    }
    fail(s, "there is no connection \"%s\"", name);
    return NULL;
}

bool play_secure(struct scenario *s, words w, size_t count)
{
    struct connection *connection = connection_find(s, w[0]);
    const struct connection *before = count > 1 ? connection_find(s, w[1]) : NULL;
    TRY(connection != NULL && (count < 2 || (before != NULL && before->tls != NULL)));
    return start_tls(connection, before) ||
           fail(s, count > 1 ? "the TLS session is not resumed" : "no TLS connection comes about");
}

/* The first message of a handshake, or half of it, and then nothing. */
static bool send_hello(const struct connection *connection, size_t parts)
{
    char *hello;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    SSL *tls = SSL_new(context);
    SSL_set_bio(tls, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_connect(tls);
    size_t len = (size_t)BIO_get_mem_data(SSL_get_wbio(tls), &hello) / parts;
    bool sent = len > 0 && send(connection->fd, hello, len, MSG_NOSIGNAL) == (ssize_t)len;
    SSL_free(tls);
    SSL_CTX_free(context);
    return sent;
}

bool play_hello(struct scenario *s, words w, size_t count)
{
    const struct connection *connection = connection_find(s, w[0]);
    TRY(connection != NULL);
    return send_hello(connection, count > 1 ? 2 : 1) || fail(s, "cannot send a hello");
}

/* "\r\n" stands for a line's end, "\xNN" for a byte. */
static void unescape(const char *text, struct buf *out)
{
    for (; *text != '\0'; text++) {
        unsigned byte = 0;
        bool number = sscanf(text, "\\x%2x", &byte) == 1;
        bool escape = text[0] == '\\' && (text[1] == 'r' || text[1] == 'n');
        buf_char(out, number ? (char)byte : !escape ? *text : text[1] == 'r' ? '\r' : '\n');
        text += number ? 3 : escape;
    }
}

static bool send_text(struct connection *connection, const struct buf *text)
{
    if (connection->tls != NULL)
        return SSL_write(connection->tls, text->data, (int)text->len) > 0;
    return send(connection->fd, text->data, text->len, MSG_NOSIGNAL) > 0;
}

/* A server that has closed already is no failure of the sender; `receive` tells. */
bool play_send(struct scenario *s, words w, size_t count)
{
    struct connection *connection = connection_find(s, w[0]);
    long times = count > 2 ? strtol(w[2], NULL, 10) : 1;
    AUTO_BUF(text, TEXT_MAX);
    TRY(connection != NULL);
    while (times-- > 0)
        unescape(w[1], &text);
    (void)send_text(connection, &text);
    return !text.failed || fail(s, "too much to send");
}

/* crowd NAME PORT TEXT TIMES */
bool play_crowd(struct scenario *s, words w, size_t count)
{
    (void)count;
    AUTO_BUF(text, TEXT_MAX);
    unescape(w[2], &text);
    for (long times = strtol(w[3], NULL, 10); times > 0; times--) {
        AUTO(connection) connection = NULL;
        TRY(open_connection(s, w[0], (int)strtol(w[1], NULL, 10), "plain", &connection));
        TRY(send_text(connection, &text) && keep(s, &connection));
    }
    return true;
}

/* Again and again, with pauses shorter than any time limit, until the server has closed. */
bool play_drip(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct connection *connection = connection_find(s, w[0]);
    int64_t began = monotonic_ms();
    AUTO_BUF(text, TEXT_MAX);
    TRY(connection != NULL);
    unescape(w[1], &text);
    while (send_text(connection, &text)) {
        if (monotonic_ms() - began > IO_TIMEOUT_S * 1000)
            return fail(s, "the server lets itself be kept waiting");
        loop_run_for(s, DRIP_MS);
    }
    return true;
}

/* Reads so many bytes (TLS or not) again and again, with pauses, until the server has closed. */
bool play_sip(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct connection *connection = connection_find(s, w[0]);
    size_t most = strtoul(w[1], NULL, 10);
    int64_t began = monotonic_ms();
    char block[4096];
    TRY(connection != NULL && most <= sizeof block);
    struct pollfd poll_fd = { .fd = connection->fd };
    while (poll(&poll_fd, 1, 0) == 0 && (most == 0 || recv(connection->fd, block, most, 0) > 0)) {
        if (monotonic_ms() - began > IO_TIMEOUT_S * 1000)
            return fail(s, "the server waits for its reader");
        loop_run_for(s, DRIP_MS);
    }
    return true;
}

/* A signed request, as bytes. */
static bool write_request(struct scenario *s, words w, struct buf *out)
{
    struct client *client = client_find(s, w[0]);
    const char *host = strstr(w[1], "://"), *path = host != NULL ? strchr(host + 3, '/') : NULL;
    AUTO_BUF(body, TEXT_MAX);
    TRY(client != NULL && path != NULL);
    TRY(sign_request(s, client, w[1], w[2], &(struct mutations) { 0 }, &body));
    buf_printf(out,
               "POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/jose+json\r\n"
               "Content-Length: %zu\r\n\r\n%s",
               path, s->daemon.port, body.len, buf_str(&body));
    return true;
}

/* pipeline NAME CLIENT URL PAYLOAD TIMES: signed requests over a connection, whose answers nobody reads */
bool play_pipeline(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct connection *connection = connection_find(s, w[0]);
    TRY(connection != NULL);
    for (long times = strtol(w[4], NULL, 10); times > 0; times--) {
        AUTO_BUF(text, TEXT_MAX);
        TRY(write_request(s, w + 1, &text));
        if (!send_text(connection, &text))
            return fail(s, "cannot send");
    }
    return true;
}

/* abandon CLIENT URL PAYLOAD TIMES: signed requests, each over a connection that ends before the answer */
bool play_abandon(struct scenario *s, words w, size_t count)
{
    (void)count;
    for (long times = strtol(w[3], NULL, 10); times > 0; times--) {
        AUTO(connection) connection = NULL;
        AUTO_BUF(text, TEXT_MAX);
        TRY(write_request(s, w, &text));
        TRY(open_connection(s, "", s->daemon.port, "", &connection));
        if (!send_text(connection, &text))
            return fail(s, "cannot send");
    }
    return true;
}

static ssize_t receive_some(struct connection *connection, char *out, size_t size)
{
    if (connection->tls == NULL)
        return recv(connection->fd, out, size, 0);
    return SSL_read(connection->tls, out, (int)size);
}

/* Until the text has come, or (closed) until nothing more comes. */
bool play_receive(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct connection *connection = connection_find(s, w[0]);
    bool closed = strcmp(w[1], "closed") == 0;
    AUTO_BUF(text, RECEIVED_MAX);
    TRY(connection != NULL);
    int64_t began = monotonic_ms();
    for (;;) {
        char block[4096];
        ssize_t got = receive_some(connection, block, sizeof block);
        if (got <= 0)
            break;
        buf_append(&text, block, (size_t)got);
        if (!closed && strstr(buf_str(&text), w[1]) != NULL)
            return true;
    }
    bool in_time = monotonic_ms() - began < IO_TIMEOUT_S * 1000;
    return (closed && in_time) || fail(s, "got \"%s\" and %s", buf_str(&text), in_time ? "the end" : "no more");
}

/* Until the server has closed; that it waits so long must not keep it busy. */
bool play_stall(struct scenario *s, words w, size_t count)
{
    (void)count;
    uint64_t before, after;
    char closed[] = "closed";
    int64_t began = monotonic_ms();
    TRY(tc_cpu_tree_us(s->daemon.pid, &before) || fail(s, "no server runs"));
    TRY(play_receive(s, (char *[]) { w[0], closed }, 2));
    uint64_t waited_us = (uint64_t)(monotonic_ms() - began) * 1000;
    TRY(tc_cpu_tree_us(s->daemon.pid, &after) || fail(s, "no server runs"));
    return after - before < waited_us / 2 || fail(s, "the server was busy while it waited");
}

/* ---- target NAME refusing|silent|wait|gone */

static struct target *target_seat(struct scenario *s, const char *name)
{
    struct target *seat = NULL;
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        if (strcmp(s->targets[i].name, name) == 0)
            return &s->targets[i];
        if (seat == NULL && s->targets[i].name[0] == '\0')
            seat = &s->targets[i];
    }
    if (seat == NULL)
        fail(s, "too many targets");
    return seat;
}

/* A port that is bound but not listened on refuses; one that is listened on and never read from is silent. */
static bool open_target(struct scenario *s, struct target *target, const char *name, bool listening)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof address;
    snprintf(target->name, sizeof target->name, "%s", name);
    target->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(target->fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(target->fd, (struct sockaddr *)&address, &len) != 0 || (listening && listen(target->fd, 16) != 0))
        return fail(s, "no port for a target");
    return variable_setf(s, arena_printf(s->arena, "%u", ntohs(address.sin_port)), "%s.port", name);
}

/* Meanwhile the responder says where the target is, when DNS is asked. */
static bool await_visitor(struct scenario *s, const struct target *target)
{
    int64_t deadline = monotonic_ms() + PATIENCE_MS;
    struct pollfd poll_fd = { .fd = target->fd, .events = POLLIN };
    while (poll(&poll_fd, 1, 0) != 1) {
        if (monotonic_ms() > deadline)
            return fail(s, "nobody came to the target");
        loop_run_for(s, POLL_MS);
    }
    return true;
}

bool play_target(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct target *target = target_seat(s, w[0]);
    TRY(target != NULL);
    if (strcmp(w[1], "refusing") == 0 || strcmp(w[1], "silent") == 0)
        return open_target(s, target, w[0], w[1][0] == 's');
    if (target->name[0] == '\0')
        return fail(s, "there is no target \"%s\"", w[0]);
    if (strcmp(w[1], "wait") == 0)
        return await_visitor(s, target);
    if (strcmp(w[1], "gone") != 0)
        return fail(s, "target NAME refusing, silent, wait or gone");
    close(target->fd);
    *target = (struct target) { 0 };
    return true;
}

void edge_clear(struct scenario *s)
{
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        connection_drop(s->connections[i]);
    for (size_t i = 0; i < TARGETS_MAX; i++) {
        if (s->targets[i].name[0] != '\0')
            close(s->targets[i].fd);
    }
}
