/* After any sequence of puts, replacements and deletions every index holds exactly what the records say. */
#include "tests/storage/fixture.h"
#include "tests/storage/spy.h"

#include <stdio.h>

enum { SLOTS = 8, NAMES = 4, ROUNDS = 400 };

static const char *const accounts[] = { "a0", "a1", "a2" };
static struct acme_identifier names[NAMES] = { { IDENTIFIER_DNS, "a.test" },
                                               { IDENTIFIER_DNS, "b.a.test" },
                                               { IDENTIFIER_DNS, "*.a.test" },
                                               { IDENTIFIER_IP, "192.0.2.1" } };
static const uint8_t hashes[][2] = { { 0, 1 }, { 0xab, 0xcd } };

/* What is in the store, kept beside it. */
struct model {
    struct authorization authorizations[SLOTS];
    struct certificate certificates[SLOTS];
    struct challenge challenges[SLOTS];
    struct acme_identifier lists[SLOTS][NAMES];
    char ids[SLOTS][8];
    bool authorization_there[SLOTS], certificate_there[SLOTS];
    uint64_t dice;
};

/* The same sequence in every run. */
static unsigned roll(struct model *model, unsigned sides)
{
    model->dice = model->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(model->dice >> 33) % sides;
}

static void roll_authorization(struct model *model, size_t slot)
{
    model->challenges[slot] = (struct challenge) { .type = "dns-01", .state = roll(model, CHALLENGE_STATES) };
    model->authorizations[slot] = (struct authorization) { .id = model->ids[slot],
                                                           .state = roll(model, 2), /* pending or valid */
                                                           .account = accounts[roll(model, 3)],
                                                           .identifier = names[roll(model, 2)],
                                                           .wildcard = roll(model, 2) == 1,
                                                           .expires_ms = roll(model, 4) * 1000,
                                                           .challenges = { &model->challenges[slot], roll(model, 2) } };
}

static void roll_certificate(struct model *model, size_t slot)
{
    size_t count = roll(model, NAMES + 1);
    for (size_t i = 0; i < count; i++)
        model->lists[slot][i] = names[roll(model, NAMES)];
    model->certificates[slot] = (struct certificate) { .serial = model->ids[slot],
                                                       .account = accounts[roll(model, 3)],
                                                       .identifiers = { model->lists[slot], count },
                                                       .not_after_ms = roll(model, 4) * 1000,
                                                       .key_hash = { hashes[roll(model, 2)], roll(model, 2) * 2 } };
}

static void one_step(struct store_txn *txn, void *arg)
{
    struct model *model = arg;
    size_t slot = roll(model, SLOTS);
    bool keep = roll(model, 4) != 0;
    if (roll(model, 2) == 0) {
        roll_authorization(model, slot);
        model->authorization_there[slot] = keep;
        if (keep)
            store_put_authorization(txn, &model->authorizations[slot]);
        else
            store_delete_authorization(txn, model->ids[slot]);
    } else {
        roll_certificate(model, slot);
        model->certificate_there[slot] = keep;
        if (keep)
            store_put_certificate(txn, &model->certificates[slot]);
        else
            store_delete_certificate(txn, model->ids[slot]);
    }
}

static void assert_index(struct fixture *fixture, struct store_txn *txn, enum store_index index, const char *subject,
                         const struct buf *expected)
{
    struct store_page page;
    assert_true(store_list(txn, fixture->arena, index, subject, NULL, 100, false, &page));
    AUTO_BUF(found, 1 << 12);
    for (size_t i = 0; i < page.ids.count; i++)
        buf_printf(&found, "%s ", page.ids.items[i]);
    assert_string_equal(buf_str(&found), buf_str(expected));
}

