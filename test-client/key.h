/* Private keys of accounts and certificates, in memory and in files. */
#pragma once

#include "base/crypto.h"

#include "test-client/exchange.h"

/* name, text on the command line, OpenSSL's type, curve or NULL, RSA bits or 0 */
#define TC_KEY_TABLE(X)                                                                                                \
    X(P256, "p-256", "EC", "P-256", 0)                                                                                 \
    X(RSA2048, "rsa-2048", "RSA", NULL, 2048)

enum tc_key_type {
#define X(name, text, type, curve, bits) TC_KEY_##name,
    TC_KEY_TABLE(X)
#undef X
        TC_KEY_TYPES
};

extern const char *const tc_key_names[TC_KEY_TYPES + 1]; /* NULL-ended */

MUST_USE EVP_PKEY *tc_key_make(enum tc_key_type type); /* NULL when memory is out */
/* Reads an unencrypted PEM key of any type OpenSSL knows. */
MUST_USE bool tc_key_load(const char *path, EVP_PKEY **out, char why[static TC_WHY_SIZE]);
MUST_USE bool tc_key_save(const char *path, EVP_PKEY *key, char why[static TC_WHY_SIZE]); /* mode 0600 */
/* The key in the file, or a new one written there when the file does not exist. */
MUST_USE bool tc_key_load_or_make(const char *path, enum tc_key_type type, EVP_PKEY **out,
                                  char why[static TC_WHY_SIZE]);
