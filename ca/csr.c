#include "ca/csr_parts.h"

#include <openssl/err.h>
#include <stdarg.h>
#include <stdio.h>

DEFINE_DROP_TYPE(ASN1_OBJECT, ASN1_OBJECT_free)

enum { ARENA_MAX_BYTES = 96 * 1024, DER_ATTRIBUTES = 0xa0 /* [0], RFC 2986 §4.1 */ };

enum csr_status csr_fail(char why[static CSR_WHY_SIZE], enum csr_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CSR_WHY_SIZE, format, args);
    va_end(args);
    return status;
}

enum csr_status csr_fail_der(char why[static CSR_WHY_SIZE], enum der_fault fault)
{
    return csr_fail(why, CSR_MALFORMED,
                    fault == DER_NOT_CANONICAL ? "is not encoded as DER, which has one form for each value"
                                               : "is not a DER-encoded PKCS#10 certification request");
}

struct csr_algorithm csr_read_algorithm(struct der *in)
{
    struct csr_algorithm algorithm = { 0 };
    struct der inside = der_enter(in, DER_SEQUENCE);
    algorithm.oid = der_content(&inside, DER_OID);
    if (der_more(&inside))
        algorithm.parameter = der_any(&inside, &algorithm.parameter_tag);
    der_end(&inside);
    return algorithm;
}

bool csr_algorithm_is(const struct csr_algorithm *algorithm, int nid)
{
    const ASN1_OBJECT *object = OBJ_nid2obj(nid);
    return bytes_equal(algorithm->oid, bytes_of(OBJ_get0_data(object), OBJ_length(object)));
}

/* RFC 2986 §4.1 */
static enum csr_status read_info(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    static const uint8_t version_1[] = { 0 };
    enum der_fault fault = DER_SOUND;
    struct der whole = DER_OVER(csr->info, &fault);
    struct der info = der_enter(&whole, DER_SEQUENCE);
    struct bytes version = der_content(&info, DER_INTEGER);
    csr_walk_subject(der_enter(&info, DER_SEQUENCE), &csr->found);
    csr->key_info = der_element(&info, DER_SEQUENCE);
    if (der_more(&info)) /* some leave out the attributes when there are none */
        csr_walk_attributes(der_enter(&info, DER_ATTRIBUTES), &csr->found);
    der_end(&info);
    if (fault != DER_SOUND)
        return csr_fail_der(why, fault);
    if (!bytes_equal(version, bytes_of(version_1, sizeof version_1)))
        return csr_fail(why, CSR_MALFORMED, "has a version other than 1 (written as 0)");
    return CSR_OK;
}

static enum csr_status read_der(struct csr *csr, struct bytes der, char why[static CSR_WHY_SIZE])
{
    enum der_fault fault = DER_SOUND;
    struct der whole = DER_OVER(der, &fault);
    struct der request = der_enter(&whole, DER_SEQUENCE);
    csr->info = der_element(&request, DER_SEQUENCE);
    csr->algorithm = csr_read_algorithm(&request);
    csr->signature = der_octets(&request);
    der_end(&request);
    if (fault != DER_SOUND)
        return csr_fail_der(why, fault);
    if (whole.left.len > 0)
        return csr_fail(why, CSR_MALFORMED, "is followed by %zu more bytes", whole.left.len);
    return read_info(csr, why);
}

static const struct signature_algorithm {
    int nid;
    const char *key_type;
    const EVP_MD *(*digest)(void); /* NULL: the algorithm has its own */
} signature_algorithms[] = {
    { NID_ecdsa_with_SHA256, "EC", crypto_sha256 },
    { NID_ecdsa_with_SHA384, "EC", crypto_sha384 },
    { NID_ecdsa_with_SHA512, "EC", crypto_sha512 },
    { NID_sha256WithRSAEncryption, "RSA", crypto_sha256 },
    { NID_sha384WithRSAEncryption, "RSA", crypto_sha384 },
    { NID_sha512WithRSAEncryption, "RSA", crypto_sha512 },
    { NID_ED25519, "ED25519", NULL },
};

