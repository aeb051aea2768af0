/* An order that a restart finds in processing, when much may have changed: whether it becomes a certificate. */
#include "server/protocol/issuance.h"

#include "server/limits/limit.h"
#include "server/protocol/later.h"
#include "server/protocol/recheck.h"
#include "server/webhook/webhook.h"
#include "test-client/csr_make.h"
#include "tests/server/settings_help.h"
#include "tests/validators/dns_server.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CAA = 257, SERVFAIL = 2, PATIENCE_MS = 20000, LOG_MAX_BYTES = 4096, HOUR_MS = 3600000 };

static const char *const us[] = { "0 issue caraway.test" }, *const others[] = { "0 issue other.test" };
static const struct dns_row allowed = { "a.test", CAA, DNS_ANSWER, 0, NULL, us, 1 };
static const struct dns_row forbidden = { "a.test", CAA, DNS_ANSWER, 0, NULL, others, 1 };
static const struct dns_row broken = { "a.test", CAA, DNS_ANSWER, SERVFAIL, NULL, NULL, 0 };
static const struct dns_row silent = { "a.test", CAA, DNS_SILENCE, 0, NULL, NULL, 0 };

struct fixture {
    struct settings *settings;
    struct caraway caraway;
    struct arena *arena;
    struct dns_server *dns;
    struct account account;
    struct challenge challenge;
    struct authorization authorization;
    struct acme_identifier name;
    const char *authorizations[1];
    struct order order;
    int log;
};

static void make_csr(struct fixture *f)
{
    AUTO_BUF(der, TC_CSR_MAX);
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    AUTO(tc_csr_key) key = tc_csr_key_create(pkey);
    assert_true(key != NULL && tc_csr_make(key, &f->name, 1, &der));
    f->order.csr = bytes_of(arena_text_of(f->arena, buf_bytes(&der)), der.len);
    assert_non_null(f->order.csr.data);
}

static void make_records(struct fixture *f)
{
    int64_t now_ms = world_now_ms(world_real());
    f->account = (struct account) { .id = "a", .state = ACCOUNT_VALID, .created_ms = 1 };
    f->name = (struct acme_identifier) { IDENTIFIER_DNS, "a.test" };
    f->challenge =
        (struct challenge) { .type = "http-01", .state = CHALLENGE_VALID, .validated_ms = now_ms - 8 * HOUR_MS };
    f->authorization = (struct authorization) { .id = "z",
                                                .account = "a",
                                                .state = AUTHORIZATION_VALID,
                                                .identifier = f->name,
                                                .created_ms = 1,
                                                .expires_ms = now_ms + HOUR_MS,
                                                .challenges = { &f->challenge, 1 } };
    f->authorizations[0] = "z";
    f->order = (struct order) { .id = "o",
                                .account = "a",
                                .state = ORDER_PROCESSING,
                                .identifiers = { &f->name, 1 },
                                .authorizations = { f->authorizations, 1 },
                                .profile = "classic",
                                .created_ms = 1,
                                .expires_ms = now_ms + HOUR_MS };
    make_csr(f);
}

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    struct ca_options ca = { .name = "Test", .threads = 1, .world = world_real() };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->arena = arena_create(1 << 20);
    f->settings = set_good("finalize.mode", "async");
    f->log = memfd_create("log", MFD_CLOEXEC);
    f->caraway = (struct caraway) { .world = world_real(),
                                    .settings = f->settings,
                                    .log = log_open(f->log, LOG_LEVEL_INFO, LOG_FORMAT_JSON, world_real()),
                                    .webhook = webhook_create(f->settings),
                                    .later = later_start(world_real()),
                                    .rechecks = rechecks_create(),
                                    .issuances = issuances_create() };
    assert_true(ca_open(&ca, &f->caraway.ca, why));
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    f->caraway.limits = limits_create(f->settings, f->caraway.store);
    make_records(f);
    *state = f;
    return 0;
}

/* As caraway_close does. */
static int tear_down(void **state)
{
    struct fixture *f = *state;
    later_drop(f->caraway.later);
    validators_drop(f->caraway.validators);
    if (f->dns != NULL)
        dns_server_stop(f->dns);
    ca_drop(f->caraway.ca);
    store_drop(f->caraway.store);
    limits_drop(f->caraway.limits);
    webhook_drop(f->caraway.webhook);
    issuances_drop(f->caraway.issuances);
    rechecks_drop(f->caraway.rechecks);
    settings_drop(f->settings);
    log_drop(f->caraway.log);
    close(f->log);
    arena_drop(f->arena);
    free(f);
    return 0;
}

