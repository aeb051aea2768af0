#include "test-client/dns_server.h"

#include "tests/test-client/dns_client.h"
#include "tests/test-client/loopback.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    struct mock_zone *zone;
    struct dns_server *server;
    uint16_t port;
    unsigned delay_ms, asked;
};

static unsigned answer(void *owner, struct bytes query, enum dns_transport transport, struct buf *out)
{
    struct fixture *f = owner;
    f->asked++;
    dns_answer_from_zone(f->zone, query, transport, out);
    return f->delay_ms;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct sockaddr_storage address = loopback_any();
    char why[LISTEN_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    f->zone = mock_zone_create();
    CHECK(f->zone != NULL && mock_zone_add(f->zone, "a.test", DNS_TXT, bytes_text("\x01x")));
    CHECK(dns_server_start(&f->loop, &address, answer, f, &f->server, why));
    f->port = dns_server_port(f->server);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    dns_server_drop(f->server);
    mock_zone_drop(f->zone);
    loopback_end(&f->loop);
    free(f);
    return 0;
}

static void assert_answer(struct bytes answer, const char *expected)
{
    AUTO_BUF(text, 4096);
    dns_client_text(answer, &text);
    assert_string_equal(buf_str(&text), expected);
}

static void test_udp(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, 4096);
    dns_client_query(&query, "a.test", DNS_TXT, 0);
    int fd = loopback_udp(f->port);
    loopback_send(fd, "junk", 4); /* gets no answer */
    loopback_send(fd, query.data, query.len);
    assert_true(loopback_read(&f->loop, fd, &answer, 1));
    close(fd);
    assert_answer(buf_bytes(&answer), "NOERROR aa ra | a.test TXT 0 0178");
}

static int udp_to(const char *host, uint16_t port)
{
    struct listen_address at = { .port = port };
    struct sockaddr_storage address;
    char why[LISTEN_WHY_SIZE];
    snprintf(at.host, sizeof at.host, "%s", host);
    assert_true(listen_address_resolve(&at, &address, why));
    int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = address.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, len) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A connected socket hears only who it asked, as a resolver does. */
static void assert_answers_from(struct fixture *f, struct dns_server *server, const char *host)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(in, 4096);
    int fd = udp_to(host, dns_server_port(server));
    if (fd < 0 && strchr(host, ':') != NULL)
        return; /* a machine without IPv6 */
    assert_true(fd >= 0);
    dns_client_query(&query, "a.test", DNS_TXT, 0);
    loopback_send(fd, query.data, query.len);
    assert_true(loopback_read(&f->loop, fd, &in, 1));
    close(fd);
    assert_answer(buf_bytes(&in), "NOERROR aa ra | a.test TXT 0 0178");
}

static void test_answers_come_from_the_address_that_was_asked(void **state)
{
    struct fixture *f = *state;
    static const char *const binds[] = { "", "0.0.0.0", "127.0.0.2" };
    for (size_t i = 0; i < ARRAY_SIZE(binds); i++) {
        struct listen_address at = { 0 };
        struct sockaddr_storage address;
        struct dns_server *server;
        char why[LISTEN_WHY_SIZE];
        snprintf(at.host, sizeof at.host, "%s", binds[i]);
        assert_true(listen_address_resolve(&at, &address, why));
        assert_true(dns_server_start(&f->loop, &address, answer, f, &server, why));
        assert_answers_from(f, server, "127.0.0.2");
        if (binds[i][0] == '\0')
            assert_answers_from(f, server, "::1");
        dns_server_drop(server);
    }
}

static void test_answers_can_be_delayed(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(slow, 512);
    AUTO_BUF(fast, 512);
    AUTO_BUF(in, 4096);
    int fd = loopback_udp(f->port);
    dns_client_query(&slow, "a.test", DNS_TXT, 0);
    dns_client_query(&fast, "b.test", DNS_TXT, 0);
    f->delay_ms = 250;
    loopback_send(fd, slow.data, slow.len);
    while (f->asked < 1)
        uv_run(&f->loop, UV_RUN_ONCE);
    f->delay_ms = 0;
    loopback_send(fd, fast.data, fast.len);
    assert_true(loopback_read(&f->loop, fd, &in, 1));
    assert_answer(buf_bytes(&in), "NOERROR aa ra auth");
    buf_clear(&in);
    assert_true(loopback_read(&f->loop, fd, &in, 1));
    assert_answer(buf_bytes(&in), "NOERROR aa ra | a.test TXT 0 0178");
    f->delay_ms = 60000; /* what waits when the server goes is forgotten */
    loopback_send(fd, slow.data, slow.len);
    while (f->asked < 3)
        uv_run(&f->loop, UV_RUN_ONCE);
    close(fd);
}

