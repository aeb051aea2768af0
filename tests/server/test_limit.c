/* Every limit in every preset: how many pass, the words of the refusal, the second at which it frees up; what several
 * limits do together; overrides. No time passes but what the tests say. */
#include "server/limits/limit.h"

#include "tests/server/settings_help.h"

#include <pthread.h>

#define SECOND_US INT64_C(1000000)
#define NOW_MS    INT64_C(1795521600000) /* 2026-11-24 12:00:00 UTC */
#define NOW_TEXT  "2026-11-24 12:00:00 UTC"
#define SEE       ": see https://letsencrypt.org/docs/rate-limits/#"

struct fixture {
    struct settings *settings;
    struct store *store;
    struct limits *limits;
};

static void open_set(struct fixture *f, const char *name, const char *value)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    f->settings = set_good(name, value);
    assert_int_equal(store_open(&options, &f->store, why), STORE_OK);
    f->limits = limits_create(f->settings, f->store);
    assert_non_null(f->limits);
}

static void open_preset(struct fixture *f, const char *preset)
{
    open_set(f, "limits.preset", preset);
}

static void close_fixture(struct fixture *f)
{
    limits_drop(f->limits);
    store_drop(f->store);
    settings_drop(f->settings);
}

/* One job that takes `times` times, or until it is refused. */
struct taking {
    struct fixture *f;
    struct limit_ask asks[3];
    size_t count;
    int64_t now_ms, times;
    int64_t passed;
    struct acme_problem problem;
};

static void take_job(struct store_txn *txn, void *arg)
{
    struct taking *taking = arg;
    AUTO(arena) arena = arena_create(1 << 20);
    const struct limit_asks asks = { taking->asks, taking->count };
    for (taking->passed = 0; taking->passed < taking->times; taking->passed++) {
        arena_reset(arena);
        if (!limits_take(taking->f->limits, txn, arena, taking->now_ms, &asks, asks.count, &taking->problem))
            return;
    }
}

static int64_t take(struct taking *taking, int64_t now_ms, int64_t times)
{
    taking->now_ms = now_ms;
    taking->times = times;
    assert_int_equal(store_write(taking->f->store, take_job, taking), STORE_OK);
    return taking->passed;
}

static struct taking taking_of(struct fixture *f, enum limit limit, const char *subject)
{
    return (struct taking) { .f = f, .asks = { { .limit = limit, .subject = subject } }, .count = 1 };
}

/* ---- each limit alone */

static void check_rate(const char *preset, enum limit limit, int64_t count, int64_t emission_us)
{
    struct fixture f;
    open_preset(&f, preset);
    struct taking one = taking_of(&f, limit, "somebody"), other = taking_of(&f, limit, "somebody else");
    int64_t free_ms = NOW_MS + (emission_us + 999) / 1000;
    assert_int_equal(take(&one, NOW_MS, count + 1), count);
    assert_int_equal(one.problem.type, PROBLEM_RATE_LIMITED);
    assert_int_equal(one.problem.status, 429);
    assert_int_equal(one.problem.retry_after_s, (emission_us + SECOND_US - 1) / SECOND_US);
    assert_string_equal(one.problem.help, "https://letsencrypt.org/docs/rate-limits/");
    assert_int_equal(take(&other, NOW_MS, 1), 1);
    if (free_ms - 1 > NOW_MS)
        assert_int_equal(take(&one, free_ms - 1, 1), 0);
    assert_int_equal(take(&one, free_ms, 2), emission_us >= 1000 ? 1 : 2);
    close_fixture(&f);
}

static void check_off(const char *preset, enum limit limit)
{
    struct fixture f;
    open_preset(&f, preset);
    struct taking one = taking_of(&f, limit, "somebody");
    assert_int_equal(take(&one, NOW_MS, 20000), 20000);
    close_fixture(&f);
}

