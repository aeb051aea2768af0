#include "validators/alpn_certificate.h"

#include "validators/address.h"
#include "validators/printable.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <strings.h>

#define ACME_IDENTIFIER_OID "1.3.6.1.5.5.7.1.31"
enum { OID_TEXT_SIZE = 80, SHOWN_NAMES = 3, EXTENSIONS_MAX = 100 };

DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_DROP_TYPE(ASN1_OBJECT, ASN1_OBJECT_free)

static bool refuse(char why[static VAL_CERTIFICATE_WHY_SIZE], const char *what)
{
    snprintf(why, VAL_CERTIFICATE_WHY_SIZE, "%s", what);
    return false;
}

static struct bytes string_bytes(const ASN1_STRING *string)
{
    return bytes_of(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static void name_text(const GENERAL_NAME *name, char out[static VAL_SHOWN_SIZE + 8])
{
    char shown[VAL_SHOWN_SIZE];
    struct val_address address;
    if (name->type == GEN_DNS) {
        snprintf(out, VAL_SHOWN_SIZE + 8, "dns:%s", val_printable(string_bytes(name->d.dNSName), shown));
    } else if (name->type == GEN_IPADD && val_address_from_bytes(string_bytes(name->d.iPAddress), &address)) {
        snprintf(out, VAL_SHOWN_SIZE + 8, "ip:%s", val_address_text(&address, shown));
    } else {
        snprintf(out, VAL_SHOWN_SIZE + 8, "a name of type %d", name->type);
    }
}

static void names_text(const GENERAL_NAMES *names, char out[static VAL_CERTIFICATE_WHY_SIZE])
{
    char text[VAL_SHOWN_SIZE + 8];
    size_t used = 0;
    int count = names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    snprintf(out, VAL_CERTIFICATE_WHY_SIZE, "none");
    for (int i = 0; i < count && i < SHOWN_NAMES; i++) {
        name_text(sk_GENERAL_NAME_value(names, i), text);
        used += (size_t)snprintf(out + used, VAL_CERTIFICATE_WHY_SIZE - used, "%s%.120s", i > 0 ? ", " : "", text);
    }
    if (count > SHOWN_NAMES)
        snprintf(out + used, VAL_CERTIFICATE_WHY_SIZE - used, " and %d more", count - SHOWN_NAMES);
}

void val_certificate_names(const X509 *certificate, char out[static VAL_CERTIFICATE_WHY_SIZE])
{
    AUTO_TYPE(GENERAL_NAMES) names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    names_text(names, out);
    ERR_clear_error();
}

static bool names_only(const GENERAL_NAMES *names, const struct acme_identifier *identifier)
{
    struct val_address address;
    TRY(names != NULL && sk_GENERAL_NAME_num(names) == 1);
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, 0);
    if (identifier->type == IDENTIFIER_IP)
        return name->type == GEN_IPADD && val_address_parse(identifier->value, &address) &&
               bytes_equal(string_bytes(name->d.iPAddress), val_address_bytes(&address));
    TRY(name->type == GEN_DNS);
    struct bytes text = string_bytes(name->d.dNSName);
    return text.len == strlen(identifier->value) &&
           strncasecmp((const char *)text.data, identifier->value, text.len) == 0;
}

static bool check_names(const X509 *certificate, const struct acme_identifier *identifier,
                        char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    char found[VAL_CERTIFICATE_WHY_SIZE];
    AUTO_TYPE(GENERAL_NAMES) names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names_only(names, identifier))
        return true;
    names_text(names, found);
    snprintf(why, VAL_CERTIFICATE_WHY_SIZE, "its subjectAltName should be %s:%.260s alone, but is %.240s",
             identifier_type_text(identifier->type), identifier->value, found);
    return false;
}

/* Each is held against all others: thousands, as fit into a handshake, would be work for us. */
static bool check_no_doubles(const X509 *certificate, char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    if (X509_get_ext_count(certificate) > EXTENSIONS_MAX) {
        snprintf(why, VAL_CERTIFICATE_WHY_SIZE, "it has %d extensions; at most %d are looked at",
                 X509_get_ext_count(certificate), EXTENSIONS_MAX);
        return false;
    }
    for (int i = 0; i < X509_get_ext_count(certificate); i++) {
        const ASN1_OBJECT *object = X509_EXTENSION_get_object(X509_get_ext(certificate, i));
        char oid[OID_TEXT_SIZE];
        if (X509_get_ext_by_OBJ(certificate, object, i) < 0)
            continue;
        OBJ_obj2txt(oid, sizeof oid, object, 1);
        snprintf(why, VAL_CERTIFICATE_WHY_SIZE, "it has the extension %s more than once", oid);
        return false;
    }
    return true;
}

static bool check_self_signed(X509 *certificate, char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);
    if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0 && key != NULL &&
        X509_verify(certificate, key) == 1)
        return true;
    return refuse(why, "it is not self-signed");
}

/* The extension's value is the DER of an OCTET STRING of 32 bytes (RFC 8737 §3). */
static bool check_digest(const X509 *certificate, const uint8_t digest[static SHA256_BYTES],
                         char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    AUTO_TYPE(ASN1_OBJECT) oid = OBJ_txt2obj(ACME_IDENTIFIER_OID, 1);
    if (oid == NULL)
        return refuse(why, "it could not be read for want of memory");
    int at = X509_get_ext_by_OBJ(certificate, oid, -1);
    if (at < 0)
        return refuse(why, "it lacks the acmeIdentifier extension (" ACME_IDENTIFIER_OID ")");
    X509_EXTENSION *extension = X509_get_ext(certificate, at);
    struct bytes value = string_bytes(X509_EXTENSION_get_data(extension));
    if (!X509_EXTENSION_get_critical(extension))
        return refuse(why, "its acmeIdentifier extension is not critical");
    if (value.len != 2 + SHA256_BYTES || value.data[0] != V_ASN1_OCTET_STRING || value.data[1] != SHA256_BYTES)
        return refuse(why, "its acmeIdentifier is not an OCTET STRING of 32 bytes");
    if (memcmp(value.data + 2, digest, SHA256_BYTES) != 0)
        return refuse(why, "its acmeIdentifier is not the SHA-256 of the key authorization");
    return true;
}

bool val_certificate_proves(X509 *certificate, const struct acme_identifier *identifier,
                            const uint8_t digest[static SHA256_BYTES], char why[static VAL_CERTIFICATE_WHY_SIZE])
{
    bool ok = check_no_doubles(certificate, why) && check_names(certificate, identifier, why) &&
              check_digest(certificate, digest, why) && check_self_signed(certificate, why);
    ERR_clear_error();
    return ok;
}
