#include "tests/storage/samples.h"

#include "storage/indexes.h"

static void names_are_reversed(void **state)
{
    struct arena *arena = *state;
    static const struct {
        struct acme_identifier identifier;
        const char *subject;
    } rows[] = {
        { { IDENTIFIER_DNS, "www.example.test" }, "dns:test.example.www" },
        { { IDENTIFIER_DNS, "*.example.test" }, "dns:test.example.*" },
        { { IDENTIFIER_DNS, "localhost" }, "dns:localhost" },
        { { IDENTIFIER_IP, "192.0.2.1" }, "ip:192.0.2.1" },
        { { IDENTIFIER_IP, "2001:db8::1" }, "ip:2001:db8::1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(store_subject_of_name(arena, &rows[i].identifier), rows[i].subject);
}

static void sets_ignore_order_and_doubles(void **state)
{
    struct arena *arena = *state;
    struct acme_identifier a = { IDENTIFIER_DNS, "a.test" }, b = { IDENTIFIER_DNS, "b.test" },
                           c = { IDENTIFIER_IP, "::1" };
    struct acme_identifier one[] = { a, b, c }, two[] = { c, b, a, b }, three[] = { a, b };
    const char *first = store_subject_of_set(arena, &(struct identifiers) { one, 3 });
    /* printf 'dns:a.test,dns:b.test,ip:::1' | sha256sum */
    assert_string_equal(first, "d53dd2ab51b28f2935a9b0001afa096e190b34343edb5c5a24b5a38c07e9eeec");
    assert_string_equal(first, store_subject_of_set(arena, &(struct identifiers) { two, 4 }));
    assert_string_not_equal(first, store_subject_of_set(arena, &(struct identifiers) { three, 2 }));
    assert_string_equal(two[0].value, "::1"); /* the caller's list stays as it was */
}

static void authorizations_tell_wildcards_apart(void **state)
{
    struct arena *arena = *state;
    struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    assert_string_equal(store_subject_of_authorization(arena, "acc", &name, SCOPE_NAME), "acc/dns:a.test");
    assert_string_equal(store_subject_of_authorization(arena, "acc", &name, SCOPE_WILDCARD), "acc/dns:*.a.test");
    assert_string_equal(store_subject_of_authorization(arena, "acc", &name, SCOPE_SUBDOMAINS), "acc/dns:**.a.test");
}

static void ids_have_limits(void **state)
{
    (void)state;
    char id[STORE_ID_MAX_BYTES + 2];
    memset(id, 'x', sizeof id);
    id[STORE_ID_MAX_BYTES] = '\0';
    struct key key;
    assert_true(key_of_record(RECORD_order, id, &key));
    assert_int_equal(key.len, 1 + STORE_ID_MAX_BYTES);
    id[STORE_ID_MAX_BYTES] = 'x';
    id[STORE_ID_MAX_BYTES + 1] = '\0';
    assert_false(key_of_record(RECORD_order, id, &key));
    assert_false(key_of_record(RECORD_order, "", &key));
    assert_false(key_of_setting("", &key));
}

static void long_subjects_are_hashed(void **state)
{
    (void)state;
    char subject[SUBJECT_MAX_BYTES + 2];
    memset(subject, 's', sizeof subject);
    subject[SUBJECT_MAX_BYTES] = '\0';
    struct key whole = key_of_subject(STORE_ACCOUNT_BY_KEY, subject);
    assert_int_equal(whole.len, 1 + SUBJECT_MAX_BYTES + 1);
    subject[SUBJECT_MAX_BYTES] = 's';
    subject[SUBJECT_MAX_BYTES + 1] = '\0';
    struct key hashed = key_of_subject(STORE_ACCOUNT_BY_KEY, subject);
    assert_int_equal(hashed.len, 1 + 1 + 64 + 1);
    key_add_time(&whole, INT64_MAX);
    char id[STORE_ID_MAX_BYTES + 1];
    memset(id, 'i', sizeof id);
    id[STORE_ID_MAX_BYTES] = '\0';
    key_add_id(&whole, id);
    assert_true(whole.len < KEY_MAX_BYTES && KEY_MAX_BYTES <= 511); /* room for a successor; what LMDB takes */
}

static void positions_come_back(void **state)
{
    struct arena *arena = *state;
    struct key key = key_of_subject(STORE_EXPIRY_ORDER, "");
    size_t prefix = key.len;
    key_add_time(&key, 0x0123456789abcdef);
    key_add_id(&key, "o1");
    struct bytes tail = bytes_of(key.data + prefix, key.len - prefix);
    assert_string_equal(key_id(arena, tail, true), "o1");
    const char *position = key_position(arena, tail, true);
    assert_string_equal(position, "0123456789abcdefo1");
    struct key again = key_of_subject(STORE_EXPIRY_ORDER, "");
    assert_true(key_add_position(&again, position, true));
    assert_true(bytes_equal(key_bytes(&again), key_bytes(&key)));
}

static void positions_from_outside_are_checked(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "o1",
        "0123456789abcdef",
        "0123456789ABCDEFo1",
        "8000000000000000o1",
        "0123456789abcdego1",
        " 123456789abcdefo1",
        "0123456789abcdefxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct key key = key_of_subject(STORE_EXPIRY_ORDER, "");
        if (key_add_position(&key, wrong[i], true))
            fail_msg("accepted: %s", wrong[i]);
    }
    struct key key = key_of_class(RECORD_order);
    assert_false(key_add_position(&key, "", false));
    assert_false(key_add_position(&key, wrong[7], false));
}

static void times_sort_as_numbers(void **state)
{
    (void)state;
    static const int64_t times[] = { 0, 1, 255, 256, 1700000000000, INT64_MAX };
    for (size_t i = 1; i < ARRAY_SIZE(times); i++) {
        struct key low = key_of_class(1), high = key_of_class(1);
        key_add_time(&low, times[i - 1]);
        key_add_time(&high, times[i]);
        assert_int_equal(low.len, high.len);
        assert_true(memcmp(low.data, high.data, low.len) < 0);
    }
}

static void absent_fields_have_no_keys(void **state)
{
    struct arena *arena = *state;
    struct index_keys keys = { .arena = arena };
    index_keys_of(&keys, RECORD_account, &(struct account) { .id = "a" });
    index_keys_of(&keys, RECORD_order, &(struct order) { .id = "o" });
    index_keys_of(&keys, RECORD_authorization, &(struct authorization) { .id = "z", .account = "a" });
    index_keys_of(&keys, RECORD_certificate, &(struct certificate) { .serial = "c" });
    assert_int_equal(keys.count, 0);
    assert_false(keys.failed);
}

static void a_full_arena_is_noticed(void **state)
{
    (void)state;
    AUTO(arena) small = arena_create(64);
    struct index_keys keys = { .arena = small };
    index_keys_of(&keys, RECORD_certificate, sample_of(&record_type_certificate));
    assert_true(keys.failed);
}

static int make_arena(void **state)
{
    *state = arena_create(1 << 20);
    return *state == NULL;
}

static int drop_arena(void **state)
{
    arena_drop(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, make_arena, drop_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(names_are_reversed),
        CASE(sets_ignore_order_and_doubles),
        CASE(authorizations_tell_wildcards_apart),
        CASE(ids_have_limits),
        CASE(long_subjects_are_hashed),
        CASE(positions_come_back),
        CASE(positions_from_outside_are_checked),
        CASE(times_sort_as_numbers),
        CASE(absent_fields_have_no_keys),
        CASE(a_full_arena_is_noticed),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