static void each_limit_holds_in_each_preset(void **state)
{
    (void)state;
    static const struct {
        enum limit limit;
        struct {
            int64_t count, emission_s; /* count 0: off */
        } production, staging, private;
    } cases[] = {
        { LIMIT_ACCOUNTS_PER_ADDRESS, { 10, 1080 }, { 50, 216 }, { 100, 36 } },
        { LIMIT_ORDERS_PER_ACCOUNT, { 300, 36 }, { 0, 0 }, { 0, 0 } },
        { LIMIT_FAILURES_PER_NAME, { 5, 720 }, { 200, 18 }, { 20, 180 } },
        { LIMIT_CERTIFICATES_PER_DOMAIN, { 50, 12096 }, { 0, 0 }, { 0, 0 } },
        { LIMIT_CERTIFICATES_PER_SET, { 5, 120960 }, { 0, 0 }, { 50, 12096 } },
        { LIMIT_FAILURES_BEFORE_PAUSE, { 1152, 86400 }, { 3600, 6 }, { 0, 0 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        enum limit limit = cases[i].limit;
        check_rate("letsencrypt", limit, cases[i].production.count, cases[i].production.emission_s * SECOND_US);
        if (cases[i].staging.count > 0)
            check_rate("letsencrypt-staging", limit, cases[i].staging.count, cases[i].staging.emission_s * SECOND_US);
        if (cases[i].private.count > 0)
            check_rate("private", limit, cases[i].private.count, cases[i].private.emission_s * SECOND_US);
        check_off("off", limit);
    }
}

/* Those whose share of the period is no whole number of seconds. */
static void odd_shares_are_kept_to_the_microsecond(void **state)
{
    (void)state;
    check_rate("letsencrypt", LIMIT_ACCOUNTS_PER_NETWORK, 500, 21600000);
    check_rate("letsencrypt-staging", LIMIT_ACCOUNTS_PER_NETWORK, 500, 21600000);
    check_rate("private", LIMIT_ACCOUNTS_PER_NETWORK, 1000, 3600000);
    check_rate("letsencrypt-staging", LIMIT_ORDERS_PER_ACCOUNT, 1500, 7200000);
    check_rate("private", LIMIT_ORDERS_PER_ACCOUNT, 1000, 3600000);
    check_rate("letsencrypt-staging", LIMIT_CERTIFICATES_PER_SET, 30000, 20160000);
    check_rate("letsencrypt-staging", LIMIT_CERTIFICATES_PER_DOMAIN, 30000, 33);
    check_rate("private", LIMIT_CERTIFICATES_PER_DOMAIN, 10000, 60480000);
}

static void what_only_an_override_turns_on_is_off_in_each_preset(void **state)
{
    (void)state;
    static const char *const presets[] = { "letsencrypt", "letsencrypt-staging", "private", "off" };
    for (size_t i = 0; i < ARRAY_SIZE(presets); i++)
        check_off(presets[i], LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT);
    check_off("private", LIMIT_FAILURES_BEFORE_PAUSE);
}

static void each_refusal_says_count_window_subject_and_second(void **state)
{
    (void)state;
    static const struct {
        enum limit limit;
        const char *subject, *shown, *detail;
    } cases[] = {
        { LIMIT_ACCOUNTS_PER_ADDRESS, "192.0.2.1", NULL,
          "too many new registrations (10) from this IP address, 192.0.2.1, in the last 3h0m0s, retry after "
          "2026-11-24 12:18:00 UTC" SEE "new-registrations-per-ip-address" },
        { LIMIT_ACCOUNTS_PER_NETWORK, "2001:db8:1::/48", NULL,
          "too many new registrations (500) from this /48 of IPv6 addresses, 2001:db8:1::/48, in the last 3h0m0s, "
          "retry after 2026-11-24 12:00:22 UTC" SEE "new-registrations-per-ipv6-range" },
        { LIMIT_ORDERS_PER_ACCOUNT, "a1", NULL,
          "too many new orders (300) from this account, a1, in the last 3h0m0s, retry after 2026-11-24 12:00:36 UTC" SEE
          "new-orders-per-account" },
        { LIMIT_FAILURES_PER_NAME, "a1/www.example.com", "www.example.com",
          "too many failed authorizations (5) for \"www.example.com\" in the last 1h0m0s, retry after 2026-11-24 "
          "12:12:00 UTC" SEE "authorization-failures-per-identifier-per-account" },
        { LIMIT_CERTIFICATES_PER_DOMAIN, "example.com", NULL,
          "too many certificates (50) already issued for \"example.com\" in the last 168h0m0s, retry after 2026-11-24 "
          "15:21:36 UTC" SEE "new-certificates-per-registered-domain" },
        { LIMIT_CERTIFICATES_PER_SET, "0123", "a.example.com, b.example.com",
          "too many certificates (5) already issued for this exact set of identifiers (a.example.com, b.example.com) "
          "in the last 168h0m0s, retry after 2026-11-25 21:36:00 UTC" SEE
          "new-certificates-per-exact-set-of-identifiers" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f;
        open_preset(&f, "letsencrypt");
        struct taking one = taking_of(&f, cases[i].limit, cases[i].subject);
        one.asks[0].shown = cases[i].shown;
        take(&one, NOW_MS, 100000);
        assert_string_equal(one.problem.detail, cases[i].detail);
        close_fixture(&f);
    }
}

static void the_second_is_the_first_whole_one_at_which_it_passes(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    struct taking one = taking_of(&f, LIMIT_FAILURES_PER_NAME, "a1/x.example");
    assert_int_equal(take(&one, NOW_MS + 1, 6), 5);
    assert_non_null(strstr(one.problem.detail, "retry after 2026-11-24 12:12:01 UTC"));
    assert_int_equal(one.problem.retry_after_s, 720);
    assert_int_equal(take(&one, NOW_MS + 400, 1), 0);
    assert_int_equal(one.problem.retry_after_s, 720);
    assert_int_equal(take(&one, NOW_MS + 720000, 1), 0);
    assert_int_equal(one.problem.retry_after_s, 1);
    assert_int_equal(take(&one, NOW_MS + 720001, 1), 1);
    close_fixture(&f);
}

static void a_row_can_be_set_apart(void **state)
{
    (void)state;
    static const struct {
        const char *setting;
        enum limit limit;
    } rows[] = {
        { "limits.new-accounts-per-address", LIMIT_ACCOUNTS_PER_ADDRESS },
        { "limits.new-accounts-per-network", LIMIT_ACCOUNTS_PER_NETWORK },
        { "limits.new-orders-per-account", LIMIT_ORDERS_PER_ACCOUNT },
        { "limits.failed-authorizations-per-name", LIMIT_FAILURES_PER_NAME },
        { "limits.certificates-per-domain", LIMIT_CERTIFICATES_PER_DOMAIN },
        { "limits.certificates-per-domain-and-account", LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT },
        { "limits.certificates-per-exact-set", LIMIT_CERTIFICATES_PER_SET },
        { "limits.failed-authorizations-before-pause", LIMIT_FAILURES_BEFORE_PAUSE },
    };
    assert_int_equal(ARRAY_SIZE(rows), LIMITS);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct fixture f;
        open_set(&f, rows[i].setting, "3/10s");
        for (unsigned limit = 0; limit < LIMITS; limit++) {
            struct taking one = taking_of(&f, limit, "somebody");
            assert_int_equal(take(&one, NOW_MS, 4) == 3, limit == rows[i].limit);
        }
        close_fixture(&f);
    }
}

/* ---- several together */

static void a_refusal_spends_none_of_them(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    struct taking all = { .f = &f,
                          .asks = { { LIMIT_CERTIFICATES_PER_DOMAIN, "example.com", NULL, LIMIT_CLASS_SERVER },
                                    { LIMIT_CERTIFICATES_PER_SET, "0123", "example.com", LIMIT_CLASS_SERVER },
                                    { LIMIT_CERTIFICATES_PER_DOMAIN, "example.net", NULL, LIMIT_CLASS_SERVER } },
                          .count = 3 };
    struct taking com = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com");
    struct taking net = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN, "example.net");
    assert_int_equal(take(&all, NOW_MS, 20), 5);
    for (int i = 0; i < 20; i++)
        assert_int_equal(take(&all, NOW_MS, 1), 0);
    assert_int_equal(take(&com, NOW_MS, 100), 45);
    assert_int_equal(take(&net, NOW_MS, 100), 45);
    close_fixture(&f);
}

static void the_one_that_lasts_longest_speaks(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    struct taking domain = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com");
    struct taking set = taking_of(&f, LIMIT_CERTIFICATES_PER_SET, "0123");
    struct taking both = { .f = &f, .asks = { domain.asks[0], set.asks[0] }, .count = 2 };
    take(&domain, NOW_MS, 100);
    take(&set, NOW_MS, 100);
    assert_int_equal(take(&both, NOW_MS, 1), 0);
    assert_int_equal(both.problem.retry_after_s, 120960);
    assert_non_null(strstr(both.problem.detail, "exact set"));
    close_fixture(&f);
}

/* Eight threads, each with jobs of its own: the store orders them. */
static void *race(void *arg)
{
    struct taking one = taking_of(arg, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com");
    int64_t passed = 0;
    for (int i = 0; i < 32; i++)
        passed += take(&one, NOW_MS, 1);
    return (void *)(intptr_t)passed;
}

static void a_race_is_won_by_as_many_as_there_is_room_for(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    pthread_t threads[8];
    int64_t passed = 0;
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &f), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++) {
        void *result;
        pthread_join(threads[i], &result);
        passed += (intptr_t)result;
    }
    assert_int_equal(passed, 50);
    close_fixture(&f);
}

