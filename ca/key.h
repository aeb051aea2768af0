/* Private keys of authorities: made, read and written as unencrypted PKCS#8 in PEM. */
#pragma once

#include "ca/ca.h"

#include "base/buf.h"

enum { CA_TEXT_MAX = 65536 }; /* bytes of one PEM file */

void secret_free(struct buf *buf); /* wipes, then frees */
#define AUTO_SECRET(name) __attribute__((cleanup(secret_free))) struct buf name = BUF_INIT(CA_TEXT_MAX)

MUST_USE bool key_write(EVP_PKEY *key, struct buf *out); /* appends; `out` should be an AUTO_SECRET */
MUST_USE EVP_PKEY *key_read(struct bytes pem);           /* NULL unless it is one key without a passphrase */

/* What an issuer with this key signs with; NULL when it is of no type in CA_KEY_TYPE_TABLE. */
const EVP_MD *key_digest(EVP_PKEY *key);
