/* A leaf is written as DER straight away: building it of OpenSSL's structures, which encode each part several times,
 * cost as much as its signature. */
#include "ca/cert.h"

#include "base/der.h"

DEFINE_DROP_TYPE(ASN1_TIME, ASN1_TIME_free)

enum { KEY_ID_BYTES = 20, SIGNATURE_MAX_BYTES = 1024 };
/* [0] and [3] of a certificate (RFC 5280 §4.1), [0] of an AuthorityKeyIdentifier (§4.2.1.1) */
enum { DER_VERSION = 0xa0, DER_EXTENSIONS = 0xa3, DER_KEY_ID = 0x80 };

static void append(struct buf *out, struct bytes bytes)
{
    buf_append(out, bytes.data, bytes.len);
}

static void append_value(struct buf *out, uint8_t tag, struct bytes content)
{
    size_t start = out->len;
    append(out, content);
    der_wrap(out, start, tag);
}

static void append_oid(struct buf *out, int nid)
{
    const ASN1_OBJECT *object = OBJ_nid2obj(nid);
    append_value(out, DER_OID, bytes_of(OBJ_get0_data(object), OBJ_length(object)));
}

/* RFC 5758 §3.2, RFC 4055 §5 */
static bool append_algorithm(struct buf *out, const struct issuer *issuer)
{
    int algorithm, key_type = EVP_PKEY_get_base_id(issuer->key);
    TRY(OBJ_find_sigid_by_algs(&algorithm, EVP_MD_get_type(issuer->digest), key_type) == 1);
    size_t start = out->len;
    append_oid(out, algorithm);
    if (key_type == EVP_PKEY_RSA)
        append_value(out, DER_NULL, bytes_of(NULL, 0));
    der_wrap(out, start, DER_SEQUENCE);
    return true;
}

static bool append_serial(struct buf *out, const char *hex)
{
    uint8_t raw[CA_SERIAL_BYTES];
    size_t len;
    CHECK(cert_serial_valid(hex));
    TRY(OPENSSL_hexstr2buf_ex(raw, sizeof raw, &len, hex, '\0') == 1);
    append_value(out, DER_INTEGER, bytes_of(raw, len));
    return true;
}

/* As RFC 5280 §4.1.2.5 wants it: UTCTime until 2049, GeneralizedTime afterwards. */
static bool append_time(struct buf *out, int64_t seconds)
{
    AUTO_TYPE(ASN1_TIME) time = ASN1_TIME_set(NULL, (time_t)seconds);
    TRY(time != NULL);
    append_value(out, (uint8_t)ASN1_STRING_type(time),
                 bytes_of(ASN1_STRING_get0_data(time), (size_t)ASN1_STRING_length(time)));
    return true;
}

static bool append_validity(struct buf *out, struct cert_dates dates)
{
    size_t start = out->len;
    TRY(append_time(out, dates.not_before_s) && append_time(out, dates.not_after_s));
    der_wrap(out, start, DER_SEQUENCE);
    return true;
}

static bool append_issuer(struct buf *out, const struct issuer *issuer)
{
    const unsigned char *name;
    size_t len;
    TRY(X509_NAME_get0_der(X509_get_subject_name(issuer->cert), &name, &len) == 1);
    buf_append(out, name, len);
    return true;
}

static void append_subject(struct buf *out, const char *common_name)
{
    size_t start = out->len;
    if (common_name != NULL) {
        append_oid(out, NID_commonName);
        append_value(out, V_ASN1_UTF8STRING, bytes_text(common_name));
        der_wrap(out, start, DER_SEQUENCE);
        der_wrap(out, start, DER_SET);
    }
    der_wrap(out, start, DER_SEQUENCE);
}

/* ---- extensions (RFC 5280 §4.2.1) */

enum criticality { NOT_CRITICAL, CRITICAL };
struct extension {
    size_t start, value; /* where they begin */
};

static struct extension open_extension(struct buf *out, int nid, enum criticality criticality)
{
    static const uint8_t is_true[] = { 0xff };
    struct extension extension = { .start = out->len };
    append_oid(out, nid);
    if (criticality == CRITICAL)
        append_value(out, DER_BOOLEAN, bytes_of(is_true, sizeof is_true));
    extension.value = out->len;
    return extension;
}

static void close_extension(struct buf *out, struct extension extension)
{
    der_wrap(out, extension.value, DER_OCTET_STRING);
    der_wrap(out, extension.start, DER_SEQUENCE);
}

static void append_key_usage(struct buf *out, bool enciphers)
{
    static const uint8_t signature[] = { 7, 0x80 }, signature_and_encipherment[] = { 5, 0xa0 }; /* unused bits, bits */
    struct extension usage = open_extension(out, NID_key_usage, CRITICAL);
    append_value(out, DER_BIT_STRING, bytes_of(enciphers ? signature_and_encipherment : signature, sizeof signature));
    close_extension(out, usage);
}

