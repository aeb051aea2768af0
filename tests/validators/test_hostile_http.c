#include "tests/validators/hostile.h"

#include <stdio.h>
#include <sys/socket.h>

enum act { SEND, HANG, RESET, END, TRICKLE, FLOOD, DEAF, CLOSED };
struct row {
    struct hostile_expect expect;
    enum act act;
    const char *text; /* sent first */
    size_t len;
    const char *again; /* then this, again and again */
};

#define TEXT(literal) literal, sizeof(literal) - 1
#define FAILS(what, problem, detail)                                                                                   \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, false                                                          \
    }
#define SLOW(what, problem, detail)                                                                                    \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, true                                                           \
    }
#define PASSES(what, trace)                                                                                            \
    {                                                                                                                  \
        what, HOSTILE_PASSES, 0, trace, false                                                                          \
    }
#define OK              "HTTP/1.1 200 OK\r\n"
#define MOVED(location) "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " location "\r\n\r\n"
#define K               KEY_AUTHORIZATION
#define X16             "xxxxxxxxxxxxxxxx"
#define X256            X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16
#define X2048           X256 X256 X256 X256 X256 X256 X256 X256

static const struct row rows[] = {
    /* connections */
    { FAILS("nobody listens", CONNECTION, ": connection refused while fetching http://"), CLOSED, NULL, 0, NULL },
    { FAILS("ends without reading", CONNECTION, ": the connection "), END, NULL, 0, NULL },
    { FAILS("resets after the request", CONNECTION, ": the connection broke"), RESET, NULL, 0, NULL },
    { FAILS("resets within the body", CONNECTION, ": the connection broke"), RESET,
      TEXT(OK "Content-Length: 87\r\n\r\nxx"), NULL },
    { FAILS("ends after the request", CONNECTION, ": the connection was closed without an answer"), SEND, NULL, 0,
      NULL },
    { SLOW("reads and never answers", CONNECTION, ": timeout while waiting for the answer"), HANG, NULL, 0, NULL },
    { SLOW("never reads", CONNECTION, ": timeout while waiting for the answer"), DEAF, NULL, 0, NULL },
    { SLOW("hangs within the status line", CONNECTION, ": timeout while waiting for the answer"), HANG,
      TEXT("HTTP/1.1 2"), NULL },
    { SLOW("hangs within the header", CONNECTION, ": timeout while waiting"), HANG, TEXT(OK "Content-"), NULL },
    { SLOW("hangs within the body", CONNECTION, ": timeout while waiting"), HANG,
      TEXT(OK "Content-Length: 87\r\n\r\neva"), NULL },
    { SLOW("right body, then no end", CONNECTION, ": timeout while waiting"), HANG, TEXT(OK "\r\n" K), NULL },
    { SLOW("header byte for byte", CONNECTION, ": timeout while waiting"), TRICKLE, TEXT(OK), "X-Slow: 1\r\n" },
    { SLOW("body byte for byte", CONNECTION, ": timeout while waiting"), TRICKLE,
      TEXT(OK "Content-Length: 60000\r\n\r\n"), "e" },
    { SLOW("a chunk extension byte for byte", CONNECTION, ": timeout while waiting"), TRICKLE,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n1;"), "x" },
    { SLOW("a chunk extension without end", CONNECTION, ": timeout while waiting"), FLOOD,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n1;"), X256 },
    /* too much */
    { FAILS("a header line without end", CONNECTION, ": the answer's header is too long"), FLOOD, TEXT(OK "X: "),
      X256 },
    { FAILS("headers without end", CONNECTION, ": the answer's header is too long"), FLOOD, TEXT(OK),
      "X-Header: " X256 "\r\n" },
    { FAILS("a status line without end", CONNECTION, ": the answer's header is too long"), FLOOD, TEXT("HTTP/1.1 200 "),
      X256 },
    { FAILS("provisional answers without end", CONNECTION, ": the answer's header is too long"), FLOOD, NULL, 0,
      "HTTP/1.1 100 Continue\r\n\r\n" },
    { FAILS("trailers without end", CONNECTION, ": the answer's header is too long"), FLOOD,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n"), "X-Trailer: " X256 "\r\n" },
    { FAILS("a body without end", UNAUTHORIZED, "with more than 128 bytes, \"xxxx"), FLOOD, TEXT(OK "\r\n"), X256 },
    { FAILS("chunks without end", UNAUTHORIZED, "with more than 128 bytes"), FLOOD,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n"), "10\r\n" X16 "\r\n" },
    { FAILS("the right body and much behind it", UNAUTHORIZED, "with more than 128 bytes, \"eva"), FLOOD,
      TEXT(OK "\r\n" K), X256 },
    { FAILS("no status, and no end", CONNECTION, "it begins with \"xxxxxxxx"), FLOOD, NULL, 0, X256 },
    /* lengths and codings */
    { FAILS("shorter than it says", CONNECTION, ": the connection broke"), SEND,
      TEXT(OK "Content-Length: 200\r\n\r\n" K), NULL },
    { FAILS("a chunk size that is none", CONNECTION, ": the answer's chunks are malformed"), SEND,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\nzz\r\n" K "\r\n0\r\n\r\n"), NULL },
    { FAILS("a chunk size that overflows", CONNECTION, ": the answer's chunks are malformed"), SEND,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" K), NULL },
    { FAILS("chunks that end early", CONNECTION, ": the connection broke"), SEND,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n57\r\neva"), NULL },
    { PASSES("the right body in chunks", "\"status\":200"), SEND,
      TEXT(OK "Transfer-Encoding: chunked\r\n\r\n2b\r\n" TOKEN
              "\r\n2c\r\n.9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI\r\n0\r\n\r\n"),
      NULL },
    { FAILS("compressed content", UNAUTHORIZED, "compressed with gzip, which was not asked for"), SEND,
      TEXT(OK "Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0\0\0"), NULL },
    { FAILS("compressed with zstd", UNAUTHORIZED, "compressed with zstd"), SEND,
      TEXT(OK "Content-Encoding: zstd\r\n\r\n\x28\xb5\x2f\xfd\x04"), NULL },
    { FAILS("compressed transfer", CONNECTION, ": the answer has an encoding that was not asked for"), SEND,
      TEXT(OK "Transfer-Encoding: br\r\n\r\n" K), NULL },
    /* what is no HTTP/1.1 */
    { FAILS("HTTP/2 without being asked", CONNECTION, ": the server speaks HTTP/2 while fetching http://"), SEND,
      TEXT("\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x80\0\4\0\1\0\0\0\5\0\xff\xff\xff"), NULL },
    { FAILS("HTTP/2 in the status line", CONNECTION, ": the server speaks HTTP/2"), SEND, TEXT("HTTP/2 200\r\n\r\n" K),
      NULL },
    { FAILS("an SSH server", CONNECTION, "the answer is not HTTP/1.1 while fetching"), SEND,
      TEXT("SSH-2.0-OpenSSH_9.2p1\r\n"), NULL },
    { FAILS("a TLS server", CONNECTION, "it begins with \"\\x15\\x03\\x03"), SEND, TEXT("\x15\x03\x03\0\2\2\x46"),
      NULL },
    { FAILS("the right body without a status", CONNECTION, "it begins with \"eva"), SEND, TEXT(K), NULL },
    { FAILS("a greeting of SMTP", CONNECTION, "it begins with \"220 mail"), SEND, TEXT("220 mail.test ESMTP\r\n"),
      NULL },
    /* statuses */
    { FAILS("404", UNAUTHORIZED, "answered 404 \"not here\"; it should answer 200"), SEND,
      TEXT("HTTP/1.1 404 Not Found\r\n\r\nnot here"), NULL },
    { FAILS("404 with the right body", UNAUTHORIZED, "answered 404"), SEND, TEXT("HTTP/1.1 404 Not Found\r\n\r\n" K),
      NULL },
    { FAILS("500", UNAUTHORIZED, "answered 500"), SEND, TEXT("HTTP/1.1 500 Oops\r\n\r\n"), NULL },
    { FAILS("401", UNAUTHORIZED, "answered 401"), SEND,
      TEXT("HTTP/1.1 401 Who\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"), NULL },
    { FAILS("206 with the right body", UNAUTHORIZED, "answered 206"), SEND, TEXT("HTTP/1.1 206 Part\r\n\r\n" K), NULL },
    { FAILS("204", UNAUTHORIZED, "answered 204"), SEND, TEXT("HTTP/1.1 204 Nothing\r\n\r\n"), NULL },
    { FAILS("a status nobody knows", UNAUTHORIZED, "answered 799"), SEND, TEXT("HTTP/1.1 799 What\r\n\r\n" K), NULL },
    { PASSES("a provisional answer first", "\"status\":200"), SEND,
      TEXT("HTTP/1.1 103 Early Hints\r\nLocation: http://other.test/\r\n\r\n" OK "\r\n" K), NULL },
    /* bodies */
    { PASSES("white space behind", NULL), SEND, TEXT(OK "\r\n" K " \t\r\n\n"), NULL },
    { FAILS("nothing", UNAUTHORIZED, "answered 200 with \"\""), SEND, TEXT(OK "Content-Length: 0\r\n\r\n"), NULL },
    { FAILS("white space in front", UNAUTHORIZED, "answered 200 with \" eva"), SEND, TEXT(OK "\r\n " K), NULL },
    { FAILS("the token alone", UNAUTHORIZED, "answered 200 with \"" TOKEN "\""), SEND, TEXT(OK "\r\n" TOKEN), NULL },
    { FAILS("one byte more", UNAUTHORIZED, "it should answer with the key authorization \"eva"), SEND,
      TEXT(OK "\r\n" K "x"), NULL },
    { FAILS("a zero byte behind", UNAUTHORIZED, "mqTI\\x00\""), SEND, TEXT(OK "\r\n" K "\0"), NULL },
    { FAILS("bytes that terminals obey", UNAUTHORIZED, "\"\\x1b[2J\\x07\""), SEND, TEXT(OK "\r\n\x1b[2J\x07"), NULL },
    { FAILS("a page", UNAUTHORIZED, "answered 200 with \"<html>"), SEND,
      TEXT(OK "Content-Type: text/html\r\n\r\n<html><script>alert(1)</script></html>"), NULL },
    /* redirects */
    { FAILS("a redirect without a target", CONNECTION, "redirects to \"\": it names no Location"), SEND,
      TEXT("HTTP/1.1 302 Found\r\n\r\n"), NULL },
    { FAILS("303", CONNECTION, "answered 303, which is not followed"), SEND,
      TEXT("HTTP/1.1 303 See\r\nLocation: /x\r\n\r\n"), NULL },
    { FAILS("300", UNAUTHORIZED, "answered 300"), SEND, TEXT("HTTP/1.1 300 Many\r\nLocation: /x\r\n\r\n"), NULL },
    { FAILS("a redirect to itself", CONNECTION, ": the redirects lead back to http://"), SEND,
      TEXT(MOVED(CHALLENGE_PATH)), NULL },
    { FAILS("redirects that grow", CONNECTION, "redirects once more; 10 redirects are followed at most"), SEND,
      TEXT(MOVED("x/y")), NULL },
    { FAILS("to a file", CONNECTION, "only http and https are followed"), SEND, TEXT(MOVED("file:///etc/passwd")),
      NULL },
    { FAILS("to gopher", CONNECTION, "only http and https are followed"), SEND, TEXT(MOVED("gopher://a.test/_x")),
      NULL },
    { FAILS("to another port", CONNECTION, "port 25 is not one of"), SEND, TEXT(MOVED("http://a.test:25/")), NULL },
    { FAILS("with a password", CONNECTION, "it cannot be read as a URL"), SEND, TEXT(MOVED("http://a:b@a.test/")),
      NULL },
    { FAILS("with a zero byte in it", CONNECTION, NULL), SEND, TEXT(MOVED("http://10.0.0.1\0.test/")), NULL },
    { FAILS("a very long one", CONNECTION, "it is longer than 2047 bytes"), SEND, TEXT(MOVED("http://a.test/" X2048)),
      NULL },
    { FAILS("to a private address", CONNECTION,
            "10.0.0.1: this server does not connect to 10.0.0.1, which is an address of private networks"),
      SEND, TEXT(MOVED("http://10.0.0.1/")), NULL },
    { FAILS("to cloud metadata", CONNECTION, "169.254.169.254, which is an address of cloud metadata"), SEND,
      TEXT(MOVED("http://169.254.169.254/latest/")), NULL },
    { FAILS("to a mapped address", CONNECTION, "an IPv4 address inside an IPv6 address"), SEND,
      TEXT(MOVED("http://[::ffff:127.0.0.1]/")), NULL },
    { FAILS("to a decimal host", CONNECTION, "10.0.0.1: this server does not connect"), SEND,
      TEXT(MOVED("http://167772161/")), NULL },
    { FAILS("to an octal host", CONNECTION, "10.0.0.1: this server does not connect"), SEND,
      TEXT(MOVED("http://012.0.0.1/")), NULL },
    { FAILS("to a hexadecimal host", CONNECTION, "10.0.0.1: this server does not connect"), SEND,
      TEXT(MOVED("http://0x0a000001/")), NULL },
    { FAILS("to a name without an address", DNS, "none.test: dns.hosts gives this name no address"), SEND,
      TEXT(MOVED("http://none.test/")), NULL },
};

static bool listens(const void *row)
{
    return ((const struct row *)row)->act != CLOSED;
}

static void read_request(int fd)
{
    char request[4096];
    size_t len = 0;
    ssize_t got = 1;
    request[0] = '\0';
    while (got > 0 && len < sizeof request - 1 && strstr(request, "\r\n\r\n") == NULL) {
        got = recv(fd, request + len, sizeof request - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
        request[len] = '\0';
    }
}

static void serve(const void *arg, int fd)
{
    const struct row *row = arg;
    if (row->act == END)
        return;
    if (row->act == DEAF) {
        hostile_wait_unread(fd);
        return;
    }
    read_request(fd);
    if (row->text != NULL)
        hostile_send(fd, row->text, row->len);
    if (row->act == HANG)
        hostile_wait(fd);
    else if (row->act == TRICKLE)
        hostile_trickle(fd, row->again, strlen(row->again));
    else if (row->act == FLOOD)
        hostile_send_again_and_again(fd, row->again, strlen(row->again));
    else if (row->act == RESET)
        hostile_reset(fd);
}

static void run(bool slow)
{
    const struct hostile_table table = { rows, ARRAY_SIZE(rows), sizeof rows[0], serve, listens };
    struct hostile_stage *stage = hostile_start(&table);
    struct validators_options options = test_options();
    struct validators_host hosts[ARRAY_SIZE(rows) + 1];
    memcpy(hosts, hostile_hosts(stage), sizeof rows / sizeof rows[0] * sizeof hosts[0]);
    hosts[ARRAY_SIZE(rows)] = (struct validators_host) { "none.test", NULL, 0 };
    options.hosts = hosts;
    options.host_count = ARRAY_SIZE(hosts);
    options.http_port = hostile_port(stage);
    if (slow)
        options.total_timeout_ms = 250;
    hostile_judge(&table, &options, CHALLENGE_HTTP_01, slow);
    hostile_stop(stage);
}

static void targets_that_answer(void **state)
{
    (void)state;
    run(false);
}

static void targets_that_do_not_come_to_an_end(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_that_answer),
        cmocka_unit_test(targets_that_do_not_come_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
