/* Public keys as OpenSSL has them; only acme/jwk*.c include this. */
#pragma once

#include "acme/jwk.h"

enum { JWK_RSA_MAX_BITS = 8192 };

size_t jwk_key_width(enum jws_algorithm algorithm); /* bytes of each number; 0 for RSA, whose numbers have any length */
/* NULL when the numbers make no key (a point off its curve) or memory is out. */
MUST_USE EVP_PKEY *jwk_key_make(const struct jwk_numbers *numbers);
/* False for a key of another type than ours. */
MUST_USE bool jwk_key_take(struct arena *arena, EVP_PKEY *key, struct jwk_numbers *out);

/* Ready to verify with this key, to be copied for each signature: setting up costs more, for OpenSSL looks algorithms
 * up by name. NULL when it cannot, and for an algorithm that hashes by itself. */
MUST_USE EVP_PKEY_CTX *jwk_key_verifier(EVP_PKEY *key, enum jws_algorithm algorithm);
