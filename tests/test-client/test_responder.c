#include "test-client/responder.h"

#include "base/encode.h"
#include "test-client/dns_wire.h"

#include "tests/test-client/dns_client.h"
#include "tests/test-client/loopback.h"
#include "tests/test-client/tls_client.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    uv_loop_t loop;
    struct tc_responder *responder;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[TC_RESPONDER_WHY_SIZE];
    CHECK(f != NULL && uv_loop_init(&f->loop) == 0);
    const struct tc_responder_options options = {
        .http_port = TC_RESPONDER_ANY_PORT,
        .tls_port = TC_RESPONDER_ANY_PORT,
        .dns_port = TC_RESPONDER_ANY_PORT,
    };
    CHECK(tc_responder_start(&f->loop, &options, &f->responder, why));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tc_responder_drop(f->responder);
    loopback_end(&f->loop);
    free(f);
    return 0;
}

static struct tc_proof proof_of(enum acme_challenge_type type, const char *name, const char *token,
                                char key_authorization[static 64])
{
    snprintf(key_authorization, 64, "%s.print", token);
    return (struct tc_proof) { .type = type,
                               .name = name,
                               .token = token,
                               .key_authorization = key_authorization,
                               .account_url = "https://example.com/acme/acct/ExampleAccount",
                               .issuer = "ca.test" };
}

static bool add(struct fixture *f, enum acme_challenge_type type, const char *name, const char *token)
{
    char key_authorization[64];
    struct tc_proof proof = proof_of(type, name, token, key_authorization);
    return tc_responder_add(f->responder, &proof);
}

static void take_away(struct fixture *f, enum acme_challenge_type type, const char *name, const char *token)
{
    char key_authorization[64];
    struct tc_proof proof = proof_of(type, name, token, key_authorization);
    tc_responder_remove(f->responder, &proof);
}

static void get(struct fixture *f, const char *path, struct buf *out)
{
    AUTO_BUF(request, 1024);
    buf_printf(&request, "GET %s HTTP/1.1\r\nHost: www.example.test\r\nConnection: close\r\n\r\n", path);
    buf_clear(out);
    loopback_exchange(&f->loop, tc_responder_port(f->responder, CHALLENGE_HTTP_01), buf_str(&request), out);
}

