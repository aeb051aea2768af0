#include "tests/server/settings_help.h"

#include "server/settings/settings_row.h"

#include <stdio.h>
#include <unistd.h>

static void staging_is_the_default(void **state)
{
    (void)state;
    AUTO(settings) settings = read_good(&(struct settings_sources) { .file = NULL });
    assert_string_equal(settings->preset, "staging");
    assert_string_equal(settings->data, "./caraway-data");
    assert_int_equal(settings->listen.count, 1);
    assert_string_equal(settings->listen.items[0], "localhost:14000");
    assert_string_equal(settings->management_listen, "localhost:15000");
    assert_int_equal(settings->validation_http_port, 5002);
    assert_int_equal(settings->validation_tls_port, 5001);
    assert_int_equal(settings->ca_lifetime_ms, 90 * SETTING_DAY);
    assert_int_equal(settings->storage_max_size_bytes, INT64_C(64) << 30);
    assert_true(settings->storage_sync);
    assert_int_equal(settings->dns_hosts.count, 12);
    assert_string_equal(settings->dns_hosts.items[1].name, "*.test");
    assert_string_equal(settings->dns_hosts.items[1].addresses[0], "127.0.0.1");
    assert_string_equal(settings->origin[SETTING_listen], "default");
}

/* [8555-8.3-3] [8737-3-8] */
static void private_has_its_own_defaults(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("preset", "private");
    assert_int_equal(settings->validation_http_port, 80);
    assert_int_equal(settings->validation_tls_port, 443);
    assert_int_equal(settings->dns_hosts.count, 0);
    assert_string_equal(settings->preset, "private");
    assert_string_equal(settings->listen.items[0], "localhost:14000");
}

static void every_default_of_every_preset_parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < SETTING_COUNT; i++)
        for (size_t preset = 0; preset < PRESETS; preset++)
            if (setting_rows[i].defaults[preset] != NULL && i != SETTING_preset) {
                AUTO(settings) settings = set_good(setting_rows[i].name, setting_rows[i].defaults[preset]);
                assert_string_equal(settings->origin[i], "--set");
            }
}

static void numbers_stay_in_range(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("validation.http-port", "65535");
    assert_int_equal(settings->validation_http_port, 65535);
    set_bad("validation.http-port", "0", "--set: validation.http-port: 0 is out of range; it may be 1 to 65535");
    set_bad("validation.http-port", "65536",
            "--set: validation.http-port: 65536 is out of range; it may be 1 to 65535");
    set_bad("web.threads", "-1", "--set: web.threads: \"-1\" is not a number");
    set_bad("web.threads", "0x10", "--set: web.threads: \"0x10\" is not a number");
    set_bad("web.threads", "", "--set: web.threads: \"\" is not a number");
    set_bad("web.threads", "99999999999999999999", "--set: web.threads: \"99999999999999999999\" is not a number");
}

static void durations_have_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = { { "500ms", 500 }, { "30s", 30000 }, { "5m", 300000 }, { "600s", 600000 }, { "10m", 600000 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(settings) settings = set_good("dns.timeout", cases[i].text);
        assert_int_equal(settings->dns_timeout_ms, cases[i].ms);
    }
    AUTO(settings) days = set_good("ca.lifetime", "398d");
    assert_int_equal(days->ca_lifetime_ms, 398 * SETTING_DAY);
    set_bad("dns.timeout", "30", "--set: dns.timeout: \"30\" is not a duration (500ms, 30s, 5m, 1h, 90d)");
    set_bad("dns.timeout", "s", "--set: dns.timeout: \"s\" is not a duration (500ms, 30s, 5m, 1h, 90d)");
    set_bad("dns.timeout", "1h", "--set: dns.timeout: 1h is out of range; it may be 100ms to 10m");
    set_bad("ca.lifetime", "9999999999999999d",
            "--set: ca.lifetime: \"9999999999999999d\" is not a duration (500ms, 30s, 5m, 1h, 90d)");
}

static void sizes_have_binary_units(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t bytes;
    } cases[] = { { "2048KiB", 2 << 20 }, { "2000000", 2000000 }, { "5MiB", 5 << 20 }, { "1TiB", INT64_C(1) << 40 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(settings) settings = set_good("storage.max-size", cases[i].text);
        assert_int_equal(settings->storage_max_size_bytes, cases[i].bytes);
    }
    set_bad("storage.max-size", "1GB", "--set: storage.max-size: \"1GB\" is not a size (bytes, KiB, MiB, GiB, TiB)");
    set_bad("storage.max-size", "1KiB", "--set: storage.max-size: 1KiB is out of range; it may be 1MiB to 64TiB");
}

