#include "ca/cert.h"

#include "ca/key.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

DEFINE_DROP_TYPE(ASN1_BIT_STRING, ASN1_BIT_STRING_free)
DEFINE_DROP_TYPE(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
DEFINE_DROP_TYPE(AUTHORITY_KEYID, AUTHORITY_KEYID_free)
DEFINE_DROP_TYPE(BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free)
DEFINE_DROP_TYPE(GENERAL_NAME, GENERAL_NAME_free)

/* bits of KeyUsage (RFC 5280 §4.2.1.3) */
enum { DIGITAL_SIGNATURE = 0, KEY_ENCIPHERMENT = 2, KEY_CERT_SIGN = 5, CRL_SIGN = 6 };
#define BIT(n) (1u << (n))

enum { X509_VERSION = 2, KEY_ID_BYTES = 20 };
enum criticality { NOT_CRITICAL, CRITICAL };

void issuer_clear(struct issuer *issuer)
{
    X509_free(issuer->cert);
    EVP_PKEY_free(issuer->key);
    *issuer = (struct issuer) { 0 };
}

static bool add_extension(X509 *cert, int nid, void *value, enum criticality criticality)
{
    return X509_add1_ext_i2d(cert, nid, value, criticality == CRITICAL, X509V3_ADD_DEFAULT) == 1;
}

static bool add_key_usage(X509 *cert, unsigned bits)
{
    AUTO_TYPE(ASN1_BIT_STRING) usage = ASN1_BIT_STRING_new();
    TRY(usage != NULL);
    for (int bit = 0; bit <= CRL_SIGN; bit++)
        if (bits & BIT(bit))
            TRY(ASN1_BIT_STRING_set_bit(usage, bit, 1) == 1);
    return add_extension(cert, NID_key_usage, usage, CRITICAL);
}

enum { DER_TRUE = 0xff /* OpenSSL writes the number as it is; X.690 §11.1 wants all bits */ };

static bool add_basic_constraints(X509 *cert, int path_length)
{
    AUTO_TYPE(BASIC_CONSTRAINTS) constraints = BASIC_CONSTRAINTS_new();
    TRY(constraints != NULL);
    constraints->ca = DER_TRUE;
    if (path_length >= 0) {
        constraints->pathlen = ASN1_INTEGER_new();
        TRY(constraints->pathlen != NULL && ASN1_INTEGER_set(constraints->pathlen, path_length) == 1);
    }
    return add_extension(cert, NID_basic_constraints, constraints, CRITICAL);
}

/* RFC 7093 §2 method 1: the left-most 160 bits of SHA-256 over the key's bit string. */
static bool add_subject_key_id(X509 *cert)
{
    uint8_t digest[SHA256_BYTES];
    AUTO_TYPE(ASN1_OCTET_STRING) id = ASN1_OCTET_STRING_new();
    TRY(id != NULL && X509_pubkey_digest(cert, crypto_sha256(), digest, NULL) == 1);
    TRY(ASN1_OCTET_STRING_set(id, digest, KEY_ID_BYTES) == 1);
    return add_extension(cert, NID_subject_key_identifier, id, NOT_CRITICAL);
}

static bool add_authority_key_id(X509 *cert, const struct issuer *issuer)
{
    AUTO_TYPE(AUTHORITY_KEYID) id = AUTHORITY_KEYID_new();
    TRY(id != NULL);
    id->keyid = ASN1_OCTET_STRING_dup(issuer->key_id);
    return id->keyid != NULL && add_extension(cert, NID_authority_key_identifier, id, NOT_CRITICAL);
}

GENERAL_NAME *cert_general_name(const struct acme_identifier *identifier)
{
    bool dns = identifier->type == IDENTIFIER_DNS;
    struct bytes value = bytes_text(identifier->value);
    uint8_t address[sizeof(struct in6_addr)];
    if (!dns) {
        bool v6 = strchr(identifier->value, ':') != NULL;
        if (inet_pton(v6 ? AF_INET6 : AF_INET, identifier->value, address) != 1)
            return NULL;
        value = bytes_of(address, v6 ? sizeof(struct in6_addr) : sizeof(struct in_addr));
    }
    AUTO_TYPE(GENERAL_NAME) name = GENERAL_NAME_new();
    ASN1_STRING *text = ASN1_STRING_type_new(dns ? V_ASN1_IA5STRING : V_ASN1_OCTET_STRING);
    if (name == NULL || text == NULL || ASN1_STRING_set(text, value.data, (int)value.len) != 1) {
        ASN1_STRING_free(text);
        return NULL;
    }
    GENERAL_NAME_set0_value(name, dns ? GEN_DNS : GEN_IPADD, text);
    return TAKE(name);
}

bool cert_serial_valid(const char *hex)
{
    return strlen(hex) == CA_SERIAL_TEXT_SIZE - 1 && strspn(hex, "0123456789abcdef") == CA_SERIAL_TEXT_SIZE - 1 &&
           hex[0] < '8' && strncmp(hex, "00", 2) != 0;
}

static bool set_head(X509 *cert, const char *serial, struct cert_dates dates)
{
    uint8_t raw[CA_SERIAL_BYTES];
    size_t len;
    CHECK(cert_serial_valid(serial));
    TRY(OPENSSL_hexstr2buf_ex(raw, sizeof raw, &len, serial, '\0') == 1);
    return X509_set_version(cert, X509_VERSION) == 1 &&
           ASN1_STRING_set(X509_get_serialNumber(cert), raw, sizeof raw) == 1 &&
           ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)dates.not_before_s) != NULL &&
           ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)dates.not_after_s) != NULL;
}

