#include "acme/jwk.h"

#include "base/encode.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdatomic.h>

DEFINE_DROP_TYPE(BIGNUM, BN_free)
DEFINE_DROP_TYPE(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_DROP_TYPE(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)

enum { RSA_MIN_BITS = 2048, RSA_MAX_BITS = 8192, RSA_MIN_EXPONENT = 65537, RSA_MAX_EXPONENT_BYTES = 8 };
enum { POINT_MAX_BYTES = 66, JWK_JSON_MAX_BYTES = 2048, PARSE_ARENA_BYTES = 16384 };

struct jwk {
    atomic_uint references;
    EVP_PKEY *pkey;
    enum jws_algorithm algorithm;
    char *json;
    char thumbprint[JWK_THUMBPRINT_SIZE];
};

/* One JSON object under examination, with what its members decode into. */
struct reader {
    const json_t *object;
    struct arena *arena;
    struct acme_problem *problem;
};

/* Key types by algorithm: the JWK's kty and crv, OpenSSL's key type and group (or NULL), the bytes of a coordinate,
 * how a JWK becomes a key, and how a key's members are written after "crv" in the order of RFC 7638 §3.2. */
struct key_type {
    const char *kty, *crv, *openssl, *group;
    size_t width;
    bool (*read)(const struct reader *reader, const struct key_type *type, EVP_PKEY **out);
    bool (*write)(struct json_out *out, const struct key_type *type, EVP_PKEY *key);
};

const char *const jws_algorithm_names[] = {
#define X(name, text) [JWS_##name] = text,
    JWS_ALGORITHM_TABLE(X)
#undef X
        NULL
};

const char *jws_algorithm_text(enum jws_algorithm algorithm)
{
    CHECK(algorithm < JWS_ALGORITHMS);
    return jws_algorithm_names[algorithm];
}

static bool bad_key(const struct reader *reader, const char *what)
{
    return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY, "The jwk is refused: %s", what);
}

static bool read_member(const struct reader *reader, const char *name, struct bytes *out)
{
    const char *text = json_member_text(reader->object, name);
    if (text == NULL)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: its member \"%s\" is missing or not a string", name);
    if (!b64url_decode(reader->arena, bytes_text(text), out) || out->len == 0)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: its member \"%s\" must be base64url without padding, and not empty",
                            name);
    return true;
}

/* RFC 7518 §6.2.1.2, RFC 8037 §2: exactly the curve's width, leading zeros included. */
static bool read_fixed(const struct reader *reader, const char *name, const struct key_type *type, uint8_t *out)
{
    struct bytes value;
    TRY(read_member(reader, name, &value));
    if (value.len != type->width)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: its member \"%s\" is %zu bytes long; %s needs exactly %zu, leading "
                            "zeros included",
                            name, value.len, type->crv, type->width);
    memcpy(out, value.data, value.len);
    return true;
}

static bool key_from_params(const char *openssl_type, OSSL_PARAM *params, EVP_PKEY **out)
{
    AUTO_TYPE(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_new_from_name(NULL, openssl_type, NULL);
    EVP_PKEY *key = NULL;
    bool made = ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
                EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    ERR_clear_error();
    if (made)
        *out = key;
    return made;
}

static bool read_ec(const struct reader *reader, const struct key_type *type, EVP_PKEY **out)
{
    uint8_t point[1 + 2 * POINT_MAX_BYTES] = { POINT_CONVERSION_UNCOMPRESSED };
    TRY(read_fixed(reader, "x", type, point + 1) && read_fixed(reader, "y", type, point + 1 + type->width));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)type->group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * type->width),
        OSSL_PARAM_construct_end(),
    };
    /* these curves have cofactor 1, and a point is decoded only when it lies on its curve: no further check is due */
    if (!key_from_params(type->openssl, params, out))
        return bad_key(reader, "\"x\" and \"y\" are not a point on the curve that \"crv\" names");
    return true;
}

static bool read_okp(const struct reader *reader, const struct key_type *type, EVP_PKEY **out)
{
    uint8_t value[POINT_MAX_BYTES];
    TRY(read_fixed(reader, "x", type, value));
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, value, type->width),
        OSSL_PARAM_construct_end(),
    };
    if (!key_from_params(type->openssl, params, out))
        return bad_key(reader, "\"x\" is not a public key of the curve that \"crv\" names");
    return true;
}

