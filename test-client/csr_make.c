#include "test-client/csr_make.h"

#include "base/der.h"

#include <openssl/x509.h>

enum { DER_ATTRIBUTES = 0xA0 }; /* [0], RFC 2986 §4.1 */
enum { SIGNATURE_MAX = 2048 };

static const uint8_t version_and_subject[] = { 0x02, 0x01, 0x00, 0x30, 0x00 };
/* 1.2.840.113549.1.9.14 (RFC 2985 §5.4.2), 2.5.29.17 */
static const uint8_t oid_extension_request[] = { 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x09, 0x0E };
static const uint8_t oid_subject_alt_name[] = { 0x06, 0x03, 0x55, 0x1D, 0x11 };

/* AlgorithmIdentifiers of RFC 5758 §3.2, RFC 4055 §5 and RFC 8410 §3 */
static const uint8_t ecdsa_sha256[] = { 0x30, 0x0A, 0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02 };
static const uint8_t rsa_sha256[] = { 0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                      0xF7, 0x0D, 0x01, 0x01, 0x0B, 0x05, 0x00 };
static const uint8_t ed25519[] = { 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70 };

static const struct algorithm {
    const char *key_type;
    const uint8_t *der;
    size_t len;
    bool digest;
} algorithms[] = {
    { "EC", ecdsa_sha256, sizeof ecdsa_sha256, true },
    { "RSA", rsa_sha256, sizeof rsa_sha256, true },
    { "ED25519", ed25519, sizeof ed25519, false },
};

struct tc_csr_key {
    EVP_PKEY *key;
    const struct algorithm *algorithm;
    uint8_t *spki; /* OpenSSL's memory */
    int spki_len;
};

struct tc_csr_key *tc_csr_key_create(EVP_PKEY *key)
{
    AUTO(tc_csr_key) made = calloc(1, sizeof *made);
    if (made == NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_SIZE(algorithms); i++) {
        if (EVP_PKEY_is_a(key, algorithms[i].key_type))
            made->algorithm = &algorithms[i];
    }
    made->spki_len = i2d_PUBKEY(key, &made->spki);
    if (made->algorithm == NULL || made->spki_len <= 0 || EVP_PKEY_up_ref(key) != 1)
        return NULL;
    made->key = key;
    return TAKE(made);
}

void tc_csr_key_drop(struct tc_csr_key *key)
{
    if (key == NULL)
        return;
    EVP_PKEY_free(key->key);
    OPENSSL_free(key->spki);
    free(key);
}

/* [0] { SEQUENCE { extensionRequest, SET { SEQUENCE OF { SEQUENCE { subjectAltName, OCTET STRING { names } } } } } } */
static bool append_attributes(struct buf *out, const struct acme_identifier *identifiers, size_t count)
{
    size_t start = out->len;
    buf_append(out, oid_extension_request, sizeof oid_extension_request);
    size_t extensions = out->len;
    buf_append(out, oid_subject_alt_name, sizeof oid_subject_alt_name);
    size_t names = out->len;
    for (size_t i = 0; i < count; i++)
        TRY(identifier_general_name(&identifiers[i], out));
    der_wrap(out, names, DER_SEQUENCE);
    der_wrap(out, names, DER_OCTET_STRING);
    der_wrap(out, extensions, DER_SEQUENCE);
    der_wrap(out, extensions, DER_SEQUENCE);
    der_wrap(out, extensions, DER_SET);
    der_wrap(out, start, DER_SEQUENCE);
    der_wrap(out, start, DER_ATTRIBUTES);
    return true;
}

static bool append_signature(const struct tc_csr_key *key, struct buf *out, size_t start)
{
    uint8_t signature[1 + SIGNATURE_MAX] = { 0 }; /* the BIT STRING's count of unused bits comes first */
    size_t len = SIGNATURE_MAX;
    AUTO_TYPE(EVP_MD_CTX) context = EVP_MD_CTX_new();
    const EVP_MD *digest = key->algorithm->digest ? crypto_sha256() : NULL;
    TRY(!out->failed && context != NULL && EVP_DigestSignInit(context, NULL, digest, NULL, key->key) == 1);
    TRY(EVP_DigestSign(context, signature + 1, &len, (const uint8_t *)out->data + start, out->len - start) == 1);
    buf_append(out, key->algorithm->der, key->algorithm->len);
    size_t bits = out->len;
    buf_append(out, signature, 1 + len);
    der_wrap(out, bits, DER_BIT_STRING);
    return true;
}

bool tc_csr_make(const struct tc_csr_key *key, const struct acme_identifier *identifiers, size_t count, struct buf *out)
{
    size_t start = out->len;
    buf_append(out, version_and_subject, sizeof version_and_subject);
    buf_append(out, key->spki, (size_t)key->spki_len);
    TRY(append_attributes(out, identifiers, count));
    der_wrap(out, start, DER_SEQUENCE);
    TRY(append_signature(key, out, start));
    der_wrap(out, start, DER_SEQUENCE);
    return !out->failed;
}
