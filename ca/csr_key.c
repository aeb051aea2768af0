#include "ca/csr_parts.h"

#include <openssl/obj_mac.h>

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 4096, BITS_PER_BYTE = 8, EC_UNCOMPRESSED = 0x04, ED25519_BYTES = 32 };

static bool bad_key(char why[static CSR_WHY_SIZE], const char *what)
{
    csr_fail(why, CSR_BAD_KEY, "has a public key that %s", what);
    return false;
}

/* A SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
struct key_info {
    struct csr_algorithm algorithm;
    struct bytes bits;
};

static size_t bit_count(struct bytes number)
{
    return number.len * BITS_PER_BYTE - (size_t)(__builtin_clz(number.data[0]) - 24);
}

/* RFC 3279 §2.3.1: one way to write a key, so that its hash means the key. */
static bool read_rsa(const struct key_info *info, struct jwk_numbers *out, char why[static CSR_WHY_SIZE])
{
    static const uint8_t exponent[] = { 1, 0, 1 };
    enum der_fault fault = DER_SOUND;
    struct der bits = DER_OVER(info->bits, &fault);
    struct der key = der_enter(&bits, DER_SEQUENCE);
    struct bytes n = der_number(&key), e = der_number(&key);
    der_end(&key);
    der_end(&bits);
    if (info->algorithm.parameter_tag != DER_NULL || info->algorithm.parameter.len != 0)
        return bad_key(why, "is RSA without the NULL parameters of RFC 3279");
    if (fault != DER_SOUND)
        return bad_key(why, "cannot be read");
    size_t size = bit_count(n);
    if (size < RSA_MIN_BITS || size > RSA_MAX_BITS || size % BITS_PER_BYTE != 0) {
        csr_fail(why, CSR_BAD_KEY, "has an RSA key of %zu bits; use 2048 to 4096 in steps of 8", size);
        return false;
    }
    if (!bytes_equal(e, bytes_of(exponent, sizeof exponent)))
        return bad_key(why, "is RSA with an exponent other than 65537");
    if (n.data[n.len - 1] % 2 == 0)
        return bad_key(why, "is RSA with an even modulus");
    *out = (struct jwk_numbers) { JWS_RS256, n, e };
    return true;
}

static const struct curve {
    int nid;
    enum jws_algorithm algorithm;
    size_t width;
} curves[] = {
    { NID_X9_62_prime256v1, JWS_ES256, 32 },
    { NID_secp384r1, JWS_ES384, 48 },
    { NID_secp521r1, JWS_ES512, 66 },
};

static const struct curve *find_curve(struct bytes oid)
{
    for (size_t i = 0; i < ARRAY_SIZE(curves); i++) {
        if (csr_algorithm_is(&(struct csr_algorithm) { .oid = oid }, curves[i].nid))
            return &curves[i];
    }
    return NULL;
}

/* RFC 5480 §2.1.1, §2.2 */
static bool read_ec(const struct key_info *info, struct jwk_numbers *out, char why[static CSR_WHY_SIZE])
{
    if (info->algorithm.parameter_tag != DER_OID)
        return bad_key(why, "describes its curve instead of naming it");
    const struct curve *curve = find_curve(info->algorithm.parameter);
    if (curve == NULL)
        return bad_key(why, "is on an elliptic curve other than P-256, P-384 and P-521");
    if (info->bits.len == 0 || info->bits.data[0] != EC_UNCOMPRESSED)
        return bad_key(why, "is an elliptic curve point that is not in uncompressed form");
    if (info->bits.len != 1 + 2 * curve->width)
        return bad_key(why, "is not a point on its curve");
    const uint8_t *x = info->bits.data + 1;
    *out =
        (struct jwk_numbers) { curve->algorithm, bytes_of(x, curve->width), bytes_of(x + curve->width, curve->width) };
    return true;
}

static bool read_ed25519(const struct key_info *info, struct jwk_numbers *out, char why[static CSR_WHY_SIZE])
{
    if (info->algorithm.parameter_tag != 0)
        return bad_key(why, "is Ed25519 with parameters, which RFC 8410 forbids");
    *out = (struct jwk_numbers) { .algorithm = JWS_EDDSA, .first = info->bits };
    return info->bits.len == ED25519_BYTES || bad_key(why, "is Ed25519 of another length than 32 bytes");
}

static const struct key_type {
    int nid;
    bool (*read)(const struct key_info *info, struct jwk_numbers *out, char why[static CSR_WHY_SIZE]);
    const char *no_key; /* when OpenSSL takes what was read for none */
} key_types[] = {
    { NID_rsaEncryption, read_rsa, "cannot be read" },
    { NID_X9_62_id_ecPublicKey, read_ec, "is not a point on its curve" },
    { NID_ED25519, read_ed25519, "cannot be read" },
};

static bool make_key(struct csr *csr, const struct key_info *info, char why[static CSR_WHY_SIZE])
{
    struct jwk_numbers numbers;
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++) {
        if (!csr_algorithm_is(&info->algorithm, key_types[i].nid))
            continue;
        TRY(key_types[i].read(info, &numbers, why));
        csr->key = jwk_from_numbers(&numbers);
        return csr->key != NULL || bad_key(why, key_types[i].no_key);
    }
    return bad_key(why, "is neither RSA, ECDSA nor Ed25519");
}

enum csr_status csr_check_key(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    enum der_fault fault = DER_SOUND;
    struct der whole = DER_OVER(csr->key_info, &fault);
    struct der inside = der_enter(&whole, DER_SEQUENCE);
    struct key_info info;
    info.algorithm = csr_read_algorithm(&inside);
    info.bits = der_octets(&inside);
    der_end(&inside);
    if (fault != DER_SOUND)
        return csr_fail_der(why, fault);
    crypto_digest_sha256(csr->key_info, csr->key_hash);
    return make_key(csr, &info, why) ? CSR_OK : CSR_BAD_KEY;
}
