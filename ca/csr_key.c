#include "ca/csr_parts.h"

#include <openssl/core_names.h>
#include <openssl/rsa.h>

DEFINE_DROP_TYPE(BIGNUM, BN_free)

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 4096, BITS_PER_BYTE = 8, EC_UNCOMPRESSED = 0x04 };

static bool bad_key(char why[static CSR_WHY_SIZE], const char *what)
{
    csr_fail(why, CSR_BAD_KEY, "has a public key that %s", what);
    return false;
}

/* How the key is written in the CSR's SubjectPublicKeyInfo. */
struct spki {
    struct bytes bits;
    int parameter_type; /* V_ASN1_… */
};

static bool check_rsa(EVP_PKEY *key, const struct spki *spki, char why[static CSR_WHY_SIZE])
{
    /* RFC 3279 §2.3.1: one way to write a key, so that its hash means the key */
    if (spki->parameter_type != V_ASN1_NULL)
        return bad_key(why, "is RSA without the NULL parameters of RFC 3279");
    int bits = EVP_PKEY_get_bits(key);
    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS || bits % BITS_PER_BYTE != 0) {
        csr_fail(why, CSR_BAD_KEY, "has an RSA key of %d bits; use 2048 to 4096 in steps of 8", bits);
        return false;
    }
    BIGNUM *read_n = NULL, *read_e = NULL;
    bool read = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &read_n) == 1 &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &read_e) == 1;
    AUTO_TYPE(BIGNUM) n = read_n;
    AUTO_TYPE(BIGNUM) e = read_e;
    if (!read || !BN_is_word(e, RSA_F4))
        return bad_key(why, "is RSA with an exponent other than 65537");
    return BN_is_odd(n) || bad_key(why, "is RSA with an even modulus");
}

static bool check_ec(EVP_PKEY *key, const struct spki *spki, char why[static CSR_WHY_SIZE])
{
    char curve[32] = "";
    size_t len;
    if (spki->parameter_type != V_ASN1_OBJECT)
        return bad_key(why, "describes its curve instead of naming it");
    if (EVP_PKEY_get_group_name(key, curve, sizeof curve, &len) != 1 ||
        (strcmp(curve, SN_X9_62_prime256v1) != 0 && strcmp(curve, SN_secp384r1) != 0 &&
         strcmp(curve, SN_secp521r1) != 0))
        return bad_key(why, "is on an elliptic curve other than P-256, P-384 and P-521");
    if (spki->bits.len == 0 || spki->bits.data[0] != EC_UNCOMPRESSED)
        return bad_key(why, "is an elliptic curve point that is not in uncompressed form");
    /* The quick check: these curves have cofactor 1, so a point on the curve needs no multiplication by the order. */
    AUTO_TYPE(EVP_PKEY_CTX) check = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (check == NULL || EVP_PKEY_public_check_quick(check) != 1)
        return bad_key(why, "is not a point on its curve");
    return true;
}

static bool check_ed25519(EVP_PKEY *key, const struct spki *spki, char why[static CSR_WHY_SIZE])
{
    (void)key;
    return spki->parameter_type == V_ASN1_UNDEF || bad_key(why, "is Ed25519 with parameters, which RFC 8410 forbids");
}

static const struct {
    const char *name;
    bool (*check)(EVP_PKEY *key, const struct spki *spki, char why[static CSR_WHY_SIZE]);
} key_types[] = {
    { "RSA", check_rsa },
    { "EC", check_ec },
    { "ED25519", check_ed25519 },
};

static bool read_spki(const X509_PUBKEY *public_key, struct spki *out)
{
    const unsigned char *bits;
    int len;
    X509_ALGOR *algorithm;
    const void *parameter;
    TRY(X509_PUBKEY_get0_param(NULL, &bits, &len, &algorithm, public_key) == 1);
    X509_ALGOR_get0(NULL, &out->parameter_type, &parameter, algorithm);
    out->bits = bytes_of(bits, (size_t)len);
    return true;
}

static bool hash_key(const X509_PUBKEY *public_key, uint8_t out[static SHA256_BYTES])
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(public_key, &der);
    TRY(len > 0);
    crypto_digest_sha256(bytes_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return true;
}

enum csr_status csr_check_key(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    const X509_PUBKEY *public_key = X509_REQ_get_X509_PUBKEY(csr->request);
    struct spki spki;
    csr->key = X509_REQ_get0_pubkey(csr->request);
    if (csr->key == NULL || !read_spki(public_key, &spki))
        return csr_fail(why, CSR_BAD_KEY, "has a public key that cannot be read");
    if (!hash_key(public_key, csr->key_hash))
        return csr_fail(why, CSR_NO_MEMORY, "cannot be read: out of memory");
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++)
        if (EVP_PKEY_is_a(csr->key, key_types[i].name))
            return key_types[i].check(csr->key, &spki, why) ? CSR_OK : CSR_BAD_KEY;
    return csr_fail(why, CSR_BAD_KEY, "has a public key that is neither RSA, ECDSA nor Ed25519");
}
