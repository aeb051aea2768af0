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

/* RFC 4231: a short key, one shorter than a block, one longer; and no key at all. */
static void hmac_gives_the_known_codes(void **state)
{
    (void)state;
    static const char long_key[131] = { [0 ... 130] = '\xaa' };
    const struct {
        struct bytes key;
        const char *text, *hex;
    } cases[] = {
        { bytes_text("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"), "Hi There",
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7" },
        { bytes_text("Jefe"), "what do ya want for nothing?",
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
        { bytes_of(long_key, sizeof long_key), "Test Using Larger Than Block-Size Key - Hash Key First",
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54" },
        { bytes_of(NULL, 0), "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t code[SHA256_BYTES];
        crypto_hmac_sha256(cases[i].key, bytes_text(cases[i].text), code);
        AUTO_BUF(hex, 64);
        buf_hex(&hex, bytes_of(code, sizeof code));
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
        cmocka_unit_test(hmac_gives_the_known_codes),
        cmocka_unit_test(pem_is_one_block_with_a_last_newline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