static bool check_rsa(const struct reader *reader, struct bytes n, struct bytes e)
{
    /* RFC 7518 §2 (Base64urlUInt): no zero bytes in front; two texts for one key would give it two thumbprints */
    if (n.data[0] == 0 || e.data[0] == 0)
        return bad_key(reader, "\"n\" and \"e\" must not begin with zero bytes");
    size_t bits = n.len * 8 - (size_t)(__builtin_clz(n.data[0]) - 24);
    if (bits < RSA_MIN_BITS || bits > RSA_MAX_BITS)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: RSA keys of %d to %d bits are accepted, this one has %zu",
                            RSA_MIN_BITS, RSA_MAX_BITS, bits);
    if (n.data[n.len - 1] % 2 == 0)
        return bad_key(reader, "the RSA modulus \"n\" is even");
    uint64_t exponent = 0;
    for (size_t i = 0; i < e.len && e.len <= RSA_MAX_EXPONENT_BYTES; i++)
        exponent = exponent << 8 | e.data[i];
    if (exponent < RSA_MIN_EXPONENT || exponent % 2 == 0)
        return bad_key(reader, "the RSA exponent \"e\" must be odd, at least 65537 and at most 64 bits long");
    return true;
}

static bool read_rsa(const struct reader *reader, const struct key_type *type, EVP_PKEY **out)
{
    struct bytes n_bytes, e_bytes;
    TRY(read_member(reader, "n", &n_bytes) && read_member(reader, "e", &e_bytes));
    TRY(check_rsa(reader, n_bytes, e_bytes));
    AUTO_TYPE(BIGNUM) n = BN_bin2bn(n_bytes.data, (int)n_bytes.len, NULL);
    AUTO_TYPE(BIGNUM) e = BN_bin2bn(e_bytes.data, (int)e_bytes.len, NULL);
    AUTO_TYPE(OSSL_PARAM_BLD) build = OSSL_PARAM_BLD_new();
    if (n == NULL || e == NULL || build == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) != 1)
        return problem_out_of_memory(reader->problem);
    AUTO_TYPE(OSSL_PARAM) params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL)
        return problem_out_of_memory(reader->problem);
    if (!key_from_params(type->openssl, params, out))
        return bad_key(reader, "\"n\" and \"e\" are not an RSA public key");
    return true;
}

static void write_b64url(struct json_out *out, const char *name, struct bytes value)
{
    AUTO_BUF(text, JWK_JSON_MAX_BYTES);
    buf_b64url(&text, value);
    json_out_bytes(out, name, buf_bytes(&text));
}

/* `width` 0: as many bytes as the number has. */
static bool write_number(struct json_out *out, const char *name, EVP_PKEY *key, const char *param, size_t width)
{
    uint8_t bytes[RSA_MAX_BITS / 8];
    BIGNUM *found = NULL;
    TRY(EVP_PKEY_get_bn_param(key, param, &found) == 1);
    AUTO_TYPE(BIGNUM) number = found;
    int len = width != 0 ? (int)width : BN_num_bytes(number);
    TRY(len <= (int)sizeof bytes && BN_bn2binpad(number, bytes, len) == len);
    write_b64url(out, name, bytes_of(bytes, (size_t)len));
    return true;
}

static bool write_ec(struct json_out *out, const struct key_type *type, EVP_PKEY *key)
{
    json_out_text(out, "kty", type->kty);
    return write_number(out, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, type->width) &&
           write_number(out, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, type->width);
}

static bool write_okp(struct json_out *out, const struct key_type *type, EVP_PKEY *key)
{
    uint8_t value[POINT_MAX_BYTES];
    size_t len = sizeof value;
    TRY(EVP_PKEY_get_raw_public_key(key, value, &len) == 1 && len == type->width);
    json_out_text(out, "kty", type->kty);
    write_b64url(out, "x", bytes_of(value, len));
    return true;
}

