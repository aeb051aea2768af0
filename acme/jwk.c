#include "acme/jwk.h"

#include "acme/jwk_key.h"
#include "base/encode.h"

#include <openssl/err.h>
#include <stdatomic.h>

enum { RSA_MIN_BITS = 2048, RSA_MIN_EXPONENT = 65537, RSA_MAX_EXPONENT_BYTES = 8 };
enum { JWK_JSON_MAX_BYTES = 2048, PARSE_ARENA_BYTES = 16384 };

struct jwk {
    atomic_uint references;
    EVP_PKEY *pkey;
    EVP_PKEY_CTX *verifier; /* of a key that came as JSON: ready to verify, and copied for each signature; else NULL */
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

/* Key types by algorithm: the JWK's kty and crv, how its members are read, how numbers are written behind "crv" in the
 * order of RFC 7638 §3.2, and what is said of numbers that make no key. */
struct key_type {
    const char *kty, *crv;
    bool (*read)(const struct reader *reader, const struct key_type *type, struct jwk_numbers *out);
    void (*write)(struct json_out *out, const struct key_type *type, const struct jwk_numbers *numbers);
    const char *no_key;
};

const char *const jws_algorithm_names[] = {
#define X(name, text) [JWS_##name] = text,
    JWS_ALGORITHM_TABLE(X)
#undef X
        NULL
};

const EVP_MD *jws_algorithm_digest(enum jws_algorithm algorithm)
{
    static const EVP_MD *(*const digests[JWS_ALGORITHMS])(void) = {
        [JWS_ES256] = crypto_sha256, [JWS_ES384] = crypto_sha384, [JWS_ES512] = crypto_sha512,
        [JWS_RS256] = crypto_sha256, [JWS_EDDSA] = NULL,
    };
    CHECK(algorithm < JWS_ALGORITHMS);
    return digests[algorithm] != NULL ? digests[algorithm]() : NULL;
}

const char *jws_algorithm_text(enum jws_algorithm algorithm)
{
    CHECK(algorithm < JWS_ALGORITHMS);
    return jws_algorithm_names[algorithm];
}

static bool bad_key(const struct reader *reader, const char *what)
{
    return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY, "The jwk is refused: %s", what);
}

static const struct key_type key_types[JWS_ALGORITHMS];

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
static bool read_fixed(const struct reader *reader, const char *name, const struct key_type *type, struct bytes *out)
{
    size_t width = jwk_key_width((enum jws_algorithm)(type - key_types));
    TRY(read_member(reader, name, out));
    if (out->len != width)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: its member \"%s\" is %zu bytes long; %s needs exactly %zu, leading "
                            "zeros included",
                            name, out->len, type->crv, width);
    return true;
}

static bool read_ec(const struct reader *reader, const struct key_type *type, struct jwk_numbers *out)
{
    return read_fixed(reader, "x", type, &out->first) && read_fixed(reader, "y", type, &out->second);
}

static bool read_okp(const struct reader *reader, const struct key_type *type, struct jwk_numbers *out)
{
    return read_fixed(reader, "x", type, &out->first);
}

static bool check_rsa(const struct reader *reader, struct bytes n, struct bytes e)
{
    /* RFC 7518 §2 (Base64urlUInt): no zero bytes in front; two texts for one key would give it two thumbprints */
    if (n.data[0] == 0 || e.data[0] == 0)
        return bad_key(reader, "\"n\" and \"e\" must not begin with zero bytes");
    size_t bits = n.len * 8 - (size_t)(__builtin_clz(n.data[0]) - 24);
    if (bits < RSA_MIN_BITS || bits > JWK_RSA_MAX_BITS)
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "The jwk is refused: RSA keys of %d to %d bits are accepted, this one has %zu",
                            RSA_MIN_BITS, JWK_RSA_MAX_BITS, bits);
    if (n.data[n.len - 1] % 2 == 0)
        return bad_key(reader, "the RSA modulus \"n\" is even");
    uint64_t exponent = 0;
    for (size_t i = 0; i < e.len && e.len <= RSA_MAX_EXPONENT_BYTES; i++)
        exponent = exponent << 8 | e.data[i];
    if (exponent < RSA_MIN_EXPONENT || exponent % 2 == 0)
        return bad_key(reader, "the RSA exponent \"e\" must be odd, at least 65537 and at most 64 bits long");
    return true;
}

static bool read_rsa(const struct reader *reader, const struct key_type *type, struct jwk_numbers *out)
{
    (void)type;
    return read_member(reader, "n", &out->first) && read_member(reader, "e", &out->second) &&
           check_rsa(reader, out->first, out->second);
}

static void write_b64url(struct json_out *out, const char *name, struct bytes value)
{
    AUTO_BUF(text, JWK_JSON_MAX_BYTES);
    buf_b64url(&text, value);
    json_out_bytes(out, name, buf_bytes(&text));
}

