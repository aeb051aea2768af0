#include "server/web/proxy_header.h"
#include "server/web/proxy_listener.h"
#include "tests/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define LINE  "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"
#define V2    "\r\n\r\n\0\r\nQUIT\n"
#define HELLO "what follows\r\n\r\n"

enum { SOCKETS = 2, PATIENCE_S = 5, LONG_MS = 600000 };

static const char *proxies[] = { "127.0.0.1" };
static const struct settings settings = { .trusted_proxies = { proxies, ARRAY_SIZE(proxies) } };

struct arrival {
    size_t listener;
    int fd;
    struct sockaddr_in client;
};

struct fixture {
    int sockets[SOCKETS];
    int arrivals[2], lines[2]; /* pairs of datagram sockets: read at 0, written at 1 */
    struct log *log;
    struct proxy_listener *listener;
    atomic_bool full;
};

static void open_pair(int pair[static 2])
{
    struct timeval patience = { .tv_sec = PATIENCE_S };
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
}

static void prepare(struct fixture *f)
{
    f->full = false;
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    for (size_t i = 0; i < SOCKETS; i++) {
        f->sockets[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_int_equal(bind(f->sockets[i], (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(listen(f->sockets[i], 1024), 0);
    }
    open_pair(f->arrivals);
    open_pair(f->lines);
    f->log = log_open(f->lines[1], LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT, world_real());
    assert_non_null(f->log);
}

static void arrived(void *arg, size_t listener, int fd, const struct sockaddr *client, socklen_t len)
{
    struct arrival arrival = { .listener = listener, .fd = fd };
    assert_int_equal(len, sizeof arrival.client);
    memcpy(&arrival.client, client, len);
    assert_int_equal(write(((struct fixture *)arg)->arrivals[1], &arrival, sizeof arrival), sizeof arrival);
}

static bool has_room(void *arg)
{
    return !((struct fixture *)arg)->full;
}

static void start(struct fixture *f, int64_t timeout_ms)
{
    const struct proxy_listener_options options = { .sockets = f->sockets,
                                                    .count = SOCKETS,
                                                    .settings = &settings,
                                                    .log = f->log,
                                                    .timeout_ms = timeout_ms,
                                                    .has_room = has_room,
                                                    .arrived = arrived,
                                                    .arg = f };
    f->listener = proxy_listener_start(&options);
    assert_non_null(f->listener);
}

static void finish(struct fixture *f)
{
    proxy_listener_stop(f->listener);
    log_drop(f->log);
    const int all[] = { f->sockets[0], f->sockets[1], f->arrivals[0], f->arrivals[1], f->lines[0], f->lines[1] };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        close(all[i]);
}

static int client_from(const struct fixture *f, size_t listener, const char *from)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof address;
    struct timeval patience = { .tv_sec = PATIENCE_S };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    inet_pton(AF_INET, from, &address.sin_addr);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(f->sockets[listener], (struct sockaddr *)&address, &len), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, len), 0);
    return fd;
}

static int client(const struct fixture *f)
{
    return client_from(f, 0, "127.0.0.1");
}

static void say(int fd, struct bytes data)
{
    assert_int_equal(send(fd, data.data, data.len, MSG_NOSIGNAL), data.len);
}

static void assert_closed(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, 0);
    assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
    close(fd);
}

static void assert_arrival(struct fixture *f, const char *address, struct arrival *out)
{
    char text[INET_ADDRSTRLEN];
    assert_int_equal(read(f->arrivals[0], out, sizeof *out), sizeof *out);
    inet_ntop(AF_INET, &out->client.sin_addr, text, sizeof text);
    assert_string_equal(text, address);
}

static void assert_nobody_arrives(const struct fixture *f)
{
    struct pollfd nobody = { .fd = f->arrivals[0], .events = POLLIN };
    assert_int_equal(poll(&nobody, 1, 50), 0);
}

static void assert_logged(struct fixture *f, const char *cause)
{
    char line[4096] = "";
    assert_true(read(f->lines[0], line, sizeof line - 1) > 0);
    if (strstr(line, "proxy.refused") == NULL || strstr(line, cause) == NULL)
        fail_msg("%s instead of %s", line, cause);
}

