#include "tests/validators/hostile.h"
#include "tests/validators/tls_server.h"

#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>

enum act { TLS, CHAIN, SEND, HANG, RESET, TRICKLE, FLOOD, DEAF, CLOSED };
struct row {
    struct hostile_expect expect;
    enum act act;
    struct tls_script script; /* "@" in names stands for the row's own name */
    const char *text;         /* else these bytes */
    size_t len;
};

enum { CHAIN_LENGTH = 400, NAMES_SIZE = 300 };
#define TEXT(literal) .text = literal, .len = sizeof(literal) - 1
#define FAILS(what, problem, detail)                                                                                   \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, false                                                          \
    }
#define SLOW(what, problem, detail)                                                                                    \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, true                                                           \
    }
#define PASSES(what)                                                                                                   \
    {                                                                                                                  \
        what, HOSTILE_PASSES, 0, NULL, false                                                                           \
    }
#define ALPN       "acme-tls/1"
#define RIGHT      ALPN, "DNS:@", TLS_RIGHT
#define FLAW(flaw) ALPN, "DNS:@", flaw

static const struct row rows[] = {
    /* connections */
    { FAILS("nobody listens", CONNECTION, ": connection refused while connecting for tls-alpn-01"), .act = CLOSED },
    { FAILS("resets", TLS, " failed: "), .act = RESET },
    { FAILS("ends at once", TLS, " failed: "), .act = SEND },
    { FAILS("ends within the handshake", TLS, " failed: "), .act = SEND, TEXT("\x16\x03\x03\x40") },
    { SLOW("never reads", TLS, " failed: timeout during the handshake"), .act = DEAF },
    { SLOW("reads and never answers", TLS, " failed: timeout during the handshake"), .act = HANG },
    { SLOW("hangs within a record", TLS, "timeout during the handshake"), .act = HANG, TEXT("\x16\x03\x03\x40\0\x02") },
    { SLOW("a record byte for byte", TLS, "timeout during the handshake"), .act = TRICKLE,
      TEXT("\x16\x03\x03\x02\x02\x02\0\0\x16\x03\x03\x02\x02") },
    /* what is no TLS */
    { FAILS("an HTTP server", TLS, " failed: wrong version number"), .act = SEND,
      TEXT("HTTP/1.1 400 Bad Request\r\n\r\n") },
    { FAILS("an SSH server", TLS, " failed: wrong version number"), .act = SEND, TEXT("SSH-2.0-OpenSSH_9.2p1\r\n") },
    { FAILS("zero bytes without end", TLS, " failed: "), .act = FLOOD, TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
    { FAILS("records without content", TLS, " failed: "), .act = FLOOD, TEXT("\x16\x03\x03\0\0") },
    { FAILS("warnings without end", TLS, " failed: "), .act = FLOOD, TEXT("\x15\x03\x03\0\2\1\x70") },
    { FAILS("a record that is too long", TLS, " failed: "), .act = SEND,
      TEXT("\x16\x03\x03\xff\xff\x02\0\0\0\0\0\0\0") },
    { FAILS("a greeting of a million bytes", TLS, " failed: "), .act = FLOOD,
      TEXT("\x16\x03\x03\x40\0\x02\xff\xff\xff") },
    { FAILS("an alert", TLS, "alert handshake failure"), .act = SEND, TEXT("\x15\x03\x03\0\2\2\x28") },
    { FAILS("a name it does not know", TLS, "unrecognized name"), .act = SEND, TEXT("\x15\x03\x03\0\2\2\x70") },
    { FAILS("the end before the beginning", TLS, " failed: "), .act = SEND, TEXT("\x15\x03\x03\0\2\1\0") },
    { FAILS("TLS 1.1 only", TLS, " failed: "), TLS, { RIGHT, TLS1_1_VERSION }, NULL, 0 },
    { FAILS("a chain of certificates that is too long", TLS, " failed: "), CHAIN, { RIGHT, 0 }, NULL, 0 },
    /* ALPN */
    { FAILS("no ALPN", UNAUTHORIZED, "chose ALPN \"\"; it should choose acme-tls/1"),
      TLS,
      { NULL, "DNS:@", TLS_RIGHT, 0 },
      NULL,
      0 },
    { FAILS("ALPN refused", TLS, "alert no application protocol"), TLS, { "!", "DNS:@", TLS_RIGHT, 0 }, NULL, 0 },
    { FAILS("ALPN that was not offered", TLS, " failed: "), TLS, { "http/1.1", "DNS:@", TLS_RIGHT, 0 }, NULL, 0 },
    { FAILS("ALPN that differs in case", TLS, " failed: "), TLS, { "ACME-TLS/1", "DNS:@", TLS_RIGHT, 0 }, NULL, 0 },
    /* names */
    { PASSES("TLS 1.2"), TLS, { RIGHT, TLS1_2_VERSION }, NULL, 0 },
    { PASSES("TLS 1.3"), TLS, { RIGHT, TLS1_3_VERSION }, NULL, 0 },
    { PASSES("expired: no matter"), TLS, { FLAW(TLS_EXPIRED), 0 }, NULL, 0 },
    { FAILS("no names", UNAUTHORIZED, " alone, but is none"), TLS, { ALPN, NULL, TLS_RIGHT, 0 }, NULL, 0 },
    { FAILS("another name", UNAUTHORIZED, " alone, but is dns:other.test"),
      TLS,
      { ALPN, "DNS:other.test", 0, 0 },
      NULL,
      0 },
    { FAILS("a name more", UNAUTHORIZED, ", dns:other.test"), TLS, { ALPN, "DNS:@,DNS:other.test", 0, 0 }, NULL, 0 },
    { FAILS("the name twice", UNAUTHORIZED, " alone, but is dns:"), TLS, { ALPN, "DNS:@,DNS:@", 0, 0 }, NULL, 0 },
    { FAILS("an address more", UNAUTHORIZED, "ip:127.0.0.1"), TLS, { ALPN, "DNS:@,IP:127.0.0.1", 0, 0 }, NULL, 0 },
    { FAILS("a mail address more", UNAUTHORIZED, "a name of type 1"),
      TLS,
      { ALPN, "DNS:@,email:a@b.test", 0, 0 },
      NULL,
      0 },
    { FAILS("a URI for a name", UNAUTHORIZED, "a name of type 6"), TLS, { ALPN, "URI:http://@/", 0, 0 }, NULL, 0 },
    { FAILS("a wildcard", UNAUTHORIZED, "dns:*.test"), TLS, { ALPN, "DNS:*.test", 0, 0 }, NULL, 0 },
    { FAILS("the name and a dot", UNAUTHORIZED, ".test."), TLS, { ALPN, "DNS:@.", 0, 0 }, NULL, 0 },
    { FAILS("the name extension twice", UNAUTHORIZED, "it has the extension 2.5.29.17 more than once"),
      TLS,
      { FLAW(TLS_TWO_NAME_EXTENSIONS), 0 },
      NULL,
      0 },
    /* the digest */
    { FAILS("no digest", UNAUTHORIZED, "lacks the acmeIdentifier extension"),
      TLS,
      { FLAW(TLS_NO_EXTENSION), 0 },
      NULL,
      0 },
    { FAILS("not critical", UNAUTHORIZED, "acmeIdentifier extension is not critical"),
      TLS,
      { FLAW(TLS_NOT_CRITICAL), 0 },
      NULL,
      0 },
    { FAILS("another digest", UNAUTHORIZED, "is not the SHA-256 of the key authorization"),
      TLS,
      { FLAW(TLS_WRONG_DIGEST), 0 },
      NULL,
      0 },
    { FAILS("a short digest", UNAUTHORIZED, "not an OCTET STRING of 32 bytes"),
      TLS,
      { FLAW(TLS_SHORT_DIGEST), 0 },
      NULL,
      0 },
    { FAILS("a long digest", UNAUTHORIZED, "not an OCTET STRING of 32 bytes"),
      TLS,
      { FLAW(TLS_LONG_DIGEST), 0 },
      NULL,
      0 },
    { FAILS("bytes behind the digest", UNAUTHORIZED, "not an OCTET STRING of 32 bytes"),
      TLS,
      { FLAW(TLS_MORE_BEHIND_DIGEST), 0 },
      NULL,
      0 },
    { FAILS("a digest of another type", UNAUTHORIZED, "not an OCTET STRING of 32 bytes"),
      TLS,
      { FLAW(TLS_DIGEST_OF_OTHER_TYPE), 0 },
      NULL,
      0 },
    { FAILS("the digest twice", UNAUTHORIZED, "it has the extension 1.3.6.1.5.5.7.1.31 more than once"),
      TLS,
      { FLAW(TLS_DOUBLE_EXTENSION), 0 },
      NULL,
      0 },
    /* the signature */
    { FAILS("signed by another key", UNAUTHORIZED, "it is not self-signed"),
      TLS,
      { FLAW(TLS_NOT_SELF_SIGNED), 0 },
      NULL,
      0 },
    { FAILS("another issuer's name", UNAUTHORIZED, "it is not self-signed"),
      TLS,
      { FLAW(TLS_OTHER_ISSUER_NAME), 0 },
      NULL,
      0 },
    { FAILS("a broken signature", UNAUTHORIZED, "it is not self-signed"),
      TLS,
      { FLAW(TLS_BROKEN_SIGNATURE), 0 },
      NULL,
      0 },
};

static bool listens(const void *row)
{
    return ((const struct row *)row)->act != CLOSED;
}

static void fill_names(const struct row *row, char out[static NAMES_SIZE])
{
    char *p = out, *end = out + NAMES_SIZE;
    for (const char *c = row->script.names; *c != '\0'; c++)
        p += *c == '@' ? snprintf(p, (size_t)(end - p), "%td.test", row - rows)
                       : snprintf(p, (size_t)(end - p), "%c", *c);
}

static void serve_tls(const struct row *row, int fd)
{
    char names[NAMES_SIZE];
    struct tls_script script = row->script;
    if (script.names != NULL) {
        fill_names(row, names);
        script.names = names;
    }
    SSL_CTX *context = tls_server_context(&script);
    for (int i = 0; row->act == CHAIN && i < CHAIN_LENGTH; i++)
        SSL_CTX_add1_chain_cert(context, SSL_CTX_get0_certificate(context));
    SSL *tls = SSL_new(context);
    SSL_set_fd(tls, fd);
    (void)!SSL_accept(tls);
    hostile_wait(fd);
    SSL_free(tls);
    SSL_CTX_free(context);
}

static void serve(const void *arg, int fd)
{
    const struct row *row = arg;
    char hello[2048];
    if (row->act == TLS || row->act == CHAIN) {
        serve_tls(row, fd);
    } else if (row->act == DEAF) {
        hostile_wait_unread(fd);
    } else if (recv(fd, hello, sizeof hello, 0) > 0) {
        if (row->act == FLOOD)
            hostile_send_again_and_again(fd, row->text, row->len);
        else if (row->act == TRICKLE)
            hostile_trickle(fd, row->text, row->len);
        else if (row->text != NULL)
            hostile_send(fd, row->text, row->len);
        if (row->act == HANG)
            hostile_wait(fd);
        if (row->act == RESET)
            hostile_reset(fd);
    }
}

static void run(bool slow)
{
    const struct hostile_table table = { rows, ARRAY_SIZE(rows), sizeof rows[0], serve, listens };
    struct hostile_stage *stage = hostile_start(&table);
    struct validators_options options = test_options();
    options.hosts = hostile_hosts(stage);
    options.host_count = table.count;
    options.tls_port = hostile_port(stage);
    if (slow)
        options.connect_timeout_ms = 200;
    hostile_judge(&table, &options, CHALLENGE_TLS_ALPN_01, slow);
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
    signal(SIGPIPE, SIG_IGN); /* SSL_accept writes */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