/* Collects the ids of the slots in which `condition` holds for `record`. */
#define EXPECT(kind, condition)                                                                                        \
    AUTO_BUF(expected, 1 << 12);                                                                                       \
    for (size_t at = 0; at < SLOTS; at++) {                                                                            \
        const struct kind *record = &model->kind##s[at];                                                               \
        if (model->kind##_there[at] && (condition))                                                                    \
            buf_printf(&expected, "%s ", model->ids[at]);                                                              \
    }

static bool names_contain(const struct identifiers *list, const struct acme_identifier *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (identifier_compare(&list->items[i], name) == 0)
            return true;
    return false;
}

static void check_authorizations(struct fixture *fixture, struct model *model, struct store_txn *txn)
{
    for (size_t a = 0; a < ARRAY_SIZE(accounts); a++)
        for (size_t n = 0; n < 2; n++)
            for (int wild = 0; wild < 2; wild++) {
                EXPECT(authorization, record->account == accounts[a] && record->identifier.value == names[n].value &&
                                          record->wildcard == (wild == 1) && record->state == AUTHORIZATION_VALID);
                assert_index(fixture, txn, STORE_AUTHORIZATION_BY_NAME,
                             store_subject_of_authorization(fixture->arena, accounts[a], &names[n],
                                                            wild == 1 ? SCOPE_WILDCARD : SCOPE_NAME),
                             &expected);
            }
    EXPECT(authorization, record->challenges.count > 0 && record->challenges.items[0].state == CHALLENGE_PROCESSING);
    assert_index(fixture, txn, STORE_AUTHORIZATION_PROCESSING, "", &expected);
}

static void check_certificates(struct fixture *fixture, struct model *model, struct store_txn *txn)
{
    for (size_t a = 0; a < ARRAY_SIZE(accounts); a++) {
        EXPECT(certificate, record->account == accounts[a]);
        assert_index(fixture, txn, STORE_CERTIFICATE_BY_ACCOUNT, accounts[a], &expected);
    }
    for (size_t n = 0; n < NAMES; n++) {
        EXPECT(certificate, names_contain(&record->identifiers, &names[n]));
        assert_index(fixture, txn, STORE_CERTIFICATE_BY_NAME, store_subject_of_name(fixture->arena, &names[n]),
                     &expected);
    }
    for (size_t slot = 0; slot < SLOTS; slot++) {
        const struct identifiers *set = &model->certificates[slot].identifiers;
        if (!model->certificate_there[slot] || set->count == 0)
            continue;
        const char *subject = store_subject_of_set(fixture->arena, set);
        EXPECT(certificate, record->identifiers.count > 0 &&
                                strcmp(store_subject_of_set(fixture->arena, &record->identifiers), subject) == 0);
        assert_index(fixture, txn, STORE_CERTIFICATE_BY_SET, subject, &expected);
    }
    EXPECT(certificate, record->key_hash.len > 0 && record->key_hash.data == hashes[1]);
    assert_index(fixture, txn, STORE_CERTIFICATE_BY_KEY, "abcd", &expected);
}

static void check_expiry(struct fixture *fixture, struct model *model, struct store_txn *txn)
{
    AUTO_BUF(all, 1 << 12);
    for (int64_t time = 1000; time <= 3000; time += 1000) {
        EXPECT(certificate, record->not_after_ms == time);
        buf_text(&all, buf_str(&expected));
    }
    assert_index(fixture, txn, STORE_EXPIRY_CERTIFICATE, "", &all);
    buf_clear(&all);
    for (int64_t time = 1000; time <= 3000; time += 1000) {
        EXPECT(authorization, record->expires_ms == time);
        buf_text(&all, buf_str(&expected));
    }
    assert_index(fixture, txn, STORE_EXPIRY_AUTHORIZATION, "", &all);
}

static void stay_consistent(void **state)
{
    struct fixture *fixture = *state;
    struct model *model = calloc(1, sizeof *model);
    model->dice = 42;
    for (size_t i = 0; i < SLOTS; i++)
        snprintf(model->ids[i], sizeof model->ids[i], "id%zu", i);
    for (int round = 0; round < ROUNDS; round++) {
        write_ok(fixture, one_step, model);
        AUTO(store_txn) txn = store_begin_read(fixture->store);
        check_authorizations(fixture, model, txn);
        check_certificates(fixture, model, txn);
        check_expiry(fixture, model, txn);
        assert_int_equal(store_txn_status(txn), STORE_OK);
        arena_reset(fixture->arena);
    }
    free(model);
}

static void delete_everything(struct store_txn *txn, void *arg)
{
    struct model *model = arg;
    for (size_t i = 0; i < SLOTS; i++) {
        store_delete_authorization(txn, model->ids[i]);
        store_delete_certificate(txn, model->ids[i]);
    }
}

/* No key of any kind may be left behind, whichever index would look at it. */
static void deletion_leaves_no_key(void **state)
{
    (void)state;
    spy_reset();
    char why[STORE_WHY_SIZE];
    struct store *store;
    assert_int_equal(store_open_driver(&driver_spy, &(struct store_options) { .driver = "spy" }, &store, why),
                     STORE_OK);
    size_t before = spy_count_keys();
    struct model *model = calloc(1, sizeof *model);
    for (size_t i = 0; i < SLOTS; i++)
        snprintf(model->ids[i], sizeof model->ids[i], "id%zu", i);
    for (int round = 0; round < 100; round++)
        assert_int_equal(store_write(store, one_step, model), STORE_OK);
    assert_true(spy_count_keys() > before);
    assert_int_equal(store_write(store, delete_everything, model), STORE_OK);
    assert_int_equal(spy_count_keys(), before);
    free(model);
    store_drop(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE_ON_BOTH(stay_consistent),
        cmocka_unit_test(deletion_leaves_no_key),
    };
    return cmocka_run_group_tests_name("indexes", tests, NULL, NULL);
}
