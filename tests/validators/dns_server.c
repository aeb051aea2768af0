#include "tests/validators/dns_server.h"

#include "tests/validators/tls_server.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    HEADER_BYTES = 12,
    MESSAGE_MAX = 65535,
    UDP_MAX = 4096,
    FLAG_TRUNCATED = 0x0200,
    PATIENCE_S = 2,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_CAA = 257,
    TYPE_OPT = 41,
    OPTION_EXTENDED = 15,
    SIGNATURE_EXPIRED = 7,
    RCODE_NXDOMAIN = 3
};

struct dns_server {
    const struct dns_row *rows;
    size_t count;
    int fd, tcp_fd, stop_fd;
    SSL_CTX *tls; /* of TCP; NULL without */
    uint16_t port;
    pthread_t thread;
    pthread_mutex_t lock; /* guards questions */
    pthread_cond_t asked;
    unsigned questions;
};

struct question {
    char name[256];
    int type;
    size_t end; /* offset behind it */
};

static bool parse(const uint8_t *packet, size_t len, struct question *out)
{
    size_t at = HEADER_BYTES, to = 0;
    while (at < len && packet[at] != 0) {
        for (size_t i = 1; i <= packet[at] && at + i < len && to < 250; i++) {
            uint8_t c = packet[at + i];
            out->name[to++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
        }
        out->name[to++] = '.';
        at += 1u + packet[at];
    }
    out->name[to > 0 ? to - 1 : 0] = '\0';
    out->end = at + 5;
    TRY(out->end <= len);
    out->type = packet[at + 1] << 8 | packet[at + 2];
    return true;
}

static const struct dns_row *find(const struct dns_server *server, const struct question *question)
{
    for (size_t i = 0; i < server->count; i++) {
        const struct dns_row *row = &server->rows[i];
        if ((row->name[0] == '\0' || strcmp(row->name, question->name) == 0) &&
            (row->type == 0 || row->type == question->type))
            return row;
    }
    return NULL;
}

static bool name_exists(const struct dns_server *server, const char *name)
{
    for (size_t i = 0; i < server->count; i++)
        if (strcmp(server->rows[i].name, name) == 0)
            return true;
    return false;
}

static void put16(struct buf *out, unsigned value)
{
    buf_char(out, (char)(value >> 8));
    buf_char(out, (char)value);
}

static void put_name(struct buf *out, const char *name)
{
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        buf_char(out, (char)len);
        buf_append(out, name, len);
        name += len + (name[len] == '.');
    }
    buf_char(out, 0);
}

static void put_text(struct buf *out, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "|");
        buf_char(out, (char)len);
        buf_append(out, text, len);
        if (text[len] == '\0')
            return;
        text += len + 1;
    }
}

/* "0 issue ca.test" */
static void put_caa(struct buf *out, const char *text)
{
    char *end;
    buf_char(out, (char)strtoul(text, &end, 10));
    size_t len = strcspn(end + 1, " ");
    buf_char(out, (char)len);
    buf_append(out, end + 1, len);
    buf_text(out, end + 1 + len + (end[1 + len] == ' '));
}

static void put_record(struct buf *out, const char *owner, int type, const char *text)
{
    AUTO_BUF(data, MESSAGE_MAX);
    uint8_t ip[16];
    if (type == TYPE_CNAME || type == TYPE_NS)
        put_name(&data, text);
    else if (type == TYPE_CAA)
        put_caa(&data, text);
    else if (inet_pton(AF_INET, text, ip) == 1)
        buf_append(&data, ip, 4);
    else if (inet_pton(AF_INET6, text, ip) == 1)
        buf_append(&data, ip, 16);
    else
        put_text(&data, text);
    put_name(out, owner);
    put16(out, (unsigned)type);
    put16(out, 1);
    put16(out, 0);
    put16(out, 300); /* a long life, so that an answer kept from an earlier validation shows */
    put16(out, (unsigned)data.len);
    buf_append(out, data.data, data.len);
}

/* RFC 6891 §6.1.2, RFC 8914 §2 */
static void put_extended(struct buf *out, const char *text)
{
    unsigned len = (unsigned)strlen(text);
    const unsigned fields[] = { TYPE_OPT, UDP_MAX, 0, 0, 6 + len, OPTION_EXTENDED, 2 + len, SIGNATURE_EXPIRED };
    buf_char(out, 0);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        put16(out, fields[i]);
    buf_text(out, text);
}

