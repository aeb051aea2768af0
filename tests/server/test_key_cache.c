#include "server/web/key_cache.h"
#include "tests/unit.h"

#include <pthread.h>
#include <stdatomic.h>

static struct jwk *make_key(void)
{
    AUTO_TYPE(EVP_PKEY) pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    assert_non_null(pkey);
    struct jwk *key = jwk_from_pkey(pkey);
    assert_non_null(key);
    return key;
}

static struct jwk *get(struct key_cache *cache, const char *thumbprint, const char *json)
{
    struct jwk *key = NULL;
    struct acme_problem problem = { 0 };
    assert_true(key_cache_get(cache, thumbprint, json, &key, &problem));
    return key;
}

static void a_key_is_parsed_once(void **state)
{
    (void)state;
    AUTO(key_cache) cache = key_cache_create();
    AUTO(jwk) made = make_key();
    AUTO(jwk) first = get(cache, jwk_thumbprint(made), jwk_json(made));
    assert_string_equal(jwk_json(first), jwk_json(made));
    AUTO(jwk) second = get(cache, jwk_thumbprint(made), "no JSON, for it is not looked at again");
    assert_ptr_equal(first, second);
}

static void a_key_outlives_its_cache(void **state)
{
    (void)state;
    struct key_cache *cache = key_cache_create();
    AUTO(jwk) made = make_key();
    AUTO(jwk) got = get(cache, jwk_thumbprint(made), jwk_json(made));
    key_cache_drop(cache);
    assert_string_equal(jwk_thumbprint(got), jwk_thumbprint(made));
    key_cache_drop(NULL);
}

static void a_broken_key_is_a_problem_and_is_not_kept(void **state)
{
    (void)state;
    AUTO(key_cache) cache = key_cache_create();
    AUTO(jwk) made = make_key();
    struct jwk *got = NULL;
    for (int i = 0; i < 2; i++) {
        struct acme_problem problem = { 0 };
        assert_false(key_cache_get(cache, jwk_thumbprint(made), "{\"kty\":\"EC\"}", &got, &problem));
        assert_null(got);
        assert_int_equal(problem.type, PROBLEM_BAD_PUBLIC_KEY);
    }
    AUTO(jwk) good = get(cache, jwk_thumbprint(made), jwk_json(made));
    assert_non_null(good);
}

/* As the cache hashes, so that the test finds keys for one set. */
static uint32_t set_of(const char *thumbprint)
{
    uint32_t hash = 2166136261U;
    for (; *thumbprint != '\0'; thumbprint++)
        hash = (hash ^ (uint8_t)*thumbprint) * 16777619U;
    return hash % (KEY_CACHE_KEYS / KEY_CACHE_WAYS);
}

/* A key that no one owns, the same in each run. */
static struct jwk *numbered_key(uint32_t number)
{
    uint8_t value[32] = { 0 };
    memcpy(value, &number, sizeof number);
    struct jwk *key = jwk_from_numbers(&(struct jwk_numbers) { .algorithm = JWS_EDDSA, .first = { value, 32 } });
    assert_non_null(key);
    return key;
}

static void keep(struct key_cache *cache, const struct jwk *key)
{
    AUTO(jwk) got = get(cache, jwk_thumbprint(key), jwk_json(key));
    assert_string_equal(jwk_json(got), jwk_json(key));
}

static bool is_kept(struct key_cache *cache, const struct jwk *key)
{
    AUTO(jwk) got = NULL;
    struct acme_problem problem = { 0 };
    bool kept = key_cache_get(cache, jwk_thumbprint(key), "no JSON", &got, &problem);
    assert_true(!kept || strcmp(jwk_json(got), jwk_json(key)) == 0);
    return kept;
}

enum { ONE_MORE = KEY_CACHE_WAYS + 1 };

static void the_key_not_used_for_longest_goes(void **state)
{
    (void)state;
    AUTO(key_cache) cache = key_cache_create();
    struct jwk *keys[ONE_MORE];
    size_t count = 0;
    for (uint32_t number = 0; count < ONE_MORE; number++) {
        struct jwk *key = numbered_key(number);
        if (set_of(jwk_thumbprint(key)) == 7)
            keys[count++] = key;
        else
            jwk_drop(key);
    }
    for (size_t i = 0; i < KEY_CACHE_WAYS; i++)
        keep(cache, keys[i]);
    for (size_t i = 0; i < KEY_CACHE_WAYS; i++)
        assert_true(is_kept(cache, keys[i]));
    assert_true(is_kept(cache, keys[0])); /* used again: now the second is the oldest */
    keep(cache, keys[KEY_CACHE_WAYS]);
    for (size_t i = 0; i < ONE_MORE; i++) {
        assert_int_equal(is_kept(cache, keys[i]), i != 1);
        jwk_drop(keys[i]);
    }
}

static void a_thousand_keys_have_room(void **state)
{
    (void)state;
    AUTO(key_cache) cache = key_cache_create();
    size_t kept = 0;
    for (uint32_t number = 0; number < 1000; number++) {
        AUTO(jwk) key = numbered_key(number);
        keep(cache, key);
    }
    for (uint32_t number = 0; number < 1000; number++) {
        AUTO(jwk) key = numbered_key(number);
        kept += is_kept(cache, key);
    }
    assert_in_range(kept, 990, 1000);
}

struct crowd {
    struct key_cache *cache;
    struct jwk *keys[2];
    atomic_int wrong;
};

static void *ask_often(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < 500; i++) {
        struct jwk *key = crowd->keys[i % 2], *got = NULL;
        struct acme_problem problem;
        bool good = key_cache_get(crowd->cache, jwk_thumbprint(key), jwk_json(key), &got, &problem);
        crowd->wrong += !good || strcmp(jwk_thumbprint(got), jwk_thumbprint(key)) != 0;
        jwk_drop(got);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    AUTO(key_cache) cache = key_cache_create();
    struct crowd crowd = { .cache = cache, .keys = { make_key(), make_key() } };
    pthread_t threads[4];
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &crowd), 0);
    for (size_t i = 0; i < ARRAY_SIZE(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.wrong, 0);
    jwk_drop(crowd.keys[0]);
    jwk_drop(crowd.keys[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_parsed_once),
        cmocka_unit_test(a_key_outlives_its_cache),
        cmocka_unit_test(a_broken_key_is_a_problem_and_is_not_kept),
        cmocka_unit_test(the_key_not_used_for_longest_goes),
        cmocka_unit_test(a_thousand_keys_have_room),
        cmocka_unit_test(threads_share_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