static void truth_has_a_few_words(void **state)
{
    (void)state;
    AUTO(settings) off = set_good("storage.sync", "off");
    assert_false(off->storage_sync);
    AUTO(settings) yes = set_good("storage.sync", "yes");
    assert_true(yes->storage_sync);
    set_bad("storage.sync", "perhaps", "--set: storage.sync: \"perhaps\" is neither true nor false");
}

static void choices_are_closed(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("ca.key-type", "rsa-4096");
    assert_string_equal(settings->ca_key_type, "rsa-4096");
    set_bad("ca.key-type", "rsa", "--set: ca.key-type: \"rsa\" is none of p-256|p-384|rsa-2048|rsa-4096");
    set_bad("ca.key-type", "", "--set: ca.key-type: \"\" is none of p-256|p-384|rsa-2048|rsa-4096");
    set_bad("log.level", "p-256", "--set: log.level: \"p-256\" is none of debug|info|warning|error");
}

static void endpoints_are_hosts_with_ports(void **state)
{
    (void)state;
    AUTO(settings) two = set_good("listen", "127.0.0.1:443, [::1]:0, :444");
    assert_int_equal(two->listen.count, 3);
    assert_string_equal(two->listen.items[1], "[::1]:0");
    AUTO(settings) off = set_good("management.listen", "");
    assert_string_equal(off->management_listen, "");
    AUTO(settings) path = set_good("management.listen", "unix:/run/caraway.sock");
    assert_string_equal(path->management_listen, "unix:/run/caraway.sock");
    static const char *const bad[] = { "localhost", "localhost:",      ":x",    "::1:443", "[::1]", "[localhost]:1",
                                       "a b:1",     "localhost:65536", "unix:", "a..b:1" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        AUTO_BUF(expected, 400);
        buf_printf(&expected,
                   "--set: management.listen: \"%s\" is not an address to listen on; write HOST:PORT, [IPV6]:PORT or "
                   "unix:PATH",
                   bad[i]);
        set_bad("management.listen", bad[i], buf_str(&expected));
    }
}

static void resolvers_are_numeric(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("dns.server", "[::1]:8053");
    assert_string_equal(settings->dns_server, "[::1]:8053");
    AUTO(settings) tls = set_good("dns.server", "tls://9.9.9.9:853#dns.example");
    assert_string_equal(tls->dns_server, "tls://9.9.9.9:853#dns.example");
    static const char *const bad[] = { "localhost:53", "9.9.9.9:53#dns.example", "tls://9.9.9.9:853#", "tls://x:853" };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        AUTO_BUF(expected, 300);
        buf_printf(&expected,
                   "--set: dns.server: \"%s\" is not the address of a DNS server; write it like 127.0.0.1:53 or "
                   "tls://127.0.0.1:853#NAME",
                   bad[i]);
        set_bad("dns.server", bad[i], buf_str(&expected));
    }
}

static void urls_are_http(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("external-url", "https://ca.example.test");
    assert_string_equal(settings->external_url, "https://ca.example.test");
    set_bad("website", "ftp://x", "--set: website: \"ftp://x\" is not an http:// or https:// URL");
    set_bad("website", "https://", "--set: website: \"https://\" is not an http:// or https:// URL");
    set_bad("website", "https://a b", "--set: website: \"https://a b\" is not an http:// or https:// URL");
}

static void hosts_map_names_to_addresses(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("dns.hosts", "*.A.test=10.0.0.1, b.test=::1,*.a.test=10.0.0.2");
    assert_int_equal(settings->dns_hosts.count, 2);
    assert_string_equal(settings->dns_hosts.items[0].name, "*.a.test");
    assert_int_equal(settings->dns_hosts.items[0].address_count, 2);
    assert_string_equal(settings->dns_hosts.items[0].addresses[1], "10.0.0.2");
    assert_string_equal(settings->dns_hosts.items[1].addresses[0], "::1");
    set_bad("dns.hosts", "a.test", "--set: dns.hosts: \"a.test\" lacks an address; write NAME=ADDRESS,NAME=ADDRESS");
    set_bad("dns.hosts", "a.test=b.test", "--set: dns.hosts: \"b.test\" (for a.test) is not an IP address");
    set_bad("dns.hosts", "a.*.test=::1", "--set: dns.hosts: \"a.*.test\" is not a name or *.NAME");
    set_bad("dns.hosts", "=::1", "--set: dns.hosts: \"\" is not a name or *.NAME");
}

