/* What makes an order ready, with as many names and as long traces as there can be. */
#include "server/protocol/order.h"

#include "tests/unit.h"

enum { NAMES = 100, TRACE_BYTES = 16000, NOW_MS = 1000, TEXT_MAX = 32 };

struct fixture {
    struct store *store;
    struct arena *arena;
    struct order order;
};

static void put_proofs(struct store_txn *txn, void *arg)
{
    struct fixture *f = arg;
    char *trace = arena_alloc(f->arena, TRACE_BYTES + 1);
    assert_non_null(trace);
    memset(trace, ' ', TRACE_BYTES);
    memcpy(trace, "[]", 2);
    struct challenge challenge = { .type = "http-01", .state = CHALLENGE_VALID, .token = "t", .trace = trace };
    for (size_t i = 0; i < f->order.authorizations.count; i++) {
        const struct authorization proof = { .id = f->order.authorizations.items[i],
                                             .account = "a",
                                             .state = AUTHORIZATION_VALID,
                                             .identifier = { IDENTIFIER_DNS, "many.test" },
                                             .created_ms = 1,
                                             .expires_ms = NOW_MS + 1,
                                             .challenges = { &challenge, 1 } };
        store_put_authorization(txn, &proof);
    }
}

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(1 << 20);
    const char **ids = arena_array(f->arena, NAMES, sizeof *ids);
    for (int i = 0; i < NAMES; i++)
        ids[i] = arena_printf(f->arena, "z%d", i);
    f->order = (struct order) { .id = "o", .account = "a", .authorizations = { ids, NAMES } };
    assert_int_equal(store_open(&options, &f->store, why), STORE_OK);
    assert_int_equal(store_write(f->store, put_proofs, f), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_drop(f->store);
    arena_drop(f->arena);
    free(f);
    return 0;
}

static bool is_proved(const struct fixture *f, const char *decided, int64_t now_ms)
{
    AUTO(store_txn) txn = store_begin_read(f->store);
    bool proved = order_is_proved(txn, &f->order, &(struct authorization) { .id = decided }, now_ms);
    assert_int_equal(store_txn_status(txn), STORE_OK);
    return proved;
}

static void many_proofs_with_long_traces_are_read(void **state)
{
    assert_true(is_proved(*state, "z0", NOW_MS));
}

static void one_that_ran_out_is_no_proof(void **state)
{
    assert_false(is_proved(*state, "z0", NOW_MS + 1));
}

static void the_one_just_decided_need_not_be_stored(void **state)
{
    struct fixture *f = *state;
    f->order.authorizations.items[7] = "new";
    assert_true(is_proved(f, "new", NOW_MS));
    assert_false(is_proved(f, "z0", NOW_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_proofs_with_long_traces_are_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_ran_out_is_no_proof, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_one_just_decided_need_not_be_stored, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