static void a_clock_that_is_put_back_leaves_a_bucket_empty_and_no_worse(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    struct taking one = taking_of(&f, LIMIT_FAILURES_PER_NAME, "a1/x.example");
    take(&one, NOW_MS + INT64_C(90) * 86400000, 5);
    assert_int_equal(take(&one, NOW_MS, 1), 0);
    assert_int_equal(one.problem.retry_after_s, 720);
    assert_int_equal(take(&one, NOW_MS + 719999, 1), 0);
    assert_int_equal(take(&one, NOW_MS + 720000, 2), 1);
    close_fixture(&f);
}

/* ---- overrides */

static void put_override(struct store_txn *txn, void *override)
{
    store_put_rate_override(txn, override);
}

static void drop_override(struct store_txn *txn, void *id)
{
    store_delete_rate_override(txn, id);
}

static void override_with(struct fixture *f, const char *id, const char *limit, const char *subject, const char *rate)
{
    struct rate_override override = { .id = id, .limit = limit, .subject = subject, .rate = rate, .created_ms = 1 };
    assert_int_equal(store_write(f->store, put_override, &override), STORE_OK);
    assert_true(limits_reload(f->limits));
}

static void an_override_counts_for_its_subject_alone(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "letsencrypt");
    struct taking one = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com");
    struct taking other = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN, "example.net");
    override_with(&f, "1", "certificates-per-domain", "example.com", "2/1h");
    assert_true(limit_is_overridden(f.limits, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com"));
    assert_false(limit_is_overridden(f.limits, LIMIT_CERTIFICATES_PER_SET, "example.com"));
    assert_int_equal(take(&one, NOW_MS, 100), 2);
    assert_int_equal(take(&other, NOW_MS, 100), 50);
    override_with(&f, "1", "certificates-per-domain", "example.com", "off");
    assert_int_equal(take(&one, NOW_MS, 100), 100);
    assert_int_equal(store_write(f.store, drop_override, (char[]) { "1" }), STORE_OK);
    assert_true(limits_reload(f.limits));
    assert_false(limit_is_overridden(f.limits, LIMIT_CERTIFICATES_PER_DOMAIN, "example.com"));
    close_fixture(&f);
}

static void an_override_turns_on_what_is_off(void **state)
{
    (void)state;
    struct fixture f;
    open_preset(&f, "off");
    override_with(&f, "1", "certificates-per-domain-and-account", "a1/example.com", "2/1h");
    struct taking one = taking_of(&f, LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, "a1/example.com");
    assert_int_equal(take(&one, NOW_MS, 100), 2);
    close_fixture(&f);
}

static int64_t rate_of(const struct fixture *f, const char *domain)
{
    const struct limit_ask ask = { .limit = LIMIT_CERTIFICATES_PER_DOMAIN, .subject = domain };
    return limit_rate(f->limits, &ask).count;
}

static void thousands_of_overrides_are_found(void **state)
{
    (void)state;
    struct fixture f;
    char id[16], subject[32];
    open_preset(&f, "letsencrypt");
    for (int i = 0; i < 2345; i++) {
        struct rate_override override = {
            .id = id, .limit = "certificates-per-domain", .subject = subject, .rate = "7/1h", .created_ms = 1
        };
        snprintf(id, sizeof id, "%d", i);
        snprintf(subject, sizeof subject, "d%d.example", i);
        assert_int_equal(store_write(f.store, put_override, &override), STORE_OK);
    }
    assert_true(limits_reload(f.limits));
    for (int i = 0; i < 2345; i++) {
        snprintf(subject, sizeof subject, "d%d.example", i);
        assert_int_equal(rate_of(&f, subject), 7);
    }
    assert_int_equal(rate_of(&f, "d2345.example"), 50);
    close_fixture(&f);
}

struct operator
{
    struct fixture *f;
    int number;
    int lost; /* overrides that were not in force although they had been added */
};

static void *add_overrides(void *arg)
{
    struct operator* operator= arg;
    for (int i = 0; i < 2000; i++) {
        char id[16], subject[32];
        snprintf(id, sizeof id, "%d-%d", operator->number, i % 50);
        snprintf(subject, sizeof subject, "d%s.example", id);
        struct rate_override override = {
            .id = id, .limit = "certificates-per-domain", .subject = subject, .rate = "7/1h", .created_ms = 1
        };
        bool done =
            store_write(operator->f->store, put_override, &override) == STORE_OK && limits_reload(operator->f->limits);
        operator->lost += !done || rate_of(operator->f, subject) != 7;
        done = store_write(operator->f->store, drop_override, id) == STORE_OK && limits_reload(operator->f->limits);
        operator->lost += !done || rate_of(operator->f, subject) != 50;
    }
    return NULL;
}

static void operators_do_not_undo_each_others_overrides(void **state)
{
    (void)state;
    struct fixture f;
    struct operator operators[4];
    pthread_t threads[ARRAY_SIZE(operators)];
    open_preset(&f, "letsencrypt");
    for (int i = 0; i < (int)ARRAY_SIZE(operators); i++) {
        operators[i] = (struct operator) { &f, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, add_overrides, &operators[i]), 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(operators[i].lost, 0);
    }
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_limit_holds_in_each_preset),
        cmocka_unit_test(odd_shares_are_kept_to_the_microsecond),
        cmocka_unit_test(what_only_an_override_turns_on_is_off_in_each_preset),
        cmocka_unit_test(each_refusal_says_count_window_subject_and_second),
        cmocka_unit_test(the_second_is_the_first_whole_one_at_which_it_passes),
        cmocka_unit_test(a_row_can_be_set_apart),
        cmocka_unit_test(a_refusal_spends_none_of_them),
        cmocka_unit_test(the_one_that_lasts_longest_speaks),
        cmocka_unit_test(a_race_is_won_by_as_many_as_there_is_room_for),
        cmocka_unit_test(a_clock_that_is_put_back_leaves_a_bucket_empty_and_no_worse),
        cmocka_unit_test(an_override_counts_for_its_subject_alone),
        cmocka_unit_test(an_override_turns_on_what_is_off),
        cmocka_unit_test(thousands_of_overrides_are_found),
        cmocka_unit_test(operators_do_not_undo_each_others_overrides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
