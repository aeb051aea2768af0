/* Signed zones as a validating resolver sees them. */
#include "tests/test-client/challtestsrv_program.h"
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <unbound.h>

struct resolver {
    struct program program;
    struct fixture f; /* for orders */
    struct ub_ctx *context;
};

static uint16_t dns_port(const struct resolver *r)
{
    return program_port(&r->program, "DNS over UDP and TCP on ");
}

/* "Trust anchor: NAME. IN DS …" */
static void trust(struct resolver *r)
{
    static const char words[] = "Trust anchor: ";
    for (const char *at = buf_str(&r->program.said); (at = strstr(at, words)) != NULL;) {
        at += sizeof words - 1;
        AUTO_BUF(anchor, 1024);
        buf_append(&anchor, at, strcspn(at, "\n"));
        assert_int_equal(ub_ctx_add_ta(r->context, buf_str(&anchor)), 0);
    }
}

static void create_context(struct resolver *r)
{
    char forwarder[32];
    snprintf(forwarder, sizeof forwarder, "127.0.0.1@%u", dns_port(r));
    r->context = ub_ctx_create();
    assert_non_null(r->context);
    assert_int_equal(ub_ctx_set_option(r->context, "do-not-query-localhost:", "no"), 0);
    assert_int_equal(ub_ctx_set_fwd(r->context, forwarder), 0);
    trust(r);
}

static void start(struct resolver *r, const char *zones)
{
    const char *const words[] = { "-http01",
                                  "",
                                  "-https01",
                                  "",
                                  "-tlsalpn01",
                                  "",
                                  "-dnsserver",
                                  "127.0.0.1:0",
                                  "-signed-zones",
                                  zones,
                                  "-management",
                                  "127.0.0.1:0",
                                  NULL };
    *r = (struct resolver) { 0 };
    program_start(&r->program, words);
    program_wait_for(&r->program, "Starting management server on ");
    r->f.management = program_port(&r->program, "Starting management server on ");
    create_context(r);
}

static void stop(struct resolver *r)
{
    ub_ctx_delete(r->context);
    kill(r->program.pid, SIGTERM);
    assert_int_equal(program_end(&r->program), 0);
}

static int set_up(void **state)
{
    struct resolver *r = calloc(1, sizeof *r);
    assert_non_null(r);
    start(r, "signed.example,other.example");
    *state = r;
    return 0;
}

static int tear_down(void **state)
{
    struct resolver *r = *state;
    stop(r);
    free(r);
    return 0;
}

/* "secure 2 records", "bogus", "insecure NXDOMAIN" … */
static void assert_resolves(struct resolver *r, const char *name, int type, const char *expected)
{
    struct ub_result *result;
    char text[64];
    assert_int_equal(ub_resolve(r->context, name, type, 1, &result), 0);
    int count = 0;
    while (result->havedata && result->data[count] != NULL)
        count++;
    const char *trusted = result->secure ? "secure" : result->bogus ? "bogus" : "insecure";
    if (result->bogus)
        snprintf(text, sizeof text, "%s", trusted);
    else if (result->rcode == 3)
        snprintf(text, sizeof text, "%s NXDOMAIN", trusted);
    else
        snprintf(text, sizeof text, "%s %d", trusted, count);
    if (strcmp(text, expected) != 0)
        fail_msg("%s %d: %s, expected %s (%s)", name, type, text, expected,
                 result->why_bogus != NULL ? result->why_bogus : "");
    ub_resolve_free(result);
}

static void test_what_is_there_is_secure(void **state)
{
    struct resolver *r = *state;
    assert_done(&r->f, "/set-txt", "{\"host\":\"a.signed.example\",\"value\":\"y\"}");
    assert_done(&r->f, "/set-txt", "{\"host\":\"a.signed.example\",\"value\":\"x\",\"ttl\":300}");
    assert_resolves(r, "A.signed.example", DNS_A, "secure 1");
    assert_resolves(r, "a.Signed.example", DNS_TXT, "secure 2");
    assert_resolves(r, "signed.example", DNS_SOA, "secure 1");
    assert_resolves(r, "signed.example", DNS_DNSKEY, "secure 1");
    assert_resolves(r, "a.unsigned.example", DNS_A, "insecure 1");
}

static void test_all_types_are_signed(void **state)
{
    struct resolver *r = *state;
    assert_done(&r->f, "/add-mx",
                "{\"host\":\"signed.example\",\"exchanges\":[{\"preference\":1,\"exchange\":\"M.signed.example\"}]}");
    assert_done(&r->f, "/add-ns", "{\"host\":\"signed.example\",\"targets\":[\"N.signed.example\"]}");
    assert_done(&r->f, "/add-srv",
                "{\"host\":\"_s._tcp.signed.example\",\"services\":[{\"port\":1,\"target\":\"S.test\"}]}");
    assert_done(&r->f, "/add-caa",
                "{\"host\":\"signed.example\",\"policies\":[{\"tag\":\"issue\",\"value\":\"ca.test\"}]}");
    assert_done(&r->f, "/add-aaaa", "{\"host\":\"signed.example\",\"addresses\":[\"fc00::2\",\"fc00::1\"]}");
    assert_done(&r->f, "/set-soa", "{\"host\":\"signed.example\",\"mname\":\"N.test\",\"rname\":\"H.test\"}");
    assert_resolves(r, "signed.example", DNS_MX, "secure 1");
    assert_resolves(r, "signed.example", DNS_NS, "secure 1");
    assert_resolves(r, "_s._tcp.signed.example", DNS_SRV, "secure 1");
    assert_resolves(r, "signed.example", DNS_CAA, "secure 1");
    assert_resolves(r, "signed.example", DNS_AAAA, "secure 2");
    assert_resolves(r, "signed.example", DNS_SOA, "secure 1");
    assert_resolves(r, "signed.example", DNS_TXT, "secure 0");
}