static void names_and_texts_are_checked(void **state)
{
    (void)state;
    AUTO(settings) settings = set_good("caa-identities", "ca.example.test,other.test");
    assert_int_equal(settings->caa_identities.count, 2);
    AUTO(settings) small = set_good("caa-identities", "CA.Example.TEST");
    assert_string_equal(small->caa_identities.items[0], "ca.example.test");
    set_bad("caa-identities", "not a name", "--set: caa-identities: \"not a name\" is not a domain name");
    set_bad("ca.name", "bell\a", "--set: ca.name: the text holds a control character");
}

/* [persist-3.1-4] [persist-3.2-2] */
static void dns_persist_01_names_ten_issuers_at_most(void **state)
{
    (void)state;
    static const struct setting_flag eleven = { "--set", "caa-identities", "a,b,c,d,e,f,g,h,i,j,k" };
    const struct setting_flag offered[] = { eleven, { "--set", "challenges", "dns-01,dns-persist-01" } };
    char why[SETTINGS_WHY_SIZE];
    AUTO(settings) alone = read_good(&(struct settings_sources) { .flags = &eleven, .flag_count = 1 });
    assert_int_equal(alone->caa_identities.count, 11);
    assert_null(settings_read(&(struct settings_sources) { .flags = offered, .flag_count = 2 }, why));
    assert_string_equal(why, "caa-identities: the challenge dns-persist-01 can name at most 10, not 11");
}

static void certificates_outlive_their_signature(void **state)
{
    (void)state;
    static const struct setting_flag flags[] = { { "--set", "ca.lifetime", "30m" }, { "--set", "ca.backdate", "1m" } };
    char why[SETTINGS_WHY_SIZE];
    AUTO(settings) both = read_good(&(struct settings_sources) { .flags = flags, .flag_count = 2 });
    assert_int_equal(both->ca_lifetime_ms, 1800000);
    assert_null(settings_read(&(struct settings_sources) { .flags = flags, .flag_count = 1 }, why));
    assert_string_equal(why, "ca.lifetime: 30m is not longer than ca.backdate (1h), so certificates would have expired "
                             "before they are signed; lower ca.backdate, too");
}

static void what_needs_another_setting_says_so(void **state)
{
    (void)state;
    set_bad("dns.resolver", "forward", "dns.resolver: forward needs a dns.server");
    set_bad("webhook.url", "http://127.0.0.1/",
            "webhook.url needs webhook.secret-file, by which the receiver knows who posts");
    static const struct setting_flag both[] = { { "--set", "dns.resolver", "recursive" },
                                                { "--set", "dns.server", "127.0.0.1:53" } };
    read_bad(&(struct settings_sources) { .flags = both, .flag_count = 2 },
             "dns.resolver: recursive asks no dns.server; leave one of them out");
}

static void unknown_names_are_answered_with_the_nearest(void **state)
{
    (void)state;
    set_bad("lisen", "x", "--set: unknown setting \"lisen\"; did you mean \"listen\"?");
    set_bad("http-port", "80", "--set: unknown setting \"http-port\"; did you mean \"validation.http-port\"?");
    set_bad("validation", "x", "--set: unknown setting \"validation\"; see caraway config reference");
    const char *const environment[] = { "CARAWAY_LISTN=x", NULL };
    read_bad(&(struct settings_sources) { .environment = environment },
             "unknown environment variable CARAWAY_LISTN; did you mean CARAWAY_LISTEN?");
}

static void environment_names_follow_from_the_settings(void **state)
{
    (void)state;
    const char *const environment[] = { "PATH=/bin",
                                        "CARAWAY_DATA=/var/lib/caraway",
                                        "CARAWAY_VALIDATION_HTTP_PORT=80",
                                        "CARAWAY_PORT_14000_TCP=tcp://10.0.0.1",
                                        "CARAWAY_SERVICE_HOST=10.0.0.1",
                                        NULL };
    AUTO(settings) settings = read_good(&(struct settings_sources) { .environment = environment });
    assert_string_equal(settings->data, "/var/lib/caraway");
    assert_int_equal(settings->validation_http_port, 80);
    assert_string_equal(settings->origin[SETTING_validation_http_port], "CARAWAY_VALIDATION_HTTP_PORT");
    const char *const bad[] = { "CARAWAY_STORAGE_SYNC=2", NULL };
    read_bad(&(struct settings_sources) { .environment = bad },
             "CARAWAY_STORAGE_SYNC: storage.sync: \"2\" is neither true nor false");
}