static void append_server_auth(struct buf *out)
{
    struct extension usage = open_extension(out, NID_ext_key_usage, NOT_CRITICAL);
    append_oid(out, NID_server_auth);
    der_wrap(out, usage.value, DER_SEQUENCE);
    close_extension(out, usage);
}

static void append_basic_constraints(struct buf *out)
{
    struct extension constraints = open_extension(out, NID_basic_constraints, CRITICAL);
    append_value(out, DER_SEQUENCE, bytes_of(NULL, 0)); /* no authority, which is the default */
    close_extension(out, constraints);
}

/* RFC 7093 §2 method 1: the left-most 160 bits of SHA-256 over the key's bit string. */
static void append_subject_key_id(struct buf *out, struct bytes key_info)
{
    enum der_fault fault = DER_SOUND;
    struct der whole = DER_OVER(key_info, &fault);
    struct der info = der_enter(&whole, DER_SEQUENCE);
    (void)der_element(&info, DER_SEQUENCE);
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(der_octets(&info), digest);
    CHECK(fault == DER_SOUND);
    struct extension id = open_extension(out, NID_subject_key_identifier, NOT_CRITICAL);
    append_value(out, DER_OCTET_STRING, bytes_of(digest, KEY_ID_BYTES));
    close_extension(out, id);
}

static void append_authority_key_id(struct buf *out, const ASN1_OCTET_STRING *key_id)
{
    struct extension id = open_extension(out, NID_authority_key_identifier, NOT_CRITICAL);
    append_value(out, DER_KEY_ID, bytes_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)));
    der_wrap(out, id.value, DER_SEQUENCE);
    close_extension(out, id);
}

/* §4.2.1.6: critical when the subject says nothing. */
static bool append_names(struct buf *out, const struct cert_leaf *leaf)
{
    struct extension names =
        open_extension(out, NID_subject_alt_name, leaf->common_name == NULL ? CRITICAL : NOT_CRITICAL);
    for (size_t i = 0; i < leaf->identifier_count; i++)
        TRY(identifier_general_name(&leaf->identifiers[i], out));
    der_wrap(out, names.value, DER_SEQUENCE);
    close_extension(out, names);
    return true;
}

static bool append_extensions(struct buf *out, const struct cert_leaf *leaf, const struct issuer *issuer)
{
    size_t start = out->len;
    append_key_usage(out, leaf->rsa && !(leaf->without & CA_WITHOUT_KEY_ENCIPHERMENT));
    append_server_auth(out);
    append_basic_constraints(out);
    if (!(leaf->without & CA_WITHOUT_SUBJECT_KEY_ID))
        append_subject_key_id(out, leaf->key_info);
    append_authority_key_id(out, issuer->key_id);
    TRY(append_names(out, leaf));
    der_wrap(out, start, DER_SEQUENCE);
    der_wrap(out, start, DER_EXTENSIONS);
    return true;
}

/* ---- the whole */

/* RFC 5280 §4.1 */
static bool append_to_sign(struct buf *out, const struct cert_leaf *leaf, const struct issuer *issuer)
{
    static const uint8_t version_3[] = { DER_VERSION, 3, DER_INTEGER, 1, 2 };
    size_t start = out->len;
    append(out, bytes_of(version_3, sizeof version_3));
    TRY(append_serial(out, leaf->serial) && append_algorithm(out, issuer) && append_issuer(out, issuer));
    TRY(append_validity(out, leaf->dates));
    append_subject(out, leaf->common_name);
    append(out, leaf->key_info);
    TRY(append_extensions(out, leaf, issuer));
    der_wrap(out, start, DER_SEQUENCE);
    return !out->failed;
}

bool cert_make_leaf(const struct cert_leaf *leaf, const struct issuer *issuer, struct buf *out)
{
    uint8_t signature[1 + SIGNATURE_MAX_BYTES] = { 0 }; /* the number of unused bits comes first */
    size_t len = SIGNATURE_MAX_BYTES, start = out->len;
    TRY(append_to_sign(out, leaf, issuer));
    AUTO_TYPE(EVP_MD_CTX) ctx = EVP_MD_CTX_new();
    TRY(ctx != NULL && EVP_DigestSignInit(ctx, NULL, issuer->digest, NULL, issuer->key) == 1);
    TRY(EVP_DigestSign(ctx, signature + 1, &len, (const uint8_t *)out->data + start, out->len - start) == 1);
    TRY(append_algorithm(out, issuer));
    append_value(out, DER_BIT_STRING, bytes_of(signature, 1 + len));
    der_wrap(out, start, DER_SEQUENCE);
    return !out->failed;
}