static void write_ec(struct json_out *out, const struct key_type *type, const struct jwk_numbers *numbers)
{
    json_out_text(out, "kty", type->kty);
    write_b64url(out, "x", numbers->first);
    write_b64url(out, "y", numbers->second);
}

static void write_okp(struct json_out *out, const struct key_type *type, const struct jwk_numbers *numbers)
{
    json_out_text(out, "kty", type->kty);
    write_b64url(out, "x", numbers->first);
}

static void write_rsa(struct json_out *out, const struct key_type *type, const struct jwk_numbers *numbers)
{
    write_b64url(out, "e", numbers->second);
    json_out_text(out, "kty", type->kty);
    write_b64url(out, "n", numbers->first);
}

static const char no_point[] = "\"x\" and \"y\" are not a point on the curve that \"crv\" names";
static const char no_raw_key[] = "\"x\" is not a public key of the curve that \"crv\" names";
static const char no_rsa_key[] = "\"n\" and \"e\" are not an RSA public key";

static const struct key_type key_types[JWS_ALGORITHMS] = {
    [JWS_ES256] = { "EC", "P-256", read_ec, write_ec, no_point },
    [JWS_ES384] = { "EC", "P-384", read_ec, write_ec, no_point },
    [JWS_ES512] = { "EC", "P-521", read_ec, write_ec, no_point },
    [JWS_RS256] = { "RSA", NULL, read_rsa, write_rsa, no_rsa_key },
    [JWS_EDDSA] = { "OKP", "Ed25519", read_okp, write_okp, no_raw_key },
};

static bool describe(struct jwk *jwk, const struct jwk_numbers *numbers)
{
    const struct key_type *type = &key_types[numbers->algorithm];
    AUTO_BUF(json, JWK_JSON_MAX_BYTES);
    struct json_out out = JSON_OUT(&json, 0);
    json_out_object(&out, NULL);
    if (type->crv != NULL)
        json_out_text(&out, "crv", type->crv);
    type->write(&out, type, numbers);
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

static struct jwk *create(const struct jwk_numbers *numbers, EVP_PKEY *key)
{
    AUTO(jwk) jwk = calloc(1, sizeof *jwk);
    if (jwk == NULL || EVP_PKEY_up_ref(key) != 1)
        return NULL;
    atomic_init(&jwk->references, 1);
    jwk->pkey = key;
    jwk->algorithm = numbers->algorithm;
    return describe(jwk, numbers) ? TAKE(jwk) : NULL;
}

static bool verify_digest(const struct jwk *key, struct bytes signature, struct bytes input)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len;
    AUTO_TYPE(EVP_PKEY_CTX) ctx = EVP_PKEY_CTX_dup(key->verifier);
    return ctx != NULL &&
           EVP_Digest(input.data, input.len, digest, &len, jws_algorithm_digest(key->algorithm), NULL) == 1 &&
           EVP_PKEY_verify(ctx, signature.data, signature.len, digest, len) == 1;
}

static bool verify_message(const struct jwk *key, struct bytes signature, struct bytes input)
{
    AUTO_TYPE(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    return ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, jws_algorithm_digest(key->algorithm), NULL, key->pkey) == 1 &&
           EVP_DigestVerify(ctx, signature.data, signature.len, input.data, input.len) == 1;
}

bool jwk_verify(const struct jwk *key, struct bytes signature, struct bytes input)
{
    bool holds = key->verifier != NULL ? verify_digest(key, signature, input) : verify_message(key, signature, input);
    ERR_clear_error();
    return holds;
}

struct jwk *jwk_from_numbers(const struct jwk_numbers *numbers)
{
    AUTO_TYPE(EVP_PKEY) key = jwk_key_make(numbers);
    return key != NULL ? create(numbers, key) : NULL;
}

struct jwk *jwk_from_pkey(EVP_PKEY *key)
{
    AUTO(arena) arena = arena_create(PARSE_ARENA_BYTES);
    struct jwk_numbers numbers;
    return arena != NULL && jwk_key_take(arena, key, &numbers) ? create(&numbers, key) : NULL;
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
    struct jwk_numbers numbers = { .algorithm = (enum jws_algorithm)(type - key_types) };
    TRY(type->read(&reader, type, &numbers));
    AUTO_TYPE(EVP_PKEY) pkey = jwk_key_make(&numbers);
    if (pkey == NULL)
        return bad_key(&reader, type->no_key);
    struct jwk *key = create(&numbers, pkey);
    if (key == NULL)
        return problem_out_of_memory(problem);
    key->verifier = jwk_key_verifier(pkey, key->algorithm);
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
    EVP_PKEY_CTX_free(key->verifier);
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