static void frame(struct buf *out, const struct buf *query)
{
    dns_write_u16(out, (uint16_t)query->len);
    buf_append(out, query->data, query->len);
}

static void read_framed(struct fixture *f, int fd, struct buf *in, const char *expected)
{
    assert_true(loopback_read(&f->loop, fd, in, 2));
    size_t len = (size_t)(uint8_t)in->data[0] << 8 | (uint8_t)in->data[1];
    assert_true(loopback_read(&f->loop, fd, in, 2 + len));
    assert_answer(bytes_of(in->data + 2, len), expected);
    memmove(in->data, in->data + 2 + len, in->len - 2 - len);
    in->len -= 2 + len;
}

static void test_tcp_answers_several_queries(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(query, 512);
    AUTO_BUF(stream, 2048);
    AUTO_BUF(in, 4096);
    dns_client_query(&query, "a.test", DNS_TXT, 0);
    frame(&stream, &query);
    dns_client_query(&query, "b.test", DNS_TXT, 0);
    frame(&stream, &query);
    int fd = loopback_connect(f->port);
    for (size_t i = 0; i < stream.len; i++) { /* in single bytes */
        loopback_send(fd, stream.data + i, 1);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    read_framed(f, fd, &in, "NOERROR aa ra | a.test TXT 0 0178");
    read_framed(f, fd, &in, "NOERROR aa ra auth");
    loopback_send(fd, stream.data, stream.len); /* at once */
    read_framed(f, fd, &in, "NOERROR aa ra | a.test TXT 0 0178");
    read_framed(f, fd, &in, "NOERROR aa ra auth");
    close(fd);
}

static void test_tcp_answers_can_be_delayed(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(query, 512);
    AUTO_BUF(stream, 2048);
    AUTO_BUF(in, 4096);
    dns_client_query(&query, "a.test", DNS_TXT, 0);
    frame(&stream, &query);
    frame(&stream, &query);
    int fd = loopback_connect(f->port);
    f->delay_ms = 20;
    uint64_t start_ms = uv_hrtime() / 1000000;
    loopback_send(fd, stream.data, stream.len);
    read_framed(f, fd, &in, "NOERROR aa ra | a.test TXT 0 0178");
    read_framed(f, fd, &in, "NOERROR aa ra | a.test TXT 0 0178");
    assert_true(uv_hrtime() / 1000000 - start_ms >= 2 * 19);
    close(fd);
}

static void test_tcp_ends_what_is_no_query(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(in, 4096);
    int fd = loopback_connect(f->port);
    loopback_send(fd, "\0\x03xyz", 5);
    loopback_read_to_end(&f->loop, fd, &in);
    close(fd);
    assert_int_equal(in.len, 0);
}

static void test_taken_port_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_storage address = loopback_any();
    ((struct sockaddr_in *)&address)->sin_port = htons(f->port);
    struct dns_server *second = NULL;
    char why[LISTEN_WHY_SIZE];
    assert_false(dns_server_start(&f->loop, &address, answer, f, &second, why));
    assert_string_equal(why, "address already in use");
    assert_null(second);
}

static int bound_socket(int kind, const struct sockaddr_storage *address)
{
    int fd = socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    if (bind(fd, (const struct sockaddr *)address, sizeof(struct sockaddr_in)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A UDP socket on a port that is free for TCP: one that is free for UDP alone might belong to a connection elsewhere.
 */
static int take_udp_port(struct sockaddr_storage *out)
{
    for (;;) {
        struct sockaddr_storage any = loopback_any();
        socklen_t size = sizeof *out;
        int tcp = bound_socket(SOCK_STREAM, &any);
        assert_int_equal(getsockname(tcp, (struct sockaddr *)out, &size), 0);
        int udp = bound_socket(SOCK_DGRAM, out);
        close(tcp);
        if (udp >= 0)
            return udp;
    }
}

static void test_taken_udp_port_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_storage taken;
    int fd = take_udp_port(&taken);
    struct dns_server *second = NULL;
    char why[LISTEN_WHY_SIZE];
    assert_false(dns_server_start(&f->loop, &taken, answer, f, &second, why));
    assert_string_equal(why, "address already in use (UDP)");
    close(fd);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_udp),
        CASE(test_answers_come_from_the_address_that_was_asked),
        CASE(test_answers_can_be_delayed),
        CASE(test_tcp_answers_can_be_delayed),
        CASE(test_tcp_answers_several_queries),
        CASE(test_tcp_ends_what_is_no_query),
        CASE(test_taken_port_is_an_error),
        CASE(test_taken_udp_port_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
