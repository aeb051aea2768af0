#include "ca/csr.h"

#include "ca/csr_parts.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

enum { ARENA_MAX_BYTES = 64 * 1024, CSR_VERSION = 0 };

enum csr_status csr_fail(char why[static CSR_WHY_SIZE], enum csr_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CSR_WHY_SIZE, format, args);
    va_end(args);
    return status;
}

static void openssl_free(unsigned char *p)
{
    OPENSSL_free(p);
}
typedef unsigned char der_text;
DEFINE_DROP_TYPE(der_text, openssl_free)

/* OpenSSL reads some BER and keeps what it read; made to write it again, it writes DER. */
static bool is_der(X509_REQ *request, struct bytes der)
{
    AUTO_TYPE(der_text) inner = NULL;
    AUTO_TYPE(der_text) again = NULL;
    TRY(i2d_re_X509_REQ_tbs(request, &inner) > 0);
    int len = i2d_X509_REQ(request, &again);
    return len > 0 && bytes_equal(bytes_of(again, (size_t)len), der);
}

static enum csr_status read_der(struct csr *csr, struct bytes der, char why[static CSR_WHY_SIZE])
{
    if (der.len > CSR_MAX_BYTES)
        return csr_fail(why, CSR_MALFORMED, "is longer than %d bytes", CSR_MAX_BYTES);
    const unsigned char *at = der.data;
    csr->request = d2i_X509_REQ(NULL, &at, (long)der.len);
    if (csr->request == NULL)
        return csr_fail(why, CSR_MALFORMED, "is not a DER-encoded PKCS#10 certification request");
    if (at != der.data + der.len)
        return csr_fail(why, CSR_MALFORMED, "is followed by %td more bytes", der.data + der.len - at);
    if (!is_der(csr->request, der))
        return csr_fail(why, CSR_MALFORMED, "is not encoded as DER, which has one form for each value");
    if (X509_REQ_get_version(csr->request) != CSR_VERSION)
        return csr_fail(why, CSR_MALFORMED, "has a version other than 1 (written as 0)");
    return CSR_OK;
}

static bool signature_algorithm_taken(const X509_REQ *request)
{
    int digest, key_type;
    int algorithm = X509_REQ_get_signature_nid(request);
    if (algorithm == NID_ED25519)
        return true;
    TRY(OBJ_find_sigid_algs(algorithm, &digest, &key_type) == 1);
    return digest == NID_sha256 || digest == NID_sha384 || digest == NID_sha512;
}

static enum csr_status check_signature(const struct csr *csr, char why[static CSR_WHY_SIZE])
{
    if (!signature_algorithm_taken(csr->request))
        return csr_fail(why, CSR_BAD_SIGNATURE,
                        "is signed with %s; use RSA PKCS#1 or ECDSA with SHA-256, SHA-384 or SHA-512, or Ed25519",
                        OBJ_nid2ln(X509_REQ_get_signature_nid(csr->request)));
    if (X509_REQ_verify(csr->request, csr->key) != 1)
        return csr_fail(why, CSR_BAD_SIGNATURE, "has a signature that does not verify with its own public key");
    return CSR_OK;
}

/* The key comes before the signature: verifying with a monstrous key would be work for us. */
static enum csr_status read_all(struct csr *csr, struct bytes der, char why[static CSR_WHY_SIZE])
{
    enum csr_status status = read_der(csr, der, why);
    if (status == CSR_OK)
        status = csr_check_key(csr, why);
    if (status == CSR_OK)
        status = check_signature(csr, why);
    if (status == CSR_OK)
        status = csr_read_names(csr, why);
    return status;
}

enum csr_status csr_parse(struct bytes der, struct csr **out, char why[static CSR_WHY_SIZE])
{
    AUTO(csr) csr = calloc(1, sizeof *csr);
    if (csr == NULL || (csr->arena = arena_create(ARENA_MAX_BYTES)) == NULL)
        return csr_fail(why, CSR_NO_MEMORY, "cannot be read: out of memory");
    enum csr_status status = read_all(csr, der, why);
    ERR_clear_error();
    if (status == CSR_OK)
        *out = TAKE(csr);
    return status;
}

void csr_drop(struct csr *csr)
{
    if (csr == NULL)
        return;
    X509_REQ_free(csr->request);
    arena_drop(csr->arena);
    free(csr);
}

const struct acme_identifier *csr_identifiers(const struct csr *csr, size_t *out_count)
{
    *out_count = csr->identifier_count;
    return csr->identifiers;
}

EVP_PKEY *csr_key(const struct csr *csr)
{
    return csr->key;
}

const X509_PUBKEY *csr_public_key(const struct csr *csr)
{
    return X509_REQ_get_X509_PUBKEY(csr->request);
}

const char *csr_common_name(const struct csr *csr)
{
    return csr->common_name;
}

void csr_key_hash(const struct csr *csr, uint8_t out[static SHA256_BYTES])
{
    memcpy(out, csr->key_hash, SHA256_BYTES);
}

bool csr_key_is(const struct csr *csr, EVP_PKEY *key)
{
    bool same = EVP_PKEY_eq(csr->key, key) == 1;
    ERR_clear_error();
    return same;
}
