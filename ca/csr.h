/* Certificate signing requests (PKCS#10, RFC 2986): strict, bounded reading of what a client sent to finalize. */
#pragma once

#include "acme/identifier.h"
#include "acme/jwk.h"

#define CSR_STATUS_TABLE(X)                                                                                            \
    X(OK)                                                                                                              \
    X(MALFORMED)     /* not DER, trailing bytes, no names */                                                           \
    X(BAD_SIGNATURE) /* or a signature algorithm we do not take */                                                     \
    X(BAD_KEY)       /* type, size, exponent or point */                                                               \
    X(BAD_NAME)      /* a name form we cannot certify, or a bad name */                                                \
    X(NO_MEMORY)
enum csr_status {
#define X(name) CSR_##name,
    CSR_STATUS_TABLE(X)
#undef X
};

struct csr; /* immutable once parsed */

enum { CSR_WHY_SIZE = 256, CSR_MAX_BYTES = 32768, CSR_MAX_NAMES = 100 };
/* Keys: RSA 2048–4096 (multiple of 8) with exponent 65537, P-256, P-384, P-521, Ed25519. SHA-1 and MD5 signatures are
 * refused. SAN dNSName and iPAddress only; a CN, if present, must be one of them or becomes one. Other requested
 * extensions are ignored. `why` completes "The CSR …". */
MUST_USE enum csr_status csr_parse(struct bytes der, struct csr **out, char why[static CSR_WHY_SIZE]);
void csr_drop(struct csr *csr);
DEFINE_DROP(csr, csr_drop)

/* Sorted, unique, canonical. */
const struct acme_identifier *csr_identifiers(const struct csr *csr, size_t *out_count);
const struct jwk *csr_key(const struct csr *csr); /* loan; of the type that accounts' keys have, to be compared */
struct bytes csr_key_info(const struct csr *csr); /* SubjectPublicKeyInfo, for the certificate */
/* Canonical, equal to one of the identifiers; NULL when absent or longer than 64 bytes. */
const char *csr_common_name(const struct csr *csr);
void csr_key_hash(const struct csr *csr, uint8_t out[static SHA256_BYTES]); /* of the SubjectPublicKeyInfo */