static void put_answer(const struct dns_server *server, const uint8_t *packet, const struct question *question,
                       struct buf *out)
{
    const struct dns_row *row = find(server, question);
    bool exists = row != NULL || name_exists(server, question->name);
    bool extended = row != NULL && row->action == DNS_EXTENDED;
    size_t records = row != NULL && !extended ? row->count + (row->cname != NULL) : 0;
    buf_append(out, packet, 2);
    put16(out, 0x8580u | (unsigned)(row != NULL ? row->rcode : exists ? 0 : RCODE_NXDOMAIN));
    put16(out, 1);
    put16(out, (unsigned)records);
    put16(out, 0);
    put16(out, extended);
    buf_append(out, packet + HEADER_BYTES, question->end - HEADER_BYTES);
    if (extended)
        put_extended(out, row->texts[0]);
    if (records == 0)
        return;
    if (row->cname != NULL)
        put_record(out, question->name, TYPE_CNAME, row->cname);
    for (size_t i = 0; i < row->count; i++)
        put_record(out, row->cname != NULL ? row->cname : question->name, question->type, row->texts[i]);
}

/* What the row's action makes of the right answer */
static void spoil(enum dns_action action, const struct question *question, bool tcp, struct buf *out)
{
    if (action == DNS_TRUNCATE && !tcp) {
        out->data[2] |= FLAG_TRUNCATED >> 8;
        out->data[7] = 0;
        out->len = question->end;
    } else if (action == DNS_GARBAGE) {
        memset(out->data + 2, 0xff, out->len - 2);
    } else if (action == DNS_WRONG_ID) {
        out->data[0] ^= 1;
    } else if (action == DNS_WRONG_QUESTION) {
        out->data[HEADER_BYTES + 1] ^= 1;
    } else if (action == DNS_CUT) {
        out->len--;
    } else if (action == DNS_LOOP && out->len > question->end + 1) {
        out->data[question->end] = (char)0xc0;
        out->data[question->end + 1] = (char)question->end;
    }
}

/* False when there is to be no answer. */
static bool answer(struct dns_server *server, const uint8_t *packet, size_t len, bool tcp, struct buf *out,
                   enum dns_action *out_action)
{
    struct question question;
    TRY(len >= HEADER_BYTES && parse(packet, len, &question));
    pthread_mutex_lock(&server->lock);
    server->questions++;
    pthread_cond_signal(&server->asked);
    pthread_mutex_unlock(&server->lock);
    const struct dns_row *row = find(server, &question);
    enum dns_action action = row != NULL ? row->action : DNS_ANSWER;
    TRY(action != DNS_SILENCE && !(action == DNS_TRUNCATE_ALL && tcp));
    put_answer(server, packet, &question, out);
    spoil(action == DNS_TRUNCATE_ALL ? DNS_TRUNCATE : action, &question, tcp, out);
    *out_action = action;
    return true;
}

static void serve_udp(struct dns_server *server)
{
    uint8_t packet[UDP_MAX];
    struct sockaddr_storage from;
    socklen_t from_len = sizeof from;
    enum dns_action action;
    AUTO_BUF(out, MESSAGE_MAX);
    ssize_t got = recvfrom(server->fd, packet, sizeof packet, 0, (struct sockaddr *)&from, &from_len);
    if (got < 0 || !answer(server, packet, (size_t)got, false, &out, &action))
        return;
    for (int i = 0; i < (action == DNS_TWICE ? 2 : 1); i++)
        (void)!sendto(server->fd, out.data, out.len, 0, (struct sockaddr *)&from, from_len);
}

static bool read_all(SSL *tls, int fd, uint8_t *out, size_t len)
{
    size_t at = 0;
    while (at < len) {
        ssize_t got = tls != NULL ? SSL_read(tls, out + at, (int)(len - at)) : recv(fd, out + at, len - at, 0);
        TRY(got > 0);
        at += (size_t)got;
    }
    return true;
}

