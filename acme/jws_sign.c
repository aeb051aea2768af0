/* The signatures of a JWS: made and checked (RFC 7518 §3, RFC 8037 §3.1). */
#include "acme/jws.h"

#include "base/encode.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>

DEFINE_DROP_TYPE(BIGNUM, BN_free)
DEFINE_DROP_TYPE(ECDSA_SIG, ECDSA_SIG_free)

enum { SIGNATURE_MAX_BYTES = 1024, HEADER_MAX_BYTES = 8192, ECDSA_WIDTH_MAX = 66, ECDSA_DER_MAX = 160 };

/* The bytes of r and of s; 0 for what is not ECDSA. */
static const int ecdsa_widths[JWS_ALGORITHMS] = { [JWS_ES256] = 32, [JWS_ES384] = 48, [JWS_ES512] = 66 };

static size_t ecdsa_der(struct bytes raw, uint8_t out[static ECDSA_DER_MAX])
{
    int width = (int)(raw.len / 2);
    AUTO_TYPE(ECDSA_SIG) signature = ECDSA_SIG_new();
    AUTO_TYPE(BIGNUM) r = BN_bin2bn(raw.data, width, NULL);
    AUTO_TYPE(BIGNUM) s = BN_bin2bn(raw.data + width, width, NULL);
    if (signature == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(signature, r, s) != 1)
        return 0;
    r = s = NULL;
    int len = i2d_ECDSA_SIG(signature, NULL);
    return len > 0 && len <= ECDSA_DER_MAX ? (size_t)i2d_ECDSA_SIG(signature, &out) : 0;
}

/* RFC 7518 §3.4: r and s as they are, each at the curve's full width. */
static bool ecdsa_raw(struct bytes der, int width, struct buf *out)
{
    const uint8_t *at = der.data;
    AUTO_TYPE(ECDSA_SIG) signature = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    uint8_t raw[2 * ECDSA_WIDTH_MAX];
    TRY(signature != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(signature), raw, width) == width &&
        BN_bn2binpad(ECDSA_SIG_get0_s(signature), raw + width, width) == width);
    buf_append(out, raw, 2 * (size_t)width);
    return true;
}

static bool check_length(const struct jws *jws, struct acme_problem *problem)
{
    size_t width = (size_t)ecdsa_widths[jws->algorithm];
    if (width == 0 || jws->signature.len == 2 * width)
        return true;
    bool short_pair = jws->signature.len < 2 * width && jws->signature.len % 2 == 0;
    return problem_fail(problem, PROBLEM_MALFORMED,
                        "JWS signature is %zu bytes long; %s needs exactly %zu, r and s of %zu bytes each with leading "
                        "zeros kept (RFC 7518 §3.4)%s",
                        jws->signature.len, jws_algorithm_text(jws->algorithm), 2 * width, width,
                        short_pair ? "; the zeros in front seem to have been dropped"
                                   : "; a signature in DER must be converted");
}

static bool signature_holds(const struct jws *jws, const struct jwk *key)
{
    uint8_t der[ECDSA_DER_MAX];
    struct bytes signature = jws->signature;
    if (ecdsa_widths[jws->algorithm] != 0)
        signature = bytes_of(der, ecdsa_der(signature, der));
    return jwk_verify(key, signature, jws->signing_input);
}

bool jws_verify(const struct jws *jws, const struct jwk *key, struct acme_problem *problem)
{
    CHECK(!jws->hmac);
    if (jws->algorithm != jwk_algorithm(key)) {
        problem_fail(problem, PROBLEM_BAD_SIGNATURE_ALGORITHM,
                     "JWS: \"alg\" is \"%s\" but the account's key signs with %s", jws_algorithm_text(jws->algorithm),
                     jws_algorithm_text(jwk_algorithm(key)));
        problem->algorithms = jws_algorithm_names;
        return false;
    }
    TRY(check_length(jws, problem));
    if (!signature_holds(jws, key))
        return problem_fail(problem, PROBLEM_MALFORMED,
                            "JWS signature is not one that the key %s made over \"protected\" and \"payload\" as sent; "
                            "sign the base64url texts joined by a dot (RFC 7515 §5.1)",
                            jwk_thumbprint(key));
    return true;
}

bool jws_verify_hmac(const struct jws *jws, struct bytes secret, struct acme_problem *problem)
{
    CHECK(jws->hmac && secret.len > 0);
    char digest[16];
    snprintf(digest, sizeof digest, "SHA%d", jws->hmac_bits);
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t len;
    if (EVP_Q_mac(NULL, "HMAC", NULL, digest, NULL, secret.data, secret.len, jws->signing_input.data,
                  jws->signing_input.len, mac, sizeof mac, &len) == NULL)
        return problem_internal(problem, "HMAC with %s failed", digest);
    if (jws->signature.len != len || CRYPTO_memcmp(jws->signature.data, mac, len) != 0)
        return problem_fail(problem, PROBLEM_UNAUTHORIZED,
                            "externalAccountBinding: the MAC is not the one that the key of \"kid\" makes; check that "
                            "the MAC key was base64url-decoded before use");
    return true;
}

static bool sign(const struct jwk *key, struct bytes input, struct buf *out)
{
    enum jws_algorithm algorithm = jwk_algorithm(key);
    uint8_t signature[SIGNATURE_MAX_BYTES];
    size_t len = sizeof signature;
    AUTO_TYPE(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    bool made = ctx != NULL &&
                EVP_DigestSignInit(ctx, NULL, jws_algorithm_digest(algorithm), NULL, jwk_pkey(key)) == 1 &&
                EVP_DigestSign(ctx, signature, &len, input.data, input.len) == 1;
    ERR_clear_error();
    TRY(made);
    if (ecdsa_widths[algorithm] != 0)
        return ecdsa_raw(bytes_of(signature, len), ecdsa_widths[algorithm], out);
    buf_append(out, signature, len);
    return true;
}

static void write_header(struct buf *out, const struct jwk *key, const struct jws_header *header)
{
    struct json_out object = JSON_OUT(out, 0);
    json_out_object(&object, NULL);
    json_out_text(&object, "alg", jws_algorithm_text(jwk_algorithm(key)));
    if (header->kid != NULL)
        json_out_text(&object, "kid", header->kid);
    else
        json_out_raw(&object, "jwk", jwk_json(key));
    if (header->nonce != NULL)
        json_out_text(&object, "nonce", header->nonce);
    json_out_text(&object, "url", header->url);
    json_out_end_object(&object);
}

bool jws_sign(struct buf *out, const struct jwk *key, const struct jws_header *header, struct bytes payload)
{
    AUTO_BUF(json, HEADER_MAX_BYTES);
    write_header(&json, key, header);
    return !json.failed && jws_sign_protected(out, key, buf_bytes(&json), payload);
}

bool jws_sign_protected(struct buf *out, const struct jwk *key, struct bytes header, struct bytes payload)
{
    AUTO_BUF(input, out->max);
    buf_b64url(&input, header);
    size_t header_len = input.len;
    buf_char(&input, '.');
    buf_b64url(&input, payload);
    AUTO_BUF(signature, SIGNATURE_MAX_BYTES);
    TRY(!input.failed && sign(key, buf_bytes(&input), &signature));
    buf_printf(out, "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"", (int)header_len, buf_str(&input),
               buf_str(&input) + header_len + 1);
    buf_b64url(out, buf_bytes(&signature));
    buf_text(out, "\"}");
    return !out->failed;
}