static void test_http_01_answers_until_removed(void **state)
{
    struct fixture *f = *state;
    AUTO_BUF(out, 4096);
    assert_true(add(f, CHALLENGE_HTTP_01, "www.example.test", "token-1"));
    assert_true(add(f, CHALLENGE_HTTP_01, "www.example.test", "token-2"));
    get(f, "/.well-known/acme-challenge/token-1", &out);
    assert_non_null(strstr(buf_str(&out), "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(buf_str(&out), "\r\n\r\ntoken-1.print"));
    take_away(f, CHALLENGE_HTTP_01, "www.example.test", "token-1");
    get(f, "/.well-known/acme-challenge/token-1", &out);
    assert_non_null(strstr(buf_str(&out), "HTTP/1.1 404 Not Found\r\n"));
    get(f, "/.well-known/acme-challenge/token-2", &out);
    assert_non_null(strstr(buf_str(&out), "\r\n\r\ntoken-2.print"));
}

static void test_http_01_knows_no_other_path(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = { "/", "/token-1", "/.well-known/acme-challenge/",
                                         "/.well-known/acme-challenge/token-", "/.well-known/acme-challenge/token-11" };
    assert_true(add(f, CHALLENGE_HTTP_01, "www.example.test", "token-1"));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        AUTO_BUF(out, 4096);
        get(f, paths[i], &out);
        assert_non_null(strstr(buf_str(&out), "HTTP/1.1 404 Not Found\r\n"));
    }
}

static void assert_dns(struct fixture *f, const char *name, uint16_t type, const char *expected)
{
    AUTO_BUF(query, 512);
    AUTO_BUF(answer, 4096);
    AUTO_BUF(text, 4096);
    dns_client_query(&query, name, type, 0);
    int fd = loopback_udp(tc_responder_port(f->responder, CHALLENGE_DNS_01));
    loopback_send(fd, query.data, query.len);
    assert_true(loopback_read(&f->loop, fd, &answer, 1));
    close(fd);
    dns_client_text(buf_bytes(&answer), &text);
    assert_string_equal(buf_str(&text), expected);
}

/* base64url of the SHA-256 of "token-1.print" and of "token-2.print" behind a length byte, in hexadecimal */
#define TXT_1 "2b364c734a7967316c6436664f746e4f3269774d7168347a68514a57703137535575464b444e7757496b3955"
#define TXT_2 "2b68374150574641775f6d4d535f69765659734a6a36354e67536641774d484139315951416e56637138654d"

static void test_dns_01_answers_until_removed(void **state)
{
    struct fixture *f = *state;
    static const char owner[] = "_acme-challenge.www.example.test";
    assert_true(add(f, CHALLENGE_DNS_01, "www.example.test", "token-1"));
    assert_true(add(f, CHALLENGE_DNS_01, "*.www.example.test", "token-2"));
    assert_dns(f, owner, DNS_TXT,
               "NOERROR aa ra | _acme-challenge.www.example.test TXT 0 " TXT_1
               " | _acme-challenge.www.example.test TXT 0 " TXT_2);
    take_away(f, CHALLENGE_DNS_01, "www.example.test", "token-1");
    take_away(f, CHALLENGE_DNS_01, "www.example.test", "token-never");
    assert_dns(f, owner, DNS_TXT, "NOERROR aa ra | _acme-challenge.www.example.test TXT 0 " TXT_2);
    take_away(f, CHALLENGE_DNS_01, "*.www.example.test", "token-2");
    assert_dns(f, owner, DNS_TXT, "NOERROR aa ra auth");
}

/* The label is the draft's example for this account URL. */
static void test_dns_account_01_stands_at_the_accounts_label(void **state)
{
    struct fixture *f = *state;
    static const char owner[] = "_ujmmovf2vn55tgye._acme-challenge.www.example.test";
    assert_true(add(f, CHALLENGE_DNS_ACCOUNT_01, "*.www.example.test", "token-1"));
    assert_dns(f, owner, DNS_TXT, "NOERROR aa ra | _ujmmovf2vn55tgye._acme-challenge.www.example.test TXT 0 " TXT_1);
    take_away(f, CHALLENGE_DNS_ACCOUNT_01, "www.example.test", "token-1");
    assert_dns(f, owner, DNS_TXT, "NOERROR aa ra auth");
}

static void assert_persistent(struct fixture *f, const char *value)
{
    AUTO_BUF(expected, 1024);
    buf_text(&expected, "NOERROR aa ra");
    if (value != NULL) {
        buf_printf(&expected, " | _validation-persist.www.example.test TXT 0 %02zx", strlen(value));
        buf_hex(&expected, bytes_text(value));
    } else {
        buf_text(&expected, " auth");
    }
    assert_dns(f, "_validation-persist.www.example.test", DNS_TXT, buf_str(&expected));
}

static void test_dns_persist_01_names_issuer_account_and_policy(void **state)
{
    struct fixture *f = *state;
    struct tc_proof proof = { .type = CHALLENGE_DNS_PERSIST_01,
                              .name = "www.example.test",
                              .account = "https://ca.test/acct/1",
                              .issuer = "ca.test" };
    assert_true(tc_responder_add(f->responder, &proof));
    assert_persistent(f, "ca.test; accounturi=https://ca.test/acct/1");
    tc_responder_remove(f->responder, &proof);
    proof.wildcard = true;
    assert_true(tc_responder_add(f->responder, &proof));
    assert_persistent(f, "ca.test; accounturi=https://ca.test/acct/1; policy=wildcard");
    tc_responder_remove(f->responder, &proof);
    assert_persistent(f, NULL);
    proof.more = "; persistUntil=1";
    assert_true(tc_responder_add(f->responder, &proof));
    assert_persistent(f, "ca.test; accounturi=https://ca.test/acct/1; policy=wildcard; persistUntil=1");
    tc_responder_remove(f->responder, &proof);
    proof.issuer = NULL;
    assert_false(tc_responder_add(f->responder, &proof));
}

static bool listens_on_ipv6(struct fixture *f, enum acme_challenge_type type)
{
    struct sockaddr_in6 address = { .sin6_family = AF_INET6,
                                    .sin6_port = htons(tc_responder_port(f->responder, type)),
                                    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    if (fd >= 0)
        close(fd);
    return connected;
}

/* Whether there is IPv6 here at all is the machine's business; what DNS says must be so in any case. */
static bool has_ipv6(struct fixture *f)
{
    return listens_on_ipv6(f, CHALLENGE_HTTP_01) && listens_on_ipv6(f, CHALLENGE_DNS_01) &&
           listens_on_ipv6(f, CHALLENGE_TLS_ALPN_01);
}

static void test_dns_leads_every_name_to_the_responder(void **state)
{
    struct fixture *f = *state;
    assert_dns(f, "any.example.test", DNS_A, "NOERROR aa ra | any.example.test A 0 7f000001");
    assert_dns(f, "any.example.test", DNS_AAAA,
               has_ipv6(f) ? "NOERROR aa ra | any.example.test AAAA 0 00000000000000000000000000000001"
                           : "NOERROR aa ra auth");
}

static bool shows_certificate(struct fixture *f, const char *name)
{
    AUTO_TYPE(X509)
    leaf = tls_client_leaf(&f->loop, tc_responder_port(f->responder, CHALLENGE_TLS_ALPN_01), name, "\012acme-tls/1");
    return leaf != NULL;
}

static void test_tls_alpn_01_answers_until_removed(void **state)
{
    struct fixture *f = *state;
    assert_false(shows_certificate(f, "www.example.test"));
    assert_true(add(f, CHALLENGE_TLS_ALPN_01, "www.example.test", "token-1"));
    assert_true(shows_certificate(f, "www.example.test"));
    take_away(f, CHALLENGE_TLS_ALPN_01, "www.example.test", "token-1");
    assert_false(shows_certificate(f, "www.example.test"));
}

static void test_names_that_are_none(void **state)
{
    struct fixture *f = *state;
    assert_false(add(f, CHALLENGE_DNS_01, "a..b", "t"));
    assert_false(add(f, CHALLENGE_TLS_ALPN_01, "a..b", "t"));
}

static void test_types_that_are_off(void **state)
{
    struct fixture *f = *state;
    tc_responder_drop(f->responder);
    const struct tc_responder_options options = { .http_port = 0 };
    char why[TC_RESPONDER_WHY_SIZE];
    assert_true(tc_responder_start(&f->loop, &options, &f->responder, why));
    for (enum acme_challenge_type type = 0; type < CHALLENGE_TYPES; type++) {
        assert_int_equal(tc_responder_port(f->responder, type), 0);
        assert_false(add(f, type, "www.example.test", "t"));
        take_away(f, type, "www.example.test", "t");
    }
}

static void test_taken_port_is_named(void **state)
{
    struct fixture *f = *state;
    uint16_t port = tc_responder_port(f->responder, CHALLENGE_HTTP_01);
    const struct tc_responder_options options = { .http_port = port };
    struct tc_responder *second = NULL;
    char why[TC_RESPONDER_WHY_SIZE], expected[TC_RESPONDER_WHY_SIZE];
    assert_false(tc_responder_start(&f->loop, &options, &second, why));
    snprintf(expected, sizeof expected, "cannot listen for HTTP on 127.0.0.1:%u: address already in use", port);
    assert_string_equal(why, expected);
    assert_null(second);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_http_01_answers_until_removed),
        CASE(test_http_01_knows_no_other_path),
        CASE(test_dns_01_answers_until_removed),
        CASE(test_dns_account_01_stands_at_the_accounts_label),
        CASE(test_dns_persist_01_names_issuer_account_and_policy),
        CASE(test_dns_leads_every_name_to_the_responder),
        CASE(test_tls_alpn_01_answers_until_removed),
        CASE(test_names_that_are_none),
        CASE(test_types_that_are_off),
        CASE(test_taken_port_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
