/* What becomes of a validation's outcome when the store fails for a while, or when the failure is our own. */
#include "server/protocol/validation.h"

#include "server/limits/limit.h"
#include "server/protocol/later.h"
#include "storage/driver.h"
#include "tests/server/settings_help.h"

#include <semaphore.h>
#include <stdatomic.h>

enum { FAILURES = 2, PORT_NOBODY_LISTENS_ON = 1, NO_FILES = 1, OUR_TRIES = 10, PATIENCE_MS = 10000 };

/* The memory driver, but for commits that fail. */
static atomic_int failures_left;

static enum store_status commit(void *txn)
{
    if (failures_left <= 0)
        return driver_memory.commit(txn);
    failures_left--;
    driver_memory.abort(txn);
    return STORE_FULL;
}

struct fixture {
    struct store_driver driver;
    struct world world;
    struct world_jumps clock;
    struct settings *settings;
    struct caraway caraway;
    struct challenge challenge;
    struct authorization authorization;
};

static void put(struct store_txn *txn, void *authorization)
{
    store_put_authorization(txn, authorization);
}

static void open_validators(struct fixture *f, int files_below)
{
    static const char *const loopback[] = { "127.0.0.1" };
    static const struct validators_host hosts[] = { { "store.test", loopback, 1 } };
    struct validators_options options = { .threads = 1,
                                          .http_port = PORT_NOBODY_LISTENS_ON,
                                          .tls_port = PORT_NOBODY_LISTENS_ON,
                                          .hosts = hosts,
                                          .host_count = 1,
                                          .allow_addresses = loopback,
                                          .allow_address_count = 1,
                                          .dns_timeout_ms = 1000,
                                          .connect_timeout_ms = 1000,
                                          .total_timeout_ms = 2000,
                                          .files_below = files_below,
                                          .user_agent = "test" };
    char why[VALIDATORS_WHY_SIZE];
    assert_true(validators_open(&options, &f->caraway.validators, why));
}

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->driver = driver_memory;
    f->driver.commit = commit;
    f->world = world_movable(&f->clock);
    f->settings = set_good("validation.tries", "1");
    f->caraway = (struct caraway) { .world = &f->world, .settings = f->settings };
    assert_int_equal(store_open_driver(&f->driver, &options, &f->caraway.store, why), STORE_OK);
    f->caraway.limits = limits_create(f->settings, f->caraway.store);
    f->caraway.later = later_start(&f->world);
    f->caraway.validations = validations_create();
    open_validators(f, 0);
    f->challenge = (struct challenge) { .type = "http-01", .state = CHALLENGE_PROCESSING, .token = "t" };
    f->authorization =
        (struct authorization) { .id = "z",
                                 .account = "a",
                                 .identifier = { IDENTIFIER_DNS, "store.test" },
                                 .created_ms = 1,
                                 .expires_ms = INT64_C(200000000000000) /* a clock that is moved does not come there */,
                                 .challenges = { &f->challenge, 1 } };
    assert_int_equal(store_write(f->caraway.store, put, &f->authorization), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    later_stop(f->caraway.later);
    validators_drop(f->caraway.validators);
    store_drop(f->caraway.store);
    limits_drop(f->caraway.limits);
    validations_drop(f->caraway.validations);
    later_drop(f->caraway.later);
    settings_drop(f->settings);
    free(f);
    return 0;
}

static enum authorization_state stored_state(struct fixture *f)
{
    AUTO(arena) arena = arena_create(65536);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct authorization found;
    assert_true(store_get_authorization(txn, arena, "z", &found));
    return found.state;
}

static void begin(struct fixture *f)
{
    struct attempt *attempt = attempt_create(&f->caraway, &f->authorization, &f->challenge,
                                             &(struct account) { .id = "a", .thumbprint = "thumbprint" });
    assert_non_null(attempt);
    attempt_begin(attempt);
}

static void an_outcome_is_stored_once_there_is_room(void **state)
{
    struct fixture *f = *state;
    failures_left = FAILURES;
    begin(f);
    for (int64_t until = monotonic_ms() + PATIENCE_MS;
         stored_state(f) == AUTHORIZATION_PENDING && monotonic_ms() < until;)
        world_move(&f->clock, f->settings->validation_retry_interval_ms); /* as often as it takes to be behind */
    assert_int_equal(failures_left, 0);
    assert_int_equal(stored_state(f), AUTHORIZATION_INVALID);
}

static void stored_challenge(struct fixture *f, struct arena *arena, struct challenge *out)
{
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct authorization found;
    assert_true(store_get_authorization(txn, arena, "z", &found));
    *out = found.challenges.items[0];
}

static void await_failures(struct fixture *f, struct arena *arena, size_t count, struct challenge *out)
{
    int64_t until = monotonic_ms() + PATIENCE_MS;
    for (stored_challenge(f, arena, out); out->failures.count < count; stored_challenge(f, arena, out)) {
        assert_true(monotonic_ms() < until);
        world_move(&f->clock, f->settings->validation_retry_interval_ms);
        arena_reset(arena);
    }
}

/* Descriptors have run out behind a challenge that was taken: RFC 8555 §8.2 has it stay in processing and show why. */
static void a_want_of_our_own_is_tried_again_though_others_are_not(void **state)
{
    struct fixture *f = *state;
    struct challenge challenge;
    AUTO(arena) arena = arena_create(1 << 20);
    validators_drop(f->caraway.validators);
    open_validators(f, NO_FILES);
    assert_false(validators_have_room(f->caraway.validators));
    begin(f);
    await_failures(f, arena, 1, &challenge);
    assert_int_equal(challenge.state, CHALLENGE_PROCESSING);
    assert_int_equal(stored_state(f), AUTHORIZATION_PENDING);
    assert_non_null(strstr(challenge.failures.items[0], "serverInternal"));
    await_failures(f, arena, OUR_TRIES, &challenge);
    assert_int_equal(challenge.state, CHALLENGE_INVALID);
    assert_int_equal(stored_state(f), AUTHORIZATION_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_outcome_is_stored_once_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_want_of_our_own_is_tried_again_though_others_are_not, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
