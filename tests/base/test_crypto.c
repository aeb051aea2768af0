#include "base/crypto.h"
#include "base/encode.h"
#include "tests/unit.h"

static void digests_are_fetched_once(void **state)
{
    (void)state;
    assert_ptr_equal(crypto_sha256(), crypto_sha256());
    assert_int_equal(EVP_MD_get_size(crypto_sha256()), 32);
    assert_int_equal(EVP_MD_get_size(crypto_sha384()), 48);
    assert_int_equal(EVP_MD_get_size(crypto_sha512()), 64);
}

static void sha256_gives_the_known_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t digest[SHA256_BYTES];
        crypto_digest_sha256(bytes_text(cases[i].text), digest);
        AUTO_BUF(hex, 64);
        buf_hex(&hex, bytes_of(digest, sizeof digest));
        assert_string_equal(buf_str(&hex), cases[i].hex);
    }
}

static void pem_is_one_block_with_a_last_newline(void **state)
{
    (void)state;
    AUTO_BUF(pem, 256);
    crypto_pem(&pem, "CERTIFICATE", bytes_text("abc"));
    crypto_pem(&pem, "KEY", bytes_text("d"));
    assert_false(pem.failed);
    assert_string_equal(buf_str(&pem), "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"
                                       "-----BEGIN KEY-----\nZA==\n-----END KEY-----\n");
    AUTO_BUF(small, 16);
    crypto_pem(&small, "CERTIFICATE", bytes_text("abc"));
    assert_true(small.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_fetched_once),
        cmocka_unit_test(sha256_gives_the_known_digests),
        cmocka_unit_test(pem_is_one_block_with_a_last_newline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
