/* Certificate signing requests (PKCS#10, RFC 2986) of a key, made at a load generator's pace: what is the same in every
 * request of a key (its public half, its algorithm) is encoded once. */
#pragma once

#include "acme/identifier.h"
#include "base/buf.h"
#include "base/crypto.h"

struct tc_csr_key; /* immutable; holds a reference on the key */

/* NULL when memory is out or the key is none of EC, RSA and Ed25519. */
MUST_USE struct tc_csr_key *tc_csr_key_create(EVP_PKEY *key);
void tc_csr_key_drop(struct tc_csr_key *key);
DEFINE_DROP(tc_csr_key, tc_csr_key_drop)

enum { TC_CSR_MAX = 256 << 10 };
/* Appends the DER of a request with an empty subject and the names, in canonical form, as subjectAltName. */
MUST_USE bool tc_csr_make(const struct tc_csr_key *key, const struct acme_identifier *identifiers, size_t count,
                          struct buf *out);
