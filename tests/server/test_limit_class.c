/* Classes of rate limits: whose rates hold for the accounts of an external account key. */
#include "server/limits/limit_rules.h"

#include "tests/server/settings_help.h"

struct fixture {
    struct settings *settings;
    struct store *store;
    struct limits *limits;
};

static void put_records(struct store_txn *txn, void *arg)
{
    (void)arg;
    static const char *const classes[] = { NULL, "private", "off", "of a newer version" };
    static const char *const ids[] = { "none", "private", "off", "unknown" };
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        store_put_external_key(txn, &(struct external_key) { .id = ids[i], .limits = classes[i], .created_ms = 1 });
        store_put_account(txn, &(struct account) { .id = ids[i], .external_key = ids[i], .created_ms = 1 });
    }
    store_put_account(txn, &(struct account) { .id = "orphan", .external_key = "removed", .created_ms = 1 });
    store_put_account(txn, &(struct account) { .id = "free", .created_ms = 1 });
    store_put_rate_override(
        txn, &(struct rate_override) {
                 .id = "1", .limit = "new-orders-per-account", .subject = "a1", .rate = "2/1h", .created_ms = 1 });
}

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->settings = set_good("limits.new-orders-per-account", "7/1h");
    assert_int_equal(store_open(&options, &f->store, why), STORE_OK);
    assert_int_equal(store_write(f->store, put_records, NULL), STORE_OK);
    f->limits = limits_create(f->settings, f->store);
    assert_non_null(f->limits);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    limits_drop(f->limits);
    store_drop(f->store);
    settings_drop(f->settings);
    free(f);
    return 0;
}

static int64_t rate_of(const struct fixture *f, enum limit limit, const char *subject, enum limit_class class)
{
    const struct limit_ask ask = { .limit = limit, .subject = subject, .class = class };
    return limit_rate(f->limits, &ask).count;
}

static void a_class_counts_for_what_is_the_account_s(void **state)
{
    static const struct {
        enum limit limit;
        int64_t rates[LIMIT_CLASSES]; /* the server's, production, staging, private, off */
    } rows[] = {
        { LIMIT_ORDERS_PER_ACCOUNT, { 7, 300, 1500, 1000, 0 } },
        { LIMIT_FAILURES_PER_NAME, { 200, 5, 200, 20, 0 } },
        { LIMIT_FAILURES_BEFORE_PAUSE, { 3600, 1152, 3600, 0, 0 } },
        { LIMIT_CERTIFICATES_PER_DOMAIN_AND_ACCOUNT, { 0, 0, 0, 0, 0 } },
        { LIMIT_CERTIFICATES_PER_DOMAIN, { 30000, 30000, 30000, 30000, 30000 } },
        { LIMIT_CERTIFICATES_PER_SET, { 30000, 30000, 30000, 30000, 30000 } },
        { LIMIT_ACCOUNTS_PER_ADDRESS, { 50, 50, 50, 50, 50 } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        for (unsigned class = 0; class < LIMIT_CLASSES; class ++)
            assert_int_equal(rate_of(*state, rows[i].limit, "somebody", class), rows[i].rates[class]);
    }
}

static void an_override_is_stronger_than_a_class(void **state)
{
    for (unsigned class = 0; class < LIMIT_CLASSES; class ++)
        assert_int_equal(rate_of(*state, LIMIT_ORDERS_PER_ACCOUNT, "a1", class), 2);
}

static void an_account_has_that_of_its_key(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *account;
        enum limit_class class;
    } rows[] = {
        { "none", LIMIT_CLASS_SERVER },    { "private", LIMIT_CLASS_PRIVATE }, { "off", LIMIT_CLASS_OFF },
        { "unknown", LIMIT_CLASS_SERVER }, { "orphan", LIMIT_CLASS_SERVER },   { "free", LIMIT_CLASS_SERVER },
        { "nobody", LIMIT_CLASS_SERVER },
    };
    AUTO(store_txn) txn = store_begin_read(f->store);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(limit_class_of_account(txn, rows[i].account), rows[i].class);
    assert_int_equal(store_txn_status(txn), STORE_OK);
}

static void classes_are_called_like_presets(void **state)
{
    (void)state;
    enum limit_class class = LIMIT_CLASSES;
    assert_true(limit_class_from_text(NULL, &class));
    assert_int_equal(class, LIMIT_CLASS_SERVER);
    assert_true(limit_class_from_text("letsencrypt-staging", &class));
    assert_int_equal(class, LIMIT_CLASS_LETSENCRYPT_STAGING);
    assert_false(limit_class_from_text("many", &class));
    assert_int_equal(class, LIMIT_CLASS_LETSENCRYPT_STAGING);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_class_counts_for_what_is_the_account_s),
        CASE(an_override_is_stronger_than_a_class),
        CASE(an_account_has_that_of_its_key),
        CASE(classes_are_called_like_presets),
    };
    return cmocka_run_group_tests_name("limit_class", tests, NULL, NULL);
}
