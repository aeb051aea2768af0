/* What finalize refuses before anything is signed, by an order put straight into the store. */
#include "server/protocol/finalize.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/limits/limit.h"
#include "test-client/csr_make.h"
#include "tests/server/settings_help.h"

enum { NOW_MS = 1000000, EXPIRES_MS = NOW_MS + 1 };

struct fixture {
    struct settings *settings;
    struct caraway caraway;
    struct arena *arena;
    struct order order;
};

static int set_up(void **state)
{
    static struct acme_identifier name = { IDENTIFIER_DNS, "final.test" };
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(1 << 20);
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    f->settings = set_good("finalize.mode", "async");
    f->caraway.settings = f->settings;
    f->caraway.limits = limits_create(f->settings, f->caraway.store);
    assert_non_null(f->caraway.limits);
    f->order = (struct order) { .id = "o",
                                .account = "a",
                                .state = ORDER_READY,
                                .identifiers = { &name, 1 },
                                .profile = "classic",
                                .created_ms = 1,
                                .expires_ms = EXPIRES_MS };
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    limits_drop(f->caraway.limits);
    settings_drop(f->settings);
    store_drop(f->caraway.store);
    arena_drop(f->arena);
    free(f);
    return 0;
}

static void put(struct store_txn *txn, void *order)
{
    static const struct account account = { .id = "a", .state = ACCOUNT_VALID, .created_ms = 1 };
    store_put_account(txn, &account);
    store_put_order(txn, order);
}

static const char *make_csr(struct fixture *f)
{
    AUTO_BUF(der, TC_CSR_MAX);
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(tc_csr_key) key = tc_csr_key_create(pkey);
    assert_true(key != NULL && tc_csr_make(key, f->order.identifiers.items, f->order.identifiers.count, &der));
    return arena_b64url(f->arena, buf_bytes(&der));
}

/* The refusal of a finalize with this payload; the test fails when it is none. */
static struct acme_problem refusal(struct fixture *f, const char *payload)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(jwk) key = jwk_from_pkey(pkey);
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(payload), why);
    assert_int_equal(store_write(f->caraway.store, put, &f->order), STORE_OK);
    struct request rq = {
        .caraway = &f->caraway,
        .arena = f->arena,
        .params = { "o" },
        .key = key,
        .account = { .id = "a" },
        .payload = object,
        .now_ms = NOW_MS,
    };
    assert_non_null(object);
    assert_false(order_finalize(&rq));
    if (rq.release != NULL)
        rq.release(&rq);
    return rq.problem;
}

static struct acme_problem refusal_of_csr(struct fixture *f)
{
    return refusal(f, arena_printf(f->arena, "{\"csr\":\"%s\"}", make_csr(f)));
}

/* [profiles-4-5] */
static void a_profile_that_is_no_longer_issued_is_named(void **state)
{
    struct fixture *f = *state;
    f->order.profile = "gone";
    struct acme_problem problem = refusal_of_csr(f);
    assert_int_equal(problem.type, PROBLEM_INVALID_PROFILE);
    assert_non_null(strstr(problem.detail, "gone"));
}

static void only_a_ready_order_is_taken(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = ORDER_PENDING; i < ORDER_STATES; i++) {
        if (i == ORDER_READY)
            continue;
        f->order.state = i;
        struct acme_problem problem = refusal_of_csr(f);
        assert_int_equal(problem.type, PROBLEM_ORDER_NOT_READY);
        assert_int_equal(problem.status, 403);
    }
}

static void an_order_is_late_at_the_millisecond_of_its_expiry(void **state)
{
    struct fixture *f = *state;
    f->order.profile = "gone"; /* the check behind the one for its state */
    assert_int_equal(refusal_of_csr(f).type, PROBLEM_INVALID_PROFILE);
    f->order.expires_ms = NOW_MS;
    assert_int_equal(refusal_of_csr(f).type, PROBLEM_ORDER_NOT_READY);
}

static void put_proof(struct store_txn *txn, void *authorization)
{
    store_put_authorization(txn, authorization);
}

static void an_authorization_that_ended_makes_it_invalid(void **state)
{
    struct fixture *f = *state;
    const char *ids[] = { "z" };
    struct authorization proof = { .id = "z",
                                   .account = "a",
                                   .identifier = f->order.identifiers.items[0],
                                   .created_ms = 1,
                                   .expires_ms = EXPIRES_MS };
    f->order.authorizations = (struct texts) { ids, 1 };
    for (unsigned i = AUTHORIZATION_PENDING; i < AUTHORIZATION_STATES; i++) {
        bool good = i == AUTHORIZATION_PENDING || i == AUTHORIZATION_VALID;
        proof.state = i;
        f->order.profile = "gone"; /* the check behind the one for its state */
        assert_int_equal(store_write(f->caraway.store, put_proof, &proof), STORE_OK);
        assert_int_equal(refusal_of_csr(f).type, good ? PROBLEM_INVALID_PROFILE : PROBLEM_ORDER_NOT_READY);
    }
}

static void an_authorization_that_was_pruned_had_expired(void **state)
{
    struct fixture *f = *state;
    const char *ids[] = { "z" };
    f->order.authorizations = (struct texts) { ids, 1 };
    assert_int_equal(refusal_of_csr(f).type, PROBLEM_ORDER_NOT_READY);
}

static void the_order_of_another_account_is_closed(void **state)
{
    struct fixture *f = *state;
    f->order.account = "b";
    assert_int_equal(refusal_of_csr(f).type, PROBLEM_UNAUTHORIZED);
}

static void a_csr_must_come(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(refusal(f, "{}").type, PROBLEM_MALFORMED);
    assert_int_equal(refusal(f, "{\"csr\":\"\"}").type, PROBLEM_MALFORMED);
    assert_int_equal(refusal(f, "{\"csr\":7}").type, PROBLEM_MALFORMED);
    assert_int_equal(refusal(f, "{\"csr\":\"AAAA\"}").type, PROBLEM_BAD_CSR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_profile_that_is_no_longer_issued_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_a_ready_order_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_order_is_late_at_the_millisecond_of_its_expiry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_that_ended_makes_it_invalid, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_that_was_pruned_had_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_order_of_another_account_is_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_csr_must_come, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