static bool write_rsa(struct json_out *out, const struct key_type *type, EVP_PKEY *key)
{
    TRY(write_number(out, "e", key, OSSL_PKEY_PARAM_RSA_E, 0));
    json_out_text(out, "kty", type->kty);
    return write_number(out, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
}

static const struct key_type key_types[JWS_ALGORITHMS] = {
    [JWS_ES256] = { "EC", "P-256", "EC", "prime256v1", 32, read_ec, write_ec },
    [JWS_ES384] = { "EC", "P-384", "EC", "secp384r1", 48, read_ec, write_ec },
    [JWS_ES512] = { "EC", "P-521", "EC", "secp521r1", 66, read_ec, write_ec },
    [JWS_RS256] = { "RSA", NULL, "RSA", NULL, 0, read_rsa, write_rsa },
    [JWS_EDDSA] = { "OKP", "Ed25519", "ED25519", NULL, 32, read_okp, write_okp },
};

static const struct key_type *type_of_pkey(EVP_PKEY *key)
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

static bool describe(struct jwk *jwk, const struct key_type *type)
{
    AUTO_BUF(json, JWK_JSON_MAX_BYTES);
    struct json_out out = JSON_OUT(&json, 0);
    json_out_object(&out, NULL);
    if (type->crv != NULL)
        json_out_text(&out, "crv", type->crv);
    TRY(type->write(&out, type, jwk->pkey));
    json_out_end_object(&out);
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(buf_bytes(&json), digest);
    AUTO_BUF(thumbprint, JWK_THUMBPRINT_SIZE);
    buf_b64url(&thumbprint, bytes_of(digest, sizeof digest));
    size_t len;
    jwk->json = buf_take(&json, &len);
    TRY(jwk->json != NULL && !thumbprint.failed);
    memcpy(jwk->thumbprint, buf_str(&thumbprint), JWK_THUMBPRINT_SIZE);
    return true;
}

struct jwk *jwk_from_pkey(EVP_PKEY *key)
{
    const struct key_type *type = type_of_pkey(key);
    if (type == NULL)
        return NULL;
    AUTO(jwk) jwk = calloc(1, sizeof *jwk);
    if (jwk == NULL || EVP_PKEY_up_ref(key) != 1)
        return NULL;
    atomic_init(&jwk->references, 1);
    jwk->pkey = key;
    jwk->algorithm = (enum jws_algorithm)(type - key_types);
    return describe(jwk, type) ? TAKE(jwk) : NULL;
}

static const struct key_type *type_of_json(const struct reader *reader)
{
    const char *kty = json_member_text(reader->object, "kty");
    const char *crv = json_member_text(reader->object, "crv");
    bool kty_known = false;
    for (size_t i = 0; kty != NULL && i < JWS_ALGORITHMS; i++) {
        const struct key_type *type = &key_types[i];
        if (strcmp(kty, type->kty) != 0)
            continue;
        kty_known = true;
        if (type->crv == NULL || (crv != NULL && strcmp(crv, type->crv) == 0))
            return type;
    }
    if (kty_known)
        bad_key(reader, "\"crv\" must be P-256, P-384 or P-521 with \"kty\" EC, and Ed25519 with \"kty\" OKP");
    else
        bad_key(reader, "\"kty\" must be EC, RSA or OKP");
    return NULL;
}

/* RFC 7518 §6.2.2, §6.3.2, §6.4: a key that was sent here with its secret is a secret no more. */
static bool check_public(const struct reader *reader)
{
    static const char *const secrets[] = { "d", "p", "q", "dp", "dq", "qi", "oth", "k" };
    for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
        if (json_object_get(reader->object, secrets[i]) != NULL)
            return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                                "The jwk is refused: its member \"%s\" belongs to the private key, which must never be "
                                "sent; make a new key and send its public members only",
                                secrets[i]);
    }
    return true;
}

static bool check_alg(const struct reader *reader, const struct key_type *type)
{
    const json_t *alg = json_object_get(reader->object, "alg");
    const char *ours = jws_algorithm_text((enum jws_algorithm)(type - key_types));
    if (alg == NULL || (json_is_string(alg) && strcmp(json_string_value(alg), ours) == 0))
        return true;
    return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                        "The jwk is refused: its member \"alg\" must be %s, which keys of its type sign with here, or "
                        "be left out",
                        ours);
}

bool jwk_parse(json_t *object, struct jwk **out_key, struct acme_problem *problem)
{
    AUTO(arena) arena = arena_create(PARSE_ARENA_BYTES);
    struct reader reader = { object, arena, problem };
    if (arena == NULL)
        return problem_out_of_memory(problem);
    if (!json_is_object(object))
        return bad_key(&reader, "it must be a JSON object");
    TRY(check_public(&reader));
    const struct key_type *type = type_of_json(&reader);
    TRY(type != NULL && check_alg(&reader, type));
    EVP_PKEY *read = NULL;
    TRY(type->read(&reader, type, &read));
    AUTO_TYPE(EVP_PKEY) pkey = read;
    struct jwk *key = jwk_from_pkey(pkey);
    if (key == NULL)
        return problem_out_of_memory(problem);
    *out_key = key;
    return true;
}

bool jwk_from_json(const char *json, struct jwk **out_key, struct acme_problem *problem)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(json), why);
    if (object == NULL)
        return problem_fail(problem, PROBLEM_BAD_PUBLIC_KEY, "The jwk is refused: %s", why);
    return jwk_parse(object, out_key, problem);
}

struct jwk *jwk_ref(struct jwk *key)
{
    atomic_fetch_add_explicit(&key->references, 1, memory_order_relaxed);
    return key;
}

void jwk_drop(struct jwk *key)
{
    if (key == NULL || atomic_fetch_sub_explicit(&key->references, 1, memory_order_acq_rel) > 1)
        return;
    EVP_PKEY_free(key->pkey);
    free(key->json);
    free(key);
}

const char *jwk_thumbprint(const struct jwk *key)
{
    return key->thumbprint;
}

const char *jwk_json(const struct jwk *key)
{
    return key->json;
}

EVP_PKEY *jwk_pkey(const struct jwk *key)
{
    return key->pkey;
}

enum jws_algorithm jwk_algorithm(const struct jwk *key)
{
    return key->algorithm;
}