/* What the daemon would read is what the client said behind the header, to the byte. */
static void assert_rest(int fd, int to_close, const char *rest)
{
    char text[256] = "";
    size_t len = 0;
    close(to_close);
    for (ssize_t got; len < sizeof text - 1;) {
        got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got == 0)
            break;
        len += got > 0 ? (size_t)got : 0; /* not there yet */
    }
    assert_string_equal(text, rest);
    close(fd);
}

static void the_header_alone_is_taken(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    prepare(&f);
    start(&f, LONG_MS);
    const struct bytes headers[] = {
        bytes_text(LINE),
        bytes_of(V2 "\x21\x11\x00\x10\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb\x04\x00\x01\x00", 32),
    };
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        uint8_t whole[256];
        memcpy(whole, headers[i].data, headers[i].len);
        memcpy(whole + headers[i].len, HELLO, strlen(HELLO));
        for (size_t cut = 0; cut <= headers[i].len + strlen(HELLO); cut++) {
            int fd = client_from(&f, cut % SOCKETS, "127.0.0.1");
            say(fd, bytes_of(whole, cut));
            say(fd, bytes_of(whole + cut, headers[i].len + strlen(HELLO) - cut));
            assert_arrival(&f, "192.0.2.7", &arrival);
            assert_int_equal(arrival.listener, cut % SOCKETS);
            assert_int_equal(ntohs(arrival.client.sin_port), 56324);
            assert_rest(arrival.fd, fd, HELLO);
        }
    }
    finish(&f);
}

static void a_header_may_come_byte_by_byte(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    prepare(&f);
    start(&f, LONG_MS);
    int fd = client(&f);
    for (const char *byte = LINE HELLO; *byte != '\0'; byte++)
        say(fd, bytes_of(byte, 1));
    assert_arrival(&f, "192.0.2.7", &arrival);
    assert_rest(arrival.fd, fd, HELLO);
    finish(&f);
}

static void a_proxy_may_speak_for_itself(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    prepare(&f);
    start(&f, LONG_MS);
    const struct bytes headers[] = { bytes_of(V2 "\x20\x00\x00\x00", 16), bytes_text("PROXY UNKNOWN\r\n") };
    for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
        struct sockaddr_in own;
        socklen_t len = sizeof own;
        int fd = client(&f);
        getsockname(fd, (struct sockaddr *)&own, &len);
        say(fd, headers[i]);
        assert_arrival(&f, "127.0.0.1", &arrival);
        assert_int_equal(arrival.client.sin_port, own.sin_port);
        assert_rest(arrival.fd, fd, "");
    }
    finish(&f);
}

static void others_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    prepare(&f);
    start(&f, LONG_MS);
    int stranger = client_from(&f, 0, "127.0.0.2");
    send(stranger, LINE, strlen(LINE), MSG_NOSIGNAL);
    assert_closed(stranger);
    assert_logged(&f, "cause=\"it is not in trusted-proxies\" peer=127.0.0.2");
    int direct = client(&f);
    say(direct, bytes_of("\x16\x03\x01", 3));
    assert_closed(direct);
    assert_logged(&f, "it does not begin with a PROXY header");
    int wrong = client(&f);
    say(wrong, bytes_text("PROXY TCP4 192.0.2.7\r\n"));
    assert_closed(wrong);
    assert_logged(&f, "malformed");
    int hasty = client(&f);
    say(hasty, bytes_text("PROXY TCP4 192."));
    shutdown(hasty, SHUT_WR);
    assert_closed(hasty);
    assert_logged(&f, "it ended in its PROXY header");
    finish(&f);
}

static void a_header_has_a_deadline(void **state)
{
    (void)state;
    struct fixture f;
    prepare(&f);
    start(&f, 20);
    int silent = client(&f), slow = client(&f);
    say(slow, bytes_text("PROXY "));
    assert_closed(silent);
    assert_closed(slow);
    assert_logged(&f, "did not arrive in time");
    assert_logged(&f, "did not arrive in time");
    finish(&f);
}

