/* Building X.509 certificates (RFC 5280) with OpenSSL's structures. What is made is signed and complete, but is meant
 * to be encoded, not to be asked: parse its DER for that. NULL when OpenSSL cannot. */
#pragma once

#include "ca/ca.h"

#include "base/buf.h"

#include <openssl/x509v3.h>

DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)

/* A certificate with its key, parsed once and read-only afterwards, so that threads can share it. */
struct issuer {
    X509 *cert;
    EVP_PKEY *key;
    const EVP_MD *digest;            /* what it signs with */
    const ASN1_OCTET_STRING *key_id; /* loan from cert */
    int64_t not_after_s;
};
void issuer_clear(struct issuer *issuer);
#define AUTO_ISSUER __attribute__((cleanup(issuer_clear))) struct issuer

struct cert_dates {
    int64_t not_before_s, not_after_s; /* both inclusive (RFC 5280 §4.1.2.5) */
};

enum { CERT_PATH_UNLIMITED = -1 };
struct cert_authority {
    const char *organisation, *common_name;
    int path_length; /* or CERT_PATH_UNLIMITED */
    struct cert_dates dates;
    const char *serial; /* hex */
};
/* `issuer` NULL makes it self-signed. */
MUST_USE X509 *cert_make_authority(const struct cert_authority *authority, EVP_PKEY *key, const struct issuer *issuer);

/* Another certificate for an authority's key: subject, key, key identifier and path length as in `like`. */
MUST_USE X509 *cert_cross_sign(X509 *like, struct cert_dates dates, const char *serial, const struct issuer *issuer);

struct cert_leaf {
    struct bytes key_info; /* SubjectPublicKeyInfo, checked */
    bool rsa;
    const struct acme_identifier *identifiers;
    size_t identifier_count;
    const char *common_name; /* NULL for an empty subject */
    unsigned without;        /* enum ca_leaf_without */
    struct cert_dates dates;
    const char *serial; /* hex */
};
/* Appends its DER. */
MUST_USE bool cert_make_leaf(const struct cert_leaf *leaf, const struct issuer *issuer, struct buf *out);

bool cert_serial_valid(const char *hex); /* 32 lower-case digits, the first byte 1 to 127 */

/* NULL when memory is out or an address is not one. */
MUST_USE GENERAL_NAME *cert_general_name(const struct acme_identifier *identifier);

MUST_USE bool cert_write(X509 *cert, struct buf *out); /* appends PEM */
MUST_USE X509 *cert_read(struct bytes pem);            /* NULL unless it is exactly one */
int64_t cert_seconds(const ASN1_TIME *time);           /* since 1970 */