static bool add_subject(X509 *cert, int nid, const char *text)
{
    return X509_NAME_add_entry_by_NID(X509_get_subject_name(cert), nid, MBSTRING_UTF8, (const unsigned char *)text, -1,
                                      -1, 0) == 1;
}

static bool fill_authority(X509 *cert, const struct cert_authority *authority, EVP_PKEY *key,
                           const struct issuer *issuer)
{
    unsigned usage = BIT(KEY_CERT_SIGN) | BIT(CRL_SIGN) | (issuer != NULL ? BIT(DIGITAL_SIGNATURE) : 0);
    TRY(set_head(cert, authority->serial, authority->dates) && X509_set_pubkey(cert, key) == 1);
    TRY(add_subject(cert, NID_organizationName, authority->organisation));
    TRY(add_subject(cert, NID_commonName, authority->common_name));
    X509_NAME *signed_by = X509_get_subject_name(issuer != NULL ? issuer->cert : cert);
    TRY(X509_set_issuer_name(cert, signed_by) == 1);
    TRY(add_key_usage(cert, usage) && add_basic_constraints(cert, authority->path_length));
    TRY(add_subject_key_id(cert));
    return issuer == NULL || add_authority_key_id(cert, issuer);
}

X509 *cert_make_authority(const struct cert_authority *authority, EVP_PKEY *key, const struct issuer *issuer)
{
    AUTO_TYPE(X509) cert = X509_new();
    EVP_PKEY *signed_by = issuer != NULL ? issuer->key : key;
    const EVP_MD *digest = key_digest(signed_by);
    if (cert == NULL || digest == NULL || !fill_authority(cert, authority, key, issuer) ||
        X509_sign(cert, signed_by, digest) <= 0)
        return NULL;
    return TAKE(cert);
}

static bool fill_cross(X509 *cert, X509 *like, const struct issuer *issuer)
{
    const unsigned usage = BIT(KEY_CERT_SIGN) | BIT(CRL_SIGN) | BIT(DIGITAL_SIGNATURE);
    AUTO_TYPE(ASN1_OCTET_STRING) key_id = ASN1_OCTET_STRING_dup(X509_get0_subject_key_id(like));
    TRY(key_id != NULL && X509_set_pubkey(cert, X509_get0_pubkey(like)) == 1);
    TRY(X509_set_subject_name(cert, X509_get_subject_name(like)) == 1);
    TRY(X509_set_issuer_name(cert, X509_get_subject_name(issuer->cert)) == 1);
    TRY(add_key_usage(cert, usage) && add_basic_constraints(cert, (int)X509_get_pathlen(like)));
    TRY(add_extension(cert, NID_subject_key_identifier, key_id, NOT_CRITICAL));
    return add_authority_key_id(cert, issuer);
}

X509 *cert_cross_sign(X509 *like, struct cert_dates dates, const char *serial, const struct issuer *issuer)
{
    AUTO_TYPE(X509) cert = X509_new();
    if (cert == NULL || !set_head(cert, serial, dates) || !fill_cross(cert, like, issuer) ||
        X509_sign(cert, issuer->key, issuer->digest) <= 0)
        return NULL;
    return TAKE(cert);
}

bool cert_write(X509 *cert, struct buf *out)
{
    AUTO_TYPE(BIO) bio = BIO_new(BIO_s_mem());
    TRY(bio != NULL && PEM_write_bio_X509(bio, cert) == 1);
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    buf_append(out, text, (size_t)len);
    return !out->failed;
}

X509 *cert_read(struct bytes pem)
{
    AUTO_TYPE(BIO) bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    AUTO_TYPE(X509) cert = bio == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    AUTO_TYPE(X509) another = cert == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);
    ERR_clear_error();
    return another == NULL ? TAKE(cert) : NULL;
}

int64_t cert_seconds(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : INT64_MIN;
}