static void put(struct store_txn *txn, void *fixture)
{
    struct fixture *f = fixture;
    store_put_account(txn, &f->account);
    if (f->authorization.id != NULL)
        store_put_authorization(txn, &f->authorization);
    store_put_order(txn, &f->order);
}

static void resume(struct fixture *f, const struct dns_row *row)
{
    struct validators_options options = test_options();
    char address[40];
    f->dns = dns_server_start(row, 1);
    snprintf(address, sizeof address, "127.0.0.1:%u", dns_server_port(f->dns));
    options.dns_server = address;
    options.caa_mode = CAA_ENFORCE;
    f->caraway.validators = test_validators(&options);
    assert_int_equal(store_write(f->caraway.store, put, f), STORE_OK);
    assert_true(issuances_resume(&f->caraway));
}

static struct order stored_order(struct fixture *f)
{
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct order found;
    assert_true(store_get_order(txn, f->arena, "o", &found));
    return found;
}

static void await_end(const struct fixture *f)
{
    char text[LOG_MAX_BYTES] = "";
    int64_t until = monotonic_ms() + PATIENCE_MS;
    while (strstr(text, "certificate.") == NULL && monotonic_ms() < until)
        assert_true(pread(f->log, text, sizeof text - 1, 0) >= 0);
}

/* Refused, and before anything was signed for it. */
static void assert_refused(struct fixture *f, const struct dns_row *row, const char *problem, const char *detail)
{
    struct ca *ca = TAKE(f->caraway.ca);
    resume(f, row);
    await_end(f);
    f->caraway.ca = ca;
    struct order order = stored_order(f);
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    struct store_page page;
    assert_int_equal(order.state, ORDER_INVALID);
    assert_non_null(order.error);
    assert_has(order.error, problem);
    assert_has(order.error, detail);
    assert_int_equal(order.csr.len, 0);
    assert_true(store_list_all(txn, f->arena, RECORD_certificate, NULL, 2, false, &page));
    assert_int_equal(page.ids.count, 0);
}

static void what_still_holds_is_signed(void **state)
{
    struct fixture *f = *state;
    resume(f, &allowed);
    await_end(f);
    assert_int_equal(stored_order(f).state, ORDER_VALID);
    assert_true(dns_server_questions(f->dns) > 0);
}

static void a_fresh_proof_needs_no_question(void **state)
{
    struct fixture *f = *state;
    f->challenge.validated_ms += 2 * HOUR_MS;
    resume(f, &forbidden);
    await_end(f);
    assert_int_equal(stored_order(f).state, ORDER_VALID);
    assert_int_equal(dns_server_questions(f->dns), 0);
}

static void caa_may_forbid_it_meanwhile(void **state)
{
    assert_refused(*state, &forbidden, ":caa\"", "prevents issuance for a.test");
}

static void no_answer_forbids_it(void **state)
{
    assert_refused(*state, &broken, ":dns\"", "it is not known whether CAA allows a.test");
}

static void an_authorization_may_have_expired(void **state)
{
    struct fixture *f = *state;
    f->authorization.expires_ms = world_now_ms(world_real()) - 1;
    assert_refused(f, &allowed, ":unauthorized\"", "is expired by now");
    assert_int_equal(dns_server_questions(f->dns), 0);
}

static void an_authorization_may_have_been_deactivated(void **state)
{
    struct fixture *f = *state;
    f->authorization.state = AUTHORIZATION_DEACTIVATED;
    assert_refused(f, &allowed, ":unauthorized\"", "is deactivated by now");
}

static void an_authorization_may_be_gone(void **state)
{
    struct fixture *f = *state;
    f->authorization.id = NULL;
    assert_refused(f, &allowed, ":unauthorized\"", "has expired long ago");
}

static void the_account_may_have_been_closed(void **state)
{
    struct fixture *f = *state;
    f->account.state = ACCOUNT_DEACTIVATED;
    assert_refused(f, &allowed, ":unauthorized\"", "deactivated");
}

static void the_profile_may_be_gone(void **state)
{
    struct fixture *f = *state;
    f->order.profile = "gone";
    assert_refused(f, &allowed, ":invalidProfile\"", "no longer offered");
}

static void a_stop_leaves_it_to_the_next_start(void **state)
{
    struct fixture *f = *state;
    resume(f, &silent);
    dns_server_wait(f->dns, 1);
    rechecks_close(f->caraway.rechecks);
    assert_int_equal(stored_order(f).state, ORDER_PROCESSING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_still_holds_is_signed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_fresh_proof_needs_no_question, set_up, tear_down),
        cmocka_unit_test_setup_teardown(caa_may_forbid_it_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_answer_forbids_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_may_have_expired, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_may_have_been_deactivated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_authorization_may_be_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_account_may_have_been_closed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_profile_may_be_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_stop_leaves_it_to_the_next_start, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