static void test_what_is_not_there_is_proved(void **state)
{
    struct resolver *r = *state;
    assert_done(&r->f, "/set-nxdomain", "{\"host\":\"gone.signed.example\"}");
    assert_done(&r->f, "/set-nxdomain", "{\"host\":\"deep.below.signed.example\"}");
    assert_done(&r->f, "/set-nxdomain", "{\"host\":\"*.none.signed.example\"}");
    assert_resolves(r, "a.signed.example", DNS_TXT, "secure 0");
    assert_resolves(r, "signed.example", DNS_CAA, "secure 0");
    assert_resolves(r, "gone.signed.example", DNS_A, "secure NXDOMAIN");
    assert_resolves(r, "deep.below.signed.example", DNS_A, "secure NXDOMAIN");
    assert_resolves(r, "x.none.signed.example", DNS_CAA, "secure NXDOMAIN");
    assert_resolves(r, "none.signed.example", DNS_CAA, "secure 0");
    assert_resolves(r, "gone.signed.example", DNS_TXT, "secure NXDOMAIN");
}

static void test_wildcards_and_cnames_are_secure(void **state)
{
    struct resolver *r = *state;
    assert_done(&r->f, "/set-txt", "{\"host\":\"*.w.signed.example\",\"value\":\"x\"}");
    assert_done(&r->f, "/set-cname", "{\"host\":\"c.signed.example\",\"target\":\"A.w.signed.example\"}");
    assert_done(&r->f, "/set-cname", "{\"host\":\"d.signed.example\",\"target\":\"x.other.example\"}");
    assert_done(&r->f, "/set-cname", "{\"host\":\"e.signed.example\",\"target\":\"x.unsigned.example\"}");
    assert_resolves(r, "a.b.w.signed.example", DNS_TXT, "secure 1");
    assert_resolves(r, "c.signed.example", DNS_TXT, "secure 1");
    assert_resolves(r, "c.signed.example", DNS_CAA, "secure 0");
    assert_resolves(r, "d.signed.example", DNS_A, "secure 1");
    assert_resolves(r, "e.signed.example", DNS_A, "insecure 1");
}

static void test_flaws_make_answers_bogus(void **state)
{
    struct resolver *r = *state;
    static const char *const hows[] = { "signature", "expired", "missing" };
    for (size_t i = 0; i < ARRAY_SIZE(hows); i++) {
        char json[128], name[64];
        snprintf(name, sizeof name, "f%zu.signed.example", i);
        snprintf(json, sizeof json, "{\"host\":\"%s\",\"how\":\"%s\"}", name, hows[i]);
        assert_done(&r->f, "/set-bogus", json);
        assert_resolves(r, name, DNS_A, "bogus");
        assert_resolves(r, name, DNS_TXT, "bogus");
    }
    assert_resolves(r, "good.signed.example", DNS_A, "secure 1");
    assert_done(&r->f, "/set-bogus", "{\"host\":\"other.example\"}"); /* its key's signature */
    assert_resolves(r, "a.other.example", DNS_A, "bogus");
}

static void test_flaws_are_taken_back(void **state)
{
    struct resolver *r = *state;
    assert_done(&r->f, "/set-bogus", "{\"host\":\"f.signed.example\"}");
    assert_done(&r->f, "/clear-bogus", "{\"host\":\"f.signed.example\"}");
    assert_resolves(r, "f.signed.example", DNS_A, "secure 1");
    assert_done(&r->f, "/unsign-zone", "{\"host\":\"signed.example\"}");
    assert_resolves(r, "g.signed.example", DNS_A, "bogus"); /* for those who trust the key */
    assert_done(&r->f, "/reset", "");                       /* back to the command line, with the same key */
    assert_resolves(r, "h.signed.example", DNS_A, "secure 1");
}

static void test_the_root_is_signed(void **state)
{
    (void)state;
    struct resolver r;
    start(&r, ".");
    assert_done(&r.f, "/set-nxdomain", "{\"host\":\"gone\"}");
    assert_resolves(&r, "a.example", DNS_A, "secure 1");
    assert_resolves(&r, "a.b.c.example.com", DNS_TXT, "secure 0");
    assert_resolves(&r, "gone", DNS_A, "secure NXDOMAIN");
    assert_int_equal(order(&r.f, "/sign-zone", "{\"host\":\"child.example\"}", NULL), 200);
    assert_resolves(&r, "a.child.example", DNS_A, "secure 1"); /* by the root's signed DS */
    stop(&r);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_what_is_there_is_secure),        CASE(test_all_types_are_signed),
        CASE(test_what_is_not_there_is_proved),    CASE(test_wildcards_and_cnames_are_secure),
        CASE(test_flaws_make_answers_bogus),       CASE(test_flaws_are_taken_back),
        cmocka_unit_test(test_the_root_is_signed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
