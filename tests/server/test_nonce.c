#include "server/web/nonce.h"

#include "tests/unit.h"

static struct nonces *make(void)
{
    struct nonces *nonces = nonces_create(world_real());
    assert_non_null(nonces);
    return nonces;
}

/* [8555-6.5-4] [8555-6.5.1-3] */
static void a_nonce_is_good_once(void **state)
{
    (void)state;
    AUTO(nonces) nonces = make();
    char nonce[NONCE_SIZE];
    nonce_make(nonces, nonce);
    assert_int_equal(strlen(nonce), NONCE_SIZE - 1);
    assert_int_equal(strspn(nonce, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), NONCE_SIZE - 1);
    assert_true(nonce_redeem(nonces, nonce));
    assert_false(nonce_redeem(nonces, nonce));
}

/* [8555-6.5-4] [8555-6.5.1-1] */
static void nonces_may_come_back_in_any_order(void **state)
{
    (void)state;
    AUTO(nonces) nonces = make();
    char made[100][NONCE_SIZE];
    for (int i = 0; i < 100; i++)
        nonce_make(nonces, made[i]);
    for (int i = 99; i >= 0; i--)
        assert_true(nonce_redeem(nonces, made[i]));
    for (int i = 0; i < 100; i++)
        assert_false(nonce_redeem(nonces, made[i]));
}

/* [8555-6.5-3] [8555-6.5.1-2] */
static void another_server_s_nonce_is_refused(void **state)
{
    (void)state;
    AUTO(nonces) ours = make();
    AUTO(nonces) theirs = make();
    char nonce[NONCE_SIZE];
    nonce_make(theirs, nonce);
    nonce_make(ours, (char[NONCE_SIZE]) { 0 });
    assert_false(nonce_redeem(ours, nonce));
}

/* [8555-6.5-3] */
static void what_is_no_nonce_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", "A", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA=", "ÄÄÄÄÄÄÄÄÄÄÄ", "AAAAAAAAAAAAAAAAAAAAAAA"
    };
    AUTO(nonces) nonces = make();
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_false(nonce_redeem(nonces, texts[i]));
}

static void one_that_fell_out_of_the_window_is_refused(void **state)
{
    (void)state;
    AUTO(nonces) nonces = make();
    char oldest[NONCE_SIZE], second[NONCE_SIZE], later[NONCE_SIZE];
    nonce_make(nonces, oldest);
    nonce_make(nonces, second);
    for (int i = 0; i < NONCE_WINDOW - 1; i++)
        nonce_make(nonces, later);
    assert_false(nonce_redeem(nonces, oldest));
    assert_true(nonce_redeem(nonces, second));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_nonce_is_good_once),
        cmocka_unit_test(nonces_may_come_back_in_any_order),
        cmocka_unit_test(another_server_s_nonce_is_refused),
        cmocka_unit_test(what_is_no_nonce_is_refused),
        cmocka_unit_test(one_that_fell_out_of_the_window_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
