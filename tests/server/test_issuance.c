/* What becomes of a signature that nobody waits for when the store fails for a while: the order ends, without a restart
 * and with the one certificate that was signed. */
#include "server/protocol/issuance.h"

#include "server/limits/limit.h"
#include "server/protocol/later.h"
#include "server/webhook/webhook.h"
#include "storage/driver.h"
#include "test-client/csr_make.h"
#include "tests/server/settings_help.h"

#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FAILURES = 5, PATIENCE_MS = 20000, STEP_MS = 10000, LOG_MAX_BYTES = 4096 };
#define FAR_MS INT64_C(200000000000000) /* a clock that is moved does not come there */

/* The memory driver, but for commits that fail; those that lie have stored what they report as lost. */
static atomic_int failures_left, lies_left;

static enum store_status commit(void *txn)
{
    if (lies_left > 0) {
        lies_left--;
        (void)driver_memory.commit(txn);
        return STORE_IO;
    }
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
    struct arena *arena;
    struct order order;
    struct authorization authorization;
    int log;
};

static void put(struct store_txn *txn, void *fixture)
{
    static const struct account account = { .id = "a", .state = ACCOUNT_VALID, .created_ms = 1 };
    struct fixture *f = fixture;
    store_put_account(txn, &account);
    store_put_authorization(txn, &f->authorization);
    store_put_order(txn, &f->order);
}

static int set_up(void **state)
{
    static struct acme_identifier name = { IDENTIFIER_DNS, "issued.test" };
    static struct challenge challenge = { .type = "http-01", .state = CHALLENGE_VALID, .validated_ms = 1 };
    static const char *authorizations[] = { "z" };
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(1 << 20);
    f->driver = driver_memory;
    f->driver.commit = commit;
    f->world = world_movable(&f->clock);
    f->settings = set_good("finalize.mode", "async");
    f->caraway = (struct caraway) { .world = &f->world, .settings = f->settings };
    f->log = memfd_create("log", MFD_CLOEXEC);
    f->caraway.log = log_open(f->log, LOG_LEVEL_INFO, LOG_FORMAT_JSON, world_real());
    struct ca_options ca = { .name = "Test", .threads = 1, .world = &f->world };
    assert_true(ca_open(&ca, &f->caraway.ca, why));
    assert_int_equal(store_open_driver(&f->driver, &options, &f->caraway.store, why), STORE_OK);
    f->caraway.limits = limits_create(f->settings, f->caraway.store);
    f->caraway.webhook = webhook_create(f->settings);
    f->caraway.later = later_start(&f->world);
    f->caraway.issuances = issuances_create();
    f->order = (struct order) { .id = "o",
                                .account = "a",
                                .state = ORDER_PROCESSING,
                                .identifiers = { &name, 1 },
                                .authorizations = { authorizations, 1 },
                                .profile = "classic",
                                .created_ms = 1,
                                .expires_ms = FAR_MS };
    f->authorization = (struct authorization) { .id = "z",
                                                .account = "a",
                                                .state = AUTHORIZATION_VALID,
                                                .identifier = name,
                                                .created_ms = 1,
                                                .expires_ms = FAR_MS,
                                                .challenges = { &challenge, 1 } };
    assert_int_equal(store_write(f->caraway.store, put, f), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    later_drop(f->caraway.later);
    ca_drop(f->caraway.ca);
    store_drop(f->caraway.store);
    issuances_drop(f->caraway.issuances);
    webhook_drop(f->caraway.webhook);
    limits_drop(f->caraway.limits);
    settings_drop(f->settings);
    log_drop(f->caraway.log);
    close(f->log);
    arena_drop(f->arena);
    free(f);
    return 0;
}

static void start(struct fixture *f)
{
    AUTO_BUF(der, TC_CSR_MAX);
    char why[CSR_WHY_SIZE];
    struct csr *csr;
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(tc_csr_key) key = tc_csr_key_create(pkey);
    assert_true(tc_csr_make(key, f->order.identifiers.items, f->order.identifiers.count, &der));
    assert_int_equal(csr_parse(buf_bytes(&der), &csr, why), CSR_OK);
    struct issuance *issuance = issuance_create(&f->caraway, &f->order, csr);
    assert_non_null(issuance);
    issuance_start_detached(issuance, &f->order);
}

static struct order stored_order(struct fixture *f)
{
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct order found;
    arena_reset(f->arena);
    assert_true(store_get_order(txn, f->arena, "o", &found));
    return found;
}

static bool log_says(const struct fixture *f, const char *event)
{
    char text[LOG_MAX_BYTES] = "";
    assert_true(pread(f->log, text, sizeof text - 1, 0) >= 0);
    return strstr(text, event) != NULL;
}

/* Moves the clock on, as often as it takes to be behind the next try. */
static struct order outcome(struct fixture *f)
{
    int64_t until = monotonic_ms() + PATIENCE_MS;
    while (!log_says(f, "certificate.issued") && !log_says(f, "certificate.refused") && monotonic_ms() < until)
        world_move(&f->clock, STEP_MS);
    return stored_order(f);
}

static void assert_one_certificate(struct fixture *f, const char *serial)
{
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct store_page page;
    assert_true(store_list_all(txn, f->arena, RECORD_certificate, NULL, 2, false, &page));
    assert_int_equal(page.ids.count, 1);
    assert_string_equal(page.ids.items[0], serial);
}

static void a_certificate_is_stored_once_there_is_room(void **state)
{
    struct fixture *f = *state;
    failures_left = FAILURES;
    start(f);
    struct order order = outcome(f);
    assert_int_equal(failures_left, 0);
    assert_int_equal(order.state, ORDER_VALID);
    assert_one_certificate(f, order.certificate);
}

static void a_commit_that_was_wrongly_reported_as_lost_is_no_refusal(void **state)
{
    struct fixture *f = *state;
    lies_left = 1;
    start(f);
    struct order order = outcome(f);
    assert_int_equal(order.state, ORDER_VALID);
    assert_one_certificate(f, order.certificate);
    assert_true(log_says(f, "certificate.issued"));
}

static void a_refusal_is_stored_once_there_is_room(void **state)
{
    struct fixture *f = *state;
    failures_left = FAILURES;
    f->order.not_before_ms = 1000; /* a lifetime that the CA does not sign */
    f->order.not_after_ms = world_now_ms(&f->world);
    start(f);
    struct order order = outcome(f);
    assert_int_equal(failures_left, 0);
    assert_int_equal(order.state, ORDER_INVALID);
    assert_non_null(order.error);
}

/* Whatever it was when the signature was asked for: what counts is what holds when it is stored. */
static void a_proof_that_ended_stores_no_certificate(void **state)
{
    struct fixture *f = *state;
    f->authorization.state = AUTHORIZATION_DEACTIVATED;
    assert_int_equal(store_write(f->caraway.store, put, f), STORE_OK);
    start(f);
    struct order order = outcome(f);
    assert_int_equal(order.state, ORDER_INVALID);
    assert_null(order.certificate);
    assert_non_null(strstr(order.error, "The authorization for \\\"issued.test\\\" is deactivated by now"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_certificate_is_stored_once_there_is_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_commit_that_was_wrongly_reported_as_lost_is_no_refusal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_proof_that_ended_stores_no_certificate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_refusal_is_stored_once_there_is_room, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("issuance", tests, NULL, NULL);
}