static void the_stronger_source_wins(void **state)
{
    (void)state;
    char path[] = "/tmp/caraway-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const char text[] = "preset: private\nca: {name: File}\nstorage.driver: memory\nweb.threads: 2\n";
    assert_int_equal(write(fd, text, sizeof text - 1), sizeof text - 1);
    close(fd);
    const char *const environment[] = { "CARAWAY_CA_NAME=Environment", "CARAWAY_WEB_THREADS=3", NULL };
    struct setting_flag flag = { "--listen", "listen", "localhost:0" };
    struct setting_flag flags[] = { flag, { "--set", "web.threads", "4" } };
    AUTO(settings) settings = read_good(&(struct settings_sources) { path, environment, flags, 2 });
    unlink(path);
    assert_int_equal(settings->validation_http_port, 80);    /* preset, named in the file */
    assert_string_equal(settings->storage_driver, "memory"); /* file */
    assert_string_equal(settings->ca_name, "Environment");   /* environment over file */
    assert_int_equal(settings->web_threads, 4);              /* flag over environment over file */
    assert_string_equal(settings->origin[SETTING_listen], "--listen");
}

static void the_preset_is_the_weakest_wherever_it_stands(void **state)
{
    (void)state;
    struct setting_flag flags[] = { { "--set", "validation.http-port", "8080" }, { "--preset", "preset", "private" } };
    AUTO(settings) settings = read_good(&(struct settings_sources) { .flags = flags, .flag_count = 2 });
    assert_int_equal(settings->validation_http_port, 8080);
    assert_int_equal(settings->validation_tls_port, 443);
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    read_bad(&(struct settings_sources) { .file = "/nonexistent/caraway.yaml" },
             "cannot read the settings file /nonexistent/caraway.yaml: No such file or directory");
    read_bad(&(struct settings_sources) { .file = "/" }, "cannot read the settings file /: Is a directory");
}

static void what_is_shown_reads_back_alike(void **state)
{
    (void)state;
    char path[] = "/tmp/caraway-settings-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    AUTO(settings) first = set_good("ca.name", "A \"quoted\" name: \\ # x");
    AUTO_BUF(text, 65536);
    AUTO_BUF(again, 65536);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        buf_printf(&text, "%s: ", setting_rows[i].name);
        setting_format(&setting_rows[i], first, &text);
        buf_char(&text, '\n');
    }
    assert_int_equal(write(fd, text.data, text.len), text.len);
    close(fd);
    AUTO(settings) second = read_good(&(struct settings_sources) { .file = path });
    unlink(path);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        buf_printf(&again, "%s: ", setting_rows[i].name);
        setting_format(&setting_rows[i], second, &again);
        buf_char(&again, '\n');
    }
    assert_string_equal(buf_str(&text), buf_str(&again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(staging_is_the_default),
        cmocka_unit_test(private_has_its_own_defaults),
        cmocka_unit_test(every_default_of_every_preset_parses),
        cmocka_unit_test(numbers_stay_in_range),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(sizes_have_binary_units),
        cmocka_unit_test(truth_has_a_few_words),
        cmocka_unit_test(choices_are_closed),
        cmocka_unit_test(endpoints_are_hosts_with_ports),
        cmocka_unit_test(resolvers_are_numeric),
        cmocka_unit_test(urls_are_http),
        cmocka_unit_test(hosts_map_names_to_addresses),
        cmocka_unit_test(names_and_texts_are_checked),
        cmocka_unit_test(dns_persist_01_names_ten_issuers_at_most),
        cmocka_unit_test(certificates_outlive_their_signature),
        cmocka_unit_test(what_needs_another_setting_says_so),
        cmocka_unit_test(unknown_names_are_answered_with_the_nearest),
        cmocka_unit_test(environment_names_follow_from_the_settings),
        cmocka_unit_test(the_stronger_source_wins),
        cmocka_unit_test(the_preset_is_the_weakest_wherever_it_stands),
        cmocka_unit_test(a_missing_file_is_named),
        cmocka_unit_test(what_is_shown_reads_back_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
