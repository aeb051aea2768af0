#include "acme/jwk_key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <pthread.h>

DEFINE_DROP_TYPE(BIGNUM, BN_free)
DEFINE_DROP_TYPE(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_DROP_TYPE(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)

enum { POINT_MAX_BYTES = 66 };

/* OpenSSL's name of the type and of the group (or NULL), the bytes of each number (0: as many as it has), how numbers
 * become a key and how they come from one. */
struct key_type {
    const char *openssl, *group;
    size_t width;
    EVP_PKEY *(*make)(const struct key_type *type, const struct jwk_numbers *numbers);
    bool (*take)(struct arena *arena, const struct key_type *type, EVP_PKEY *key, struct jwk_numbers *out);
};

static EVP_PKEY *key_from_params(const char *openssl_type, int selection, OSSL_PARAM *params)
{
    AUTO_TYPE(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, openssl_type, NULL);
    EVP_PKEY *key = NULL;
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1)
        (void)EVP_PKEY_fromdata(ctx, &key, selection, params);
    return key;
}

static EVP_PKEY *curves[JWS_ALGORITHMS]; /* keys without a point; written once under pthread_once, then read-only */
static pthread_once_t curves_made = PTHREAD_ONCE_INIT;
static void make_curves(void);

/* A copy of a key costs less than one from its parameters, for which OpenSSL computes the curve anew. These curves have
 * cofactor 1, and a point is decoded only when it lies on its curve: no further check is due. */
static EVP_PKEY *make_ec(const struct key_type *type, const struct jwk_numbers *numbers)
{
    uint8_t point[1 + 2 * POINT_MAX_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    CHECK(numbers->first.len == type->width && numbers->second.len == type->width);
    memcpy(point + 1, numbers->first.data, type->width);
    memcpy(point + 1 + type->width, numbers->second.data, type->width);
    pthread_once(&curves_made, make_curves);
    EVP_PKEY *curve = curves[numbers->algorithm];
    AUTO_TYPE(EVP_PKEY) key = curve != NULL ? EVP_PKEY_dup(curve) : NULL;
    if (key == NULL || EVP_PKEY_set1_encoded_public_key(key, point, 1 + 2 * type->width) != 1)
        return NULL;
    return TAKE(key);
}

static EVP_PKEY *make_okp(const struct key_type *type, const struct jwk_numbers *numbers)
{
    CHECK(numbers->first.len == type->width);
    return EVP_PKEY_new_raw_public_key_ex(NULL, type->openssl, NULL, numbers->first.data, numbers->first.len);
}

static EVP_PKEY *make_rsa(const struct key_type *type, const struct jwk_numbers *numbers)
{
    AUTO_TYPE(BIGNUM) n = BN_bin2bn(numbers->first.data, (int)numbers->first.len, NULL);
    AUTO_TYPE(BIGNUM) e = BN_bin2bn(numbers->second.data, (int)numbers->second.len, NULL);
    AUTO_TYPE(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    if (n == NULL || e == NULL || build == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return NULL;
    AUTO_TYPE(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
    return params != NULL ? key_from_params(type->openssl, EVP_PKEY_PUBLIC_KEY, params) : NULL;
}

/* `width` 0: as many bytes as the number has. */
static bool take_number(struct arena *arena, EVP_PKEY *key, const char *param, size_t width, struct bytes *out)
{
    BIGNUM *found = NULL;
    TRY(EVP_PKEY_get_bn_param(key, param, &found) == 1);
    AUTO_TYPE(BIGNUM) number = found;
    int len = width != 0 ? (int)width : BN_num_bytes(number);
    uint8_t *bytes = arena_alloc(arena, (size_t)len);
    TRY(bytes != NULL && BN_bn2binpad(number, bytes, len) == len);
    *out = bytes_of(bytes, (size_t)len);
    return true;
}

static bool take_ec(struct arena *arena, const struct key_type *type, EVP_PKEY *key, struct jwk_numbers *out)
{
    return take_number(arena, key, OSSL_PKEY_PARAM_EC_PUB_X, type->width, &out->first) &&
           take_number(arena, key, OSSL_PKEY_PARAM_EC_PUB_Y, type->width, &out->second);
}

static bool take_okp(struct arena *arena, const struct key_type *type, EVP_PKEY *key, struct jwk_numbers *out)
{
    size_t len = type->width;
    uint8_t *bytes = arena_alloc(arena, len);
    TRY(bytes != NULL && EVP_PKEY_get_raw_public_key(key, bytes, &len) == 1 && len == type->width);
    out->first = bytes_of(bytes, len);
    return true;
}

static bool take_rsa(struct arena *arena, const struct key_type *type, EVP_PKEY *key, struct jwk_numbers *out)
{
    (void)type;
    TRY(EVP_PKEY_get_bits(key) <= JWK_RSA_MAX_BITS);
    return take_number(arena, key, OSSL_PKEY_PARAM_RSA_N, 0, &out->first) &&
           take_number(arena, key, OSSL_PKEY_PARAM_RSA_E, 0, &out->second);
}

static const struct key_type key_types[JWS_ALGORITHMS] = {
    [JWS_ES256] = { "EC", "prime256v1", 32, make_ec, take_ec },
    [JWS_ES384] = { "EC", "secp384r1", 48, make_ec, take_ec },
    [JWS_ES512] = { "EC", "secp521r1", 66, make_ec, take_ec },
    [JWS_RS256] = { "RSA", NULL, 0, make_rsa, take_rsa },
    [JWS_EDDSA] = { "ED25519", NULL, 32, make_okp, take_okp },
};

static void make_curves(void)
{
    for (size_t i = 0; i < JWS_ALGORITHMS; i++) {
        if (key_types[i].group == NULL)
            continue;
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)key_types[i].group, 0),
            OSSL_PARAM_construct_end(),
        };
        curves[i] = key_from_params(key_types[i].openssl, EVP_PKEY_KEY_PARAMETERS, params);
    }
}

size_t jwk_key_width(enum jws_algorithm algorithm)
{
    return key_types[algorithm].width;
}

EVP_PKEY *jwk_key_make(const struct jwk_numbers *numbers)
{
    const struct key_type *type = &key_types[numbers->algorithm];
    EVP_PKEY *key = type->make(type, numbers);
    ERR_clear_error();
    return key;
}

static const struct key_type *type_of(EVP_PKEY *key)
{
    char group[32] = "";
    for (size_t i = 0; i < JWS_ALGORITHMS; i++) {
        const struct key_type *type = &key_types[i];
        if (!EVP_PKEY_is_a(key, type->openssl))
            continue;
        if (type->group == NULL)
            return type;
        if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 && strcmp(group, type->group) == 0)
            return type;
    }
    return NULL;
}

bool jwk_key_take(struct arena *arena, EVP_PKEY *key, struct jwk_numbers *out)
{
    const struct key_type *type = type_of(key);
    TRY(type != NULL);
    struct jwk_numbers numbers = { .algorithm = (enum jws_algorithm)(type - key_types) };
    TRY(type->take(arena, type, key, &numbers));
    *out = numbers;
    return true;
}

EVP_PKEY_CTX *jwk_key_verifier(EVP_PKEY *key, enum jws_algorithm algorithm)
{
    const EVP_MD *digest = jws_algorithm_digest(algorithm);
    AUTO_TYPE(EVP_PKEY_CTX) ctx = digest != NULL ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    if (ctx == NULL || EVP_PKEY_verify_init(ctx) != 1 || EVP_PKEY_CTX_set_signature_md(ctx, digest) != 1)
        return NULL;
    return TAKE(ctx);
}