static const struct signature_algorithm *find_algorithm(const struct csr_algorithm *named)
{
    for (size_t i = 0; i < ARRAY_SIZE(signature_algorithms); i++) {
        if (csr_algorithm_is(named, signature_algorithms[i].nid))
            return &signature_algorithms[i];
    }
    return NULL;
}

static enum csr_status refuse_algorithm(struct bytes oid, char why[static CSR_WHY_SIZE])
{
    AUTO_TYPE(ASN1_OBJECT)
    object = ASN1_OBJECT_create(NID_undef, (uint8_t *)(uintptr_t)oid.data, (int)oid.len, NULL, NULL);
    return csr_fail(why, CSR_BAD_SIGNATURE,
                    "is signed with %s; use RSA PKCS#1 or ECDSA with SHA-256, SHA-384 or SHA-512, or Ed25519",
                    OBJ_nid2ln(OBJ_obj2nid(object)));
}

static bool verifies(const struct csr *csr, const struct signature_algorithm *algorithm)
{
    EVP_PKEY *key = jwk_pkey(csr->key);
    const EVP_MD *digest = algorithm->digest != NULL ? algorithm->digest() : NULL;
    AUTO_TYPE(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    return ctx != NULL && EVP_PKEY_is_a(key, algorithm->key_type) &&
           EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
           EVP_DigestVerify(ctx, csr->signature.data, csr->signature.len, csr->info.data, csr->info.len) == 1;
}

static enum csr_status check_signature(const struct csr *csr, char why[static CSR_WHY_SIZE])
{
    const struct signature_algorithm *algorithm = find_algorithm(&csr->algorithm);
    if (algorithm == NULL)
        return refuse_algorithm(csr->algorithm.oid, why);
    /* RFC 4055 §5 takes both, and some write NULL where RFC 5758 §3.2 wants nothing */
    if (csr->algorithm.parameter_tag != 0 && csr->algorithm.parameter_tag != DER_NULL)
        return csr_fail(why, CSR_BAD_SIGNATURE, "is signed with %s and parameters, of which that has none",
                        OBJ_nid2ln(algorithm->nid));
    if (!verifies(csr, algorithm))
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
    if (der.len > CSR_MAX_BYTES)
        return csr_fail(why, CSR_MALFORMED, "is longer than %d bytes", CSR_MAX_BYTES);
    AUTO(csr) csr = calloc(1, sizeof *csr);
    if (csr == NULL || (csr->arena = arena_create(ARENA_MAX_BYTES)) == NULL)
        return csr_fail(why, CSR_NO_MEMORY, "cannot be read: out of memory");
    const char *copy = arena_text_of(csr->arena, der);
    if (copy == NULL)
        return csr_fail(why, CSR_NO_MEMORY, "cannot be read: out of memory");
    enum csr_status status = read_all(csr, bytes_of(copy, der.len), why);
    ERR_clear_error();
    if (status == CSR_OK)
        *out = TAKE(csr);
    return status;
}

void csr_drop(struct csr *csr)
{
    if (csr == NULL)
        return;
    jwk_drop(csr->key);
    arena_drop(csr->arena);
    free(csr);
}

const struct acme_identifier *csr_identifiers(const struct csr *csr, size_t *out_count)
{
    *out_count = csr->identifier_count;
    return csr->identifiers;
}

const struct jwk *csr_key(const struct csr *csr)
{
    return csr->key;
}

struct bytes csr_key_info(const struct csr *csr)
{
    return csr->key_info;
}

const char *csr_common_name(const struct csr *csr)
{
    return csr->common_name;
}

void csr_key_hash(const struct csr *csr, uint8_t out[static SHA256_BYTES])
{
    memcpy(out, csr->key_hash, SHA256_BYTES);
}
