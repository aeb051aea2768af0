/* Public account keys (RFC 7517, 7518, 8037) and JWS signature algorithms. A jwk is an opaque, immutable,
 * reference-counted, thread-safe handle on a parsed key, so that a cache can hand it to several threads. */
#pragma once

#include "acme/problem.h"

#include "base/crypto.h"

/* name, JOSE text; key types: P-256, P-384, P-521, RSA, Ed25519 */
#define JWS_ALGORITHM_TABLE(X)                                                                                         \
    X(ES256, "ES256")                                                                                                  \
    X(ES384, "ES384")                                                                                                  \
    X(ES512, "ES512")                                                                                                  \
    X(RS256, "RS256")                                                                                                  \
    X(EDDSA, "EdDSA")

enum jws_algorithm {
#define X(name, text) JWS_##name,
    JWS_ALGORITHM_TABLE(X)
#undef X
        JWS_ALGORITHMS
};

enum { JWK_THUMBPRINT_SIZE = 44 }; /* base64url of SHA-256 (RFC 7638) and NUL */

struct jwk;

/* Parses a public JWK: only the required members count; a private member ("d", …), a point off its curve, RSA outside
 * 2048–8192 bits or an even or tiny exponent gives badPublicKey. */
MUST_USE bool jwk_parse(json_t *object, struct jwk **out_key, struct acme_problem *problem);
/* From the canonical JSON that jwk_json gave (what the store keeps). */
MUST_USE bool jwk_from_json(const char *json, struct jwk **out_key, struct acme_problem *problem);
/* What a public key is made of, big-endian: the coordinates of a point, each of the curve's width; n and e of RSA,
 * without zeros in front; or one number, Ed25519's. */
struct jwk_numbers {
    enum jws_algorithm algorithm;
    struct bytes first, second;
};
/* The caller has checked sizes; NULL when they make no key (a point off its curve) or memory is out. */
MUST_USE struct jwk *jwk_from_numbers(const struct jwk_numbers *numbers);
/* From a key pair or public key of our own (clients and tests); takes a reference on `key`. */
MUST_USE struct jwk *jwk_from_pkey(EVP_PKEY *key);

struct jwk *jwk_ref(struct jwk *key);
void jwk_drop(struct jwk *key);
DEFINE_DROP(jwk, jwk_drop)

const char *jwk_thumbprint(const struct jwk *key);       /* lives as long as the key */
const char *jwk_json(const struct jwk *key);             /* RFC 7638 canonical members only */
EVP_PKEY *jwk_pkey(const struct jwk *key);               /* loan */
enum jws_algorithm jwk_algorithm(const struct jwk *key); /* the one algorithm this key signs with */

/* Whether the key made `signature` (ECDSA's in DER) over `input`, by its one algorithm. */
MUST_USE bool jwk_verify(const struct jwk *key, struct bytes signature, struct bytes input);

const EVP_MD *jws_algorithm_digest(enum jws_algorithm algorithm); /* NULL: the algorithm has its own */
const char *jws_algorithm_text(enum jws_algorithm algorithm);
extern const char *const jws_algorithm_names[]; /* NULL-ended, for `algorithms` of badSignatureAlgorithm */
