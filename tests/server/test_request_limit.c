/* Requests per second: every row in both presets, who is counted together, and what happens when memory is full. */
#include "server/limits/request_limit.h"

#include "server/caraway.h"
#include "tests/server/settings_help.h"

#define NOW_MS INT64_C(1800000000000)

static const struct routes acme = { .acme = true }, other = { .acme = false };

struct fixture {
    struct caraway caraway;
    struct settings *settings;
    struct arena *arena;
};

static void open_fixture(struct fixture *f, const char *preset)
{
    f->settings = set_good("limits.preset", preset);
    f->caraway.settings = f->settings;
    f->caraway.request_limits = request_limits_create(f->settings, world_real());
    f->arena = arena_create(1 << 20);
    assert_true(f->caraway.request_limits != NULL && f->arena != NULL);
}

static void close_fixture(struct fixture *f)
{
    request_limits_drop(f->caraway.request_limits);
    settings_drop(f->settings);
    arena_drop(f->arena);
}

static struct acme_problem problem;

static bool ask(struct fixture *f, const char *path, const char *peer, int64_t now_ms)
{
    arena_reset(f->arena);
    struct request rq = {
        .caraway = &f->caraway, .arena = f->arena, .routes = &acme, .path = path, .peer = peer, .now_ms = now_ms
    };
    bool passed = request_limit_pass(&rq);
    problem = rq.problem;
    return passed;
}

static void check_row(struct fixture *f, const char *path, int64_t per_second, int64_t at_once)
{
    char expected[PROBLEM_DETAIL_SIZE];
    for (int64_t i = 0; i < at_once; i++)
        assert_true(ask(f, path, "192.0.2.1", NOW_MS));
    assert_false(ask(f, path, "192.0.2.1", NOW_MS));
    assert_int_equal(problem.status, 503);
    assert_int_equal(problem.type, PROBLEM_RATE_LIMITED);
    assert_int_equal(problem.retry_after_s, 1);
    assert_string_equal(problem.help, f->settings->limits_help_url);
    snprintf(expected, sizeof expected, "Service busy; retry later: more than %lld requests per second",
             (long long)per_second);
    assert_memory_equal(problem.detail, expected, strlen(expected));
    assert_true(ask(f, path, "192.0.2.2", NOW_MS));
    int64_t one_ms = (1000 + per_second - 1) / per_second;
    assert_false(one_ms > 1 && ask(f, path, "192.0.2.1", NOW_MS + one_ms - 1));
    assert_true(ask(f, path, "192.0.2.1", NOW_MS + one_ms));
    for (int64_t i = 0; i < at_once; i++)
        assert_true(ask(f, path, "192.0.2.1", NOW_MS + 60000));
    assert_false(ask(f, path, "192.0.2.1", NOW_MS + 60000));
}

static void each_row_lets_its_number_pass_and_no_more(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int64_t per_second, at_once;
    } cases[2][8] = {
        { { "/directory", 40, 40 },
          { "/new-nonce", 20, 10 },
          { "/new-account", 5, 15 },
          { "/new-order", 300, 200 },
          { "/revoke-cert", 10, 100 },
          { "/renewal-info/x.y", 1000, 100 },
          { "/order/1/finalize", 250, 125 },
          { "/", 250, 125 } },
        { { "/directory", 40, 40 },
          { "/new-nonce", 20, 10 },
          { "/new-account", 5, 15 },
          { "/new-order", 20, 40 },
          { "/revoke-cert", 10, 100 },
          { "/renewal-info/x.y", 1000, 100 },
          { "/challenge/1/http-01", 20, 20 },
          { "/new-orders", 20, 20 } },
    };
    static const char *const presets[] = { "letsencrypt", "letsencrypt-staging" };
    for (size_t preset = 0; preset < ARRAY_SIZE(presets); preset++) {
        for (size_t i = 0; i < ARRAY_SIZE(cases[preset]); i++) {
            struct fixture f = { 0 };
            open_fixture(&f, presets[preset]);
            check_row(&f, cases[preset][i].path, cases[preset][i].per_second, cases[preset][i].at_once);
            close_fixture(&f);
        }
    }
}

static bool exhausted_for(const char *preset, const char *spent_by, const char *asked_by)
{
    struct fixture f = { 0 };
    open_fixture(&f, preset);
    for (int i = 0; i < 1000; i++)
        (void)!ask(&f, "/directory", spent_by, NOW_MS);
    bool passed = ask(&f, "/directory", asked_by, NOW_MS);
    close_fixture(&f);
    return !passed;
}

static void a_caller_is_an_address_or_a_64(void **state)
{
    (void)state;
    assert_true(exhausted_for("letsencrypt", "192.0.2.1", "192.0.2.1"));
    assert_true(exhausted_for("letsencrypt", "192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(exhausted_for("letsencrypt", "192.0.2.1", "192.0.2.2"));
    assert_true(exhausted_for("letsencrypt", "2001:db8:1:2::1", "2001:DB8:1:2:ffff::2"));
    assert_false(exhausted_for("letsencrypt", "2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(exhausted_for("letsencrypt", "fe80::1%eth0", "fe80::2%eth1"));
}

static void loopback_and_other_presets_are_exempt(void **state)
{
    (void)state;
    assert_false(exhausted_for("letsencrypt", "127.0.0.1", "127.0.0.1"));
    assert_false(exhausted_for("letsencrypt", "::1", "::1"));
    assert_false(exhausted_for("letsencrypt", "local", "local"));
    assert_false(exhausted_for("private", "192.0.2.1", "192.0.2.1"));
    assert_false(exhausted_for("off", "192.0.2.1", "192.0.2.1"));
}

static void only_the_protocol_is_counted(void **state)
{
    (void)state;
    struct fixture f = { 0 };
    open_fixture(&f, "letsencrypt");
    struct request rq = {
        .caraway = &f.caraway, .arena = f.arena, .routes = &other, .path = "/api", .peer = "192.0.2.1"
    };
    for (int i = 0; i < 1000; i++)
        assert_true(request_limit_pass(&rq));
    close_fixture(&f);
}

/* A quarter of a million callers go through places for 65536; one that goes on asking is limited all the same. */
static void many_callers_take_no_more_memory(void **state)
{
    (void)state;
    struct fixture f = { 0 };
    char peer[32];
    int passed = 0;
    open_fixture(&f, "letsencrypt");
    for (unsigned i = 0; i < 1 << 18; i++) {
        snprintf(peer, sizeof peer, "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
        assert_true(ask(&f, "/directory", peer, NOW_MS));
        passed += ask(&f, "/directory", "192.0.2.1", NOW_MS);
    }
    assert_in_range(passed, 40, 41);
    close_fixture(&f);
}

static void a_clock_that_is_put_back_locks_nobody_out(void **state)
{
    (void)state;
    struct fixture f = { 0 };
    open_fixture(&f, "letsencrypt");
    for (int i = 0; i < 100; i++)
        (void)!ask(&f, "/directory", "192.0.2.1", NOW_MS + 86400000);
    assert_false(ask(&f, "/directory", "192.0.2.1", NOW_MS));
    assert_true(ask(&f, "/directory", "192.0.2.1", NOW_MS + 25));
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_lets_its_number_pass_and_no_more),
        cmocka_unit_test(a_caller_is_an_address_or_a_64),
        cmocka_unit_test(loopback_and_other_presets_are_exempt),
        cmocka_unit_test(only_the_protocol_is_counted),
        cmocka_unit_test(many_callers_take_no_more_memory),
        cmocka_unit_test(a_clock_that_is_put_back_locks_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