static void of_too_many_the_oldest_goes(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    int fds[PROXY_WAITING_MAX + 2];
    prepare(&f);
    start(&f, LONG_MS);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = client(&f);
        say(fds[i], bytes_text("PROXY"));
    }
    assert_closed(fds[0]);
    assert_closed(fds[1]);
    assert_logged(&f, "too many wait");
    assert_logged(&f, "too many wait");
    for (size_t i = ARRAY_SIZE(fds); i-- > 2;) {
        say(fds[i], bytes_text(" TCP4 192.0.2.7 198.51.100.1 56324 443\r\n"));
        assert_arrival(&f, "192.0.2.7", &arrival);
        assert_rest(arrival.fd, fds[i], "");
    }
    finish(&f);
}

static void limit_descriptors(rlim_t count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = count;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* Clients that came before the start; `room` more descriptors than the listener itself needs. */
static void start_with_room(struct fixture *f, int *fds, size_t count, rlim_t room)
{
    enum { OWN = 2 };
    prepare(f);
    for (size_t i = 0; i < count; i++) {
        fds[i] = client(f);
        say(fds[i], bytes_text(i + 1 < count ? "PROXY" : LINE));
    }
    int next = dup(STDIN_FILENO);
    close(next);
    limit_descriptors((rlim_t)next + OWN + room);
    start(f, LONG_MS);
}

static void without_descriptors_the_oldest_goes(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    struct rlimit before;
    int fds[6];
    getrlimit(RLIMIT_NOFILE, &before);
    start_with_room(&f, fds, ARRAY_SIZE(fds), 2);
    assert_arrival(&f, "192.0.2.7", &arrival);
    limit_descriptors(before.rlim_cur);
    assert_logged(&f, "no descriptor or memory is left");
    assert_closed(fds[0]);
    assert_rest(arrival.fd, fds[5], "");
    finish(&f);
    for (size_t i = 1; i < 5; i++)
        assert_closed(fds[i]);
}

static void without_descriptors_at_all_it_goes_on_later(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    struct rlimit before;
    int fd;
    getrlimit(RLIMIT_NOFILE, &before);
    start_with_room(&f, &fd, 1, 0);
    assert_nobody_arrives(&f);
    limit_descriptors(before.rlim_cur);
    assert_arrival(&f, "192.0.2.7", &arrival);
    assert_rest(arrival.fd, fd, "");
    finish(&f);
}

static void without_room_nobody_is_let_in(void **state)
{
    (void)state;
    struct fixture f;
    struct arrival arrival;
    prepare(&f);
    start(&f, LONG_MS);
    int early = client(&f), direct = client(&f);
    say(early, bytes_text("PROXY"));
    say(direct, bytes_text("GET"));
    assert_closed(direct); /* so that the early one is known to wait */
    assert_logged(&f, "does not begin");
    f.full = true;
    int late = client(&f);
    say(late, bytes_text(LINE));
    assert_nobody_arrives(&f);
    say(early, bytes_text(&LINE[5]));
    assert_closed(early);
    assert_logged(&f, "no room for more connections");
    f.full = false;
    assert_arrival(&f, "192.0.2.7", &arrival);
    assert_rest(arrival.fd, late, "");
    finish(&f);
}

static void who_waits_at_the_stop_is_closed(void **state)
{
    (void)state;
    struct fixture f;
    int fds[3];
    prepare(&f);
    start(&f, LONG_MS);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
        fds[i] = client(&f);
        say(fds[i], bytes_text("PROXY TCP4"));
    }
    int last = client(&f); /* behind its answer the others are known to wait */
    say(last, bytes_text("GET"));
    assert_closed(last);
    finish(&f);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        assert_closed(fds[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_alone_is_taken),
        cmocka_unit_test(a_header_may_come_byte_by_byte),
        cmocka_unit_test(a_proxy_may_speak_for_itself),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(a_header_has_a_deadline),
        cmocka_unit_test(of_too_many_the_oldest_goes),
        cmocka_unit_test(without_descriptors_the_oldest_goes),
        cmocka_unit_test(without_descriptors_at_all_it_goes_on_later),
        cmocka_unit_test(without_room_nobody_is_let_in),
        cmocka_unit_test(who_waits_at_the_stop_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
