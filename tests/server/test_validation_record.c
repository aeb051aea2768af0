/* From a trace to `validationRecord`. */
#include "server/protocol/validation_record.h"

#include "tests/unit.h"

#define URL          "http://a.test:5002/x"
#define HOP(url, at) "{\"step\":\"http\",\"url\":\"" url "\",\"address\":\"" at "\"}"
#define FOUND(type, name, answers)                                                                                     \
    "{\"step\":\"dns\",\"name\":\"" name "\",\"type\":\"" type "\",\"server\":\"192.0.2.53:53\",\"answers\":[" answers \
    "]}"
#define RESOLVERS "\"resolverAddrs\":[\"192.0.2.53:53\"]"

static const struct row {
    const char *what, *trace, *records; /* records: NULL for none */
} rows[] = {
    { "nothing was tried", NULL, NULL },
    { "nothing was done", "[]", NULL },
    { "no trace", "{\"step\":\"http\"}", NULL },
    { "no steps", "[1,\"http\",null,[],{},{\"step\":7},{\"step\":\"queue\"},{\"step\":\"cut\"}]", NULL },
    { "steps that lack everything", "[{\"step\":\"http\"},{\"step\":\"tls\",\"address\":\"x\"}]", NULL },
    { "http-01", "[" FOUND("A", "a.test", "\"192.0.2.1\"") "," HOP(URL, "192.0.2.1:5002") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"," RESOLVERS "}]" },
    { "AAAA and A are one lookup, and the IPv4 address is tried when the other failed",
      "[" FOUND("AAAA", "a.test", "\"2001:db8::1\"") "," FOUND("A", "a.test", "\"192.0.2.1\"") "," HOP(
          URL, "[2001:db8::1]:5002") "," HOP(URL, "192.0.2.1:5002") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\","
      "\"addressesResolved\":[\"2001:db8::1\",\"192.0.2.1\"],\"addressUsed\":\"192.0.2.1\","
      "\"addressesTried\":[\"2001:db8::1\"]," RESOLVERS "}]" },
    { "a redirect is a record of its own, and an address needs no lookup",
      "[" FOUND("A", "a.test", "\"192.0.2.1\"") "," HOP(URL, "192.0.2.1:5002") "," HOP("https://[2001:db8::2]/y",
                                                                                       "[2001:db8::2]:443") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"," RESOLVERS "},"
      "{\"url\":\"https://[2001:db8::2]/y\",\"hostname\":\"2001:db8::2\",\"port\":\"443\","
      "\"addressesResolved\":[\"2001:db8::2\"],\"addressUsed\":\"2001:db8::2\"}]" },
    { "a redirect within the host asks again",
      "[" FOUND("A", "a.test", "\"192.0.2.1\"") "," HOP(URL, "192.0.2.1:5002") "," FOUND(
          "A", "a.test", "\"192.0.2.2\"") "," HOP("http://a.test/y", "192.0.2.2:80") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"," RESOLVERS "},"
      "{\"url\":\"http://a.test/y\",\"hostname\":\"a.test\",\"port\":\"80\",\"addressesResolved\":[\"192.0.2.2\"],"
      "\"addressUsed\":\"192.0.2.2\"," RESOLVERS "}]" },
    { "dns.hosts asks nobody",
      "[{\"step\":\"hosts\",\"name\":\"a.test\",\"answers\":[\"192.0.2.1\"]}," HOP(URL, "192.0.2.1:5002") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"}]" },
    { "tls-alpn-01",
      "[" FOUND("A", "a.test",
                "\"192.0.2.1\"") ",{\"step\":\"tls\",\"address\":\"192.0.2.1:5001\",\"sni\":\"a.test\"}]",
      "[{\"hostname\":\"a.test\",\"port\":\"5001\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"," RESOLVERS "}]" },
    { "tls-alpn-01 over both families",
      "[" FOUND("A", "a.test", "\"192.0.2.1\"") ",{\"step\":\"tls\",\"address\":\"[::1]:5001\"},"
                                                "{\"step\":\"tls\",\"address\":\"192.0.2.1:5001\"}]",
      "[{\"hostname\":\"a.test\",\"port\":\"5001\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\",\"addressesTried\":[\"::1\"]," RESOLVERS "}]" },
    { "dns-01, and CAA is no part of it",
      "[" FOUND("TXT", "_acme-challenge.a.test", "\"x\"") "," FOUND("CAA", "a.test", "") "]",
      "[{\"hostname\":\"a.test\"," RESOLVERS "}]" },
    { "a name without addresses", "[" FOUND("AAAA", "a.test", "") "," FOUND("A", "a.test", "") "]",
      "[{\"hostname\":\"a.test\"," RESOLVERS "}]" },
    { "a redirect to a name without addresses",
      "[" FOUND("A", "a.test", "\"192.0.2.1\"") "," HOP(URL, "192.0.2.1:5002") "," FOUND("A", "b.test", "") "]",
      "[{\"url\":\"" URL "\",\"hostname\":\"a.test\",\"port\":\"5002\",\"addressesResolved\":[\"192.0.2.1\"],"
      "\"addressUsed\":\"192.0.2.1\"," RESOLVERS "},{\"hostname\":\"b.test\"," RESOLVERS "}]" },
};

static void records_of_traces(void **state)
{
    (void)state;
    const struct acme_identifier identifier = { IDENTIFIER_DNS, "a.test" };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct challenge challenge = { .type = "http-01", .trace = rows[i].trace };
        AUTO_BUF(text, 1 << 20);
        AUTO_BUF(expected, 1 << 20);
        struct json_out out = JSON_OUT(&text, 0);
        json_out_object(&out, NULL);
        validation_record_write(&out, &challenge, &identifier);
        json_out_end_object(&out);
        buf_printf(&expected, rows[i].records != NULL ? "{\"validationRecord\":%s}" : "{}", rows[i].records);
        if (strcmp(buf_str(&text), buf_str(&expected)) != 0)
            fail_msg("%s: %s", rows[i].what, buf_str(&text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(records_of_traces) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
