#include "validators/redirect.h"

#include "tests/unit.h"

static struct val_target first(enum acme_identifier_type type, const char *value, uint16_t port)
{
    struct val_target target;
    struct acme_identifier identifier = { type, value };
    val_target_first(&target, &identifier, port, "token");
    return target;
}

/* [8555-8.3-7] [8738-5-2] */
static void first_urls(void **state)
{
    (void)state;
    static const struct {
        enum acme_identifier_type type;
        const char *value;
        uint16_t port;
        const char *url;
    } rows[] = {
        { IDENTIFIER_DNS, "a.test", 80, "http://a.test/.well-known/acme-challenge/token" },
        { IDENTIFIER_DNS, "a.test", 5002, "http://a.test:5002/.well-known/acme-challenge/token" },
        { IDENTIFIER_IP, "192.0.2.1", 80, "http://192.0.2.1/.well-known/acme-challenge/token" },
        { IDENTIFIER_IP, "::1", 5002, "http://[::1]:5002/.well-known/acme-challenge/token" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct val_target target = first(rows[i].type, rows[i].value, rows[i].port);
        assert_string_equal(target.url, rows[i].url);
        assert_string_equal(target.host, rows[i].value);
        assert_int_equal(target.port, rows[i].port);
    }
}

static void followed(void **state)
{
    (void)state;
    static const struct {
        const char *location, *url, *host;
        uint16_t port;
    } rows[] = {
        { "/x", "http://a.test:5002/x", "a.test", 5002 },
        { "x?y=z", "http://a.test:5002/.well-known/acme-challenge/x?y=z", "a.test", 5002 },
        { "?y", "http://a.test:5002/.well-known/acme-challenge/token?y", "a.test", 5002 },
        { "http://b.test", "http://b.test/", "b.test", 80 },
        { "https://b.test/x#y", "https://b.test/x", "b.test", 443 },
        { "https://B.Test.:5001/X", "https://b.test:5001/X", "b.test", 5001 },
        { "//c_d.test/", "http://c_d.test/", "c_d.test", 80 },
        { "http://[2001:DB8::1]/", "http://[2001:db8::1]/", "2001:db8::1", 80 },
        { "http://127.1/", "http://127.0.0.1/", "127.0.0.1", 80 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[VAL_TARGET_WHY_SIZE] = "";
        struct val_target target = first(IDENTIFIER_DNS, "a.test", 5002);
        bool ok = val_target_follow(&target, rows[i].location, 5002, 5001, why);
        assert_string_equal(why, "");
        assert_true(ok);
        assert_string_equal(target.url, rows[i].url);
        assert_string_equal(target.host, rows[i].host);
        assert_int_equal(target.port, rows[i].port);
    }
}

static void refused(void **state)
{
    (void)state;
    static const struct {
        const char *location, *why;
    } rows[] = {
        { "", "it names no Location" },
        { "http://b.test:8080/", "port 8080 is not one of 5002, 5001, 80 and 443" },
        { "http://b.test:0/", "port 0 is not one of 5002, 5001, 80 and 443" },
        { "http://b.test:65536/", "it cannot be read as a URL" },
        { "http://u@b.test/", "it cannot be read as a URL" },
        { "gopher://b.test/", "only http and https are followed" },
        { "javascript:alert(1)", "it cannot be read as a URL" },
        { "http://", "it cannot be read as a URL" },
        { "http://.b.test/", "its host is neither a DNS name nor an IP address" },
        { "http://b..test/", "its host is neither a DNS name nor an IP address" },
        { "http://b.test../", "its host is neither a DNS name nor an IP address" },
        { "//3.", "its host is neither a DNS name nor an IP address" },
        { "http://1.2.3.4.5/", "its host is neither a DNS name nor an IP address" },
        { "http://0x7f.1./", "its host is neither a DNS name nor an IP address" },
        { "http://b\xc3\xa9.test/", "its host is neither a DNS name nor an IP address" },
        { "http://[::1%25lo]/", "its host is neither a DNS name nor an IP address" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[VAL_TARGET_WHY_SIZE];
        struct val_target target = first(IDENTIFIER_DNS, "a.test", 5002);
        assert_false(val_target_follow(&target, rows[i].location, 5002, 5001, why));
        assert_string_equal(why, rows[i].why);
        assert_string_equal(target.url, "http://a.test:5002/.well-known/acme-challenge/token");
    }
}

static void lengths(void **state)
{
    (void)state;
    char location[VAL_TARGET_URL_BYTES + 1], why[VAL_TARGET_WHY_SIZE];
    struct val_target target = first(IDENTIFIER_DNS, "a.test", 80);
    memset(location, 'x', sizeof location);
    location[0] = '/';
    location[VAL_TARGET_URL_BYTES - 1 - strlen("http://a.test")] = '\0';
    assert_true(val_target_follow(&target, location, 5002, 5001, why));
    assert_int_equal(strlen(target.url), VAL_TARGET_URL_BYTES - 1);
    location[VAL_TARGET_URL_BYTES - 1 - strlen("http://a.test")] = 'x';
    location[VAL_TARGET_URL_BYTES - strlen("http://a.test")] = '\0';
    assert_false(val_target_follow(&target, location, 5002, 5001, why));
    location[VAL_TARGET_URL_BYTES - strlen("http://a.test")] = 'x';
    location[VAL_TARGET_URL_BYTES] = '\0';
    assert_false(val_target_follow(&target, location, 5002, 5001, why));
    assert_string_equal(why, "it is longer than 2047 bytes");
}

static void longest_host(void **state)
{
    (void)state;
    char location[400] = "http://", why[VAL_TARGET_WHY_SIZE];
    struct val_target target = first(IDENTIFIER_DNS, "a.test", 80);
    for (int i = 0; i < 126; i++)
        strncat(location, "a.", 3);
    location[strlen(location)] = 'b';
    assert_true(val_target_follow(&target, location, 5002, 5001, why));
    assert_int_equal(strlen(target.host), IDENTIFIER_MAX_BYTES);
    target = first(IDENTIFIER_DNS, "a.test", 80);
    strncat(location, "b", 2);
    assert_false(val_target_follow(&target, location, 5002, 5001, why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_urls), cmocka_unit_test(followed),     cmocka_unit_test(refused),
        cmocka_unit_test(lengths),    cmocka_unit_test(longest_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