static void serve_message(struct dns_server *server, SSL *tls, int fd)
{
    uint8_t length[2], packet[UDP_MAX];
    enum dns_action action;
    AUTO_BUF(out, MESSAGE_MAX);
    AUTO_BUF(framed, MESSAGE_MAX + 2);
    if (!read_all(tls, fd, length, 2))
        return;
    size_t len = (size_t)length[0] << 8 | length[1];
    if (len > sizeof packet || !read_all(tls, fd, packet, len) || !answer(server, packet, len, true, &out, &action))
        return;
    put16(&framed, (unsigned)out.len);
    buf_append(&framed, out.data, out.len);
    if (tls != NULL)
        (void)!SSL_write(tls, framed.data, (int)framed.len);
    else
        (void)!send(fd, framed.data, framed.len, MSG_NOSIGNAL);
}

static void serve_tcp(struct dns_server *server)
{
    static const struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = accept4(server->tcp_fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL *tls = server->tls != NULL ? SSL_new(server->tls) : NULL;
    if (tls == NULL || (SSL_set_fd(tls, fd) == 1 && SSL_accept(tls) == 1))
        serve_message(server, tls, fd);
    SSL_free(tls);
    close(fd);
}

static void *run(void *arg)
{
    struct dns_server *server = arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = server->fd, .events = POLLIN },
                                { .fd = server->tcp_fd, .events = POLLIN },
                                { .fd = server->stop_fd, .events = POLLIN } };
        poll(fds, 3, -1);
        if (fds[2].revents != 0)
            return NULL;
        if (fds[0].revents != 0)
            serve_udp(server);
        if (fds[1].revents != 0)
            serve_tcp(server);
    }
}

static int bind_at(int type, const char *address, uint16_t port)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    int one = 1, fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && inet_pton(AF_INET, address, &in.sin_addr) == 1);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&in, sizeof in) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The same port for UDP and TCP; 0: one that is free for both */
static void bind_both(struct dns_server *server, const char *address, uint16_t port)
{
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    for (;;) {
        server->tcp_fd = bind_at(SOCK_STREAM, address, port);
        assert_int_equal(getsockname(server->tcp_fd, (struct sockaddr *)&in, &len), 0);
        server->port = ntohs(in.sin_port);
        server->fd = bind_at(SOCK_DGRAM, address, server->port);
        if (server->fd >= 0)
            break;
        close(server->tcp_fd);
    }
    assert_int_equal(listen(server->tcp_fd, SOMAXCONN), 0);
}

static struct dns_server *start(const char *address, uint16_t port, const struct dns_row *rows, size_t count,
                                SSL_CTX *tls)
{
    struct dns_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->rows = rows;
    server->count = count;
    server->tls = tls;
    bind_both(server, address, port);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->asked, NULL);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

struct dns_server *dns_server_start_at(const char *address, uint16_t port, const struct dns_row *rows, size_t count)
{
    return start(address, port, rows, count, NULL);
}

struct dns_server *dns_server_start(const struct dns_row *rows, size_t count)
{
    return start("127.0.0.1", 0, rows, count, NULL);
}

struct dns_server *dns_server_start_tls(const struct dns_row *rows, size_t count)
{
    static const struct tls_script script = { .names = "DNS:dns.test", .flaw = TLS_NO_EXTENSION };
    return start("127.0.0.1", 0, rows, count, tls_server_context(&script));
}

void dns_server_write_certificate(const struct dns_server *server, const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, SSL_CTX_get0_certificate(server->tls)), 1);
    fclose(file);
}

uint16_t dns_server_port(const struct dns_server *server)
{
    return server->port;
}

unsigned dns_server_questions(struct dns_server *server)
{
    pthread_mutex_lock(&server->lock);
    unsigned questions = server->questions;
    pthread_mutex_unlock(&server->lock);
    return questions;
}

void dns_server_wait(struct dns_server *server, unsigned questions)
{
    pthread_mutex_lock(&server->lock);
    while (server->questions < questions)
        pthread_cond_wait(&server->asked, &server->lock);
    pthread_mutex_unlock(&server->lock);
}

void dns_server_stop(struct dns_server *server)
{
    assert_int_equal(write(server->stop_fd, &(uint64_t) { 1 }, 8), 8);
    pthread_join(server->thread, NULL);
    close(server->fd);
    close(server->tcp_fd);
    close(server->stop_fd);
    SSL_CTX_free(server->tls);
    pthread_cond_destroy(&server->asked);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
