/* The few OpenSSL words that more than one layer needs. Algorithms are fetched once per process. */
#pragma once

#include "base/buf.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

DEFINE_DROP_TYPE(EVP_PKEY, EVP_PKEY_free)
DEFINE_DROP_TYPE(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_DROP_TYPE(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_DROP_TYPE(X509, X509_free)
DEFINE_DROP_TYPE(X509_REQ, X509_REQ_free)
DEFINE_DROP_TYPE(BIO, BIO_free_all)

enum { SHA256_BYTES = 32 };

/* Digests fetched once (EVP_MD_fetch costs more than a short hash). The first call of any aborts if the provider lacks
 * them or memory is out: a server makes it at its start. */
const EVP_MD *crypto_sha256(void);
const EVP_MD *crypto_sha384(void);
const EVP_MD *crypto_sha512(void);

/* Notes when OpenSSL gets no memory (base/memory.h). False behind its first allocation. */
MUST_USE bool crypto_watch_memory(void);

/* These two need no memory and always succeed. */
void crypto_digest_sha256(struct bytes in, uint8_t out[static SHA256_BYTES]);
void crypto_hmac_sha256(struct bytes key, struct bytes in, uint8_t out[static SHA256_BYTES]);

/* Appends the DER of a PEM text's first block. A failure sticks to the buffer. */
void crypto_pem_decode(struct buf *out, const char *pem);

/* Appends a PEM block (RFC 7468) with its final newline, e.g. of kind "CERTIFICATE". A failure sticks to the buffer. */
void crypto_pem(struct buf *out, const char *kind, struct bytes der);
