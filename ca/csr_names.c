#include "ca/csr_parts.h"

#include <arpa/inet.h>
#include <openssl/asn1.h>
#include <openssl/obj_mac.h>

DEFINE_DROP_TYPE(ASN1_STRING, ASN1_STRING_free)

enum { COMMON_NAME_MAX = 64 /* RFC 5280 appendix A.1, ub-common-name */, NAME_SHOWN_MAX = 80 };

/* GeneralName (RFC 5280 §4.2.1.6): tags [0] to [8] */
enum { TAG_CONSTRUCTED = 0x20, NAME_FIRST = 0x80, NAME_DNS = 0x82, NAME_ADDRESS = 0x87, NAME_LAST = 0x88 };

static bool is_oid(struct bytes oid, int nid)
{
    return csr_algorithm_is(&(struct csr_algorithm) { .oid = oid }, nid);
}

/* RFC 5280 §4.1.2.4 */
void csr_walk_subject(struct der subject, struct csr_names *out)
{
    while (der_more(&subject)) {
        struct der set = der_enter(&subject, DER_SET);
        do {
            struct der pair = der_enter(&set, DER_SEQUENCE);
            struct bytes type = der_content(&pair, DER_OID);
            uint8_t tag = 0;
            struct bytes value = der_any(&pair, &tag);
            der_end(&pair);
            if (!is_oid(type, NID_commonName))
                continue;
            out->common_names++;
            out->common_name_tag = tag;
            out->common_name = value;
        } while (der_more(&set));
    }
}

/* RFC 2986 §4.1: what an attribute's values are is left to those who know it. */
void csr_walk_attributes(struct der attributes, struct csr_names *out)
{
    der_sorted(attributes);
    while (der_more(&attributes)) {
        struct der attribute = der_enter(&attributes, DER_SEQUENCE);
        struct bytes type = der_content(&attribute, DER_OID);
        struct der values = der_enter(&attribute, DER_SET);
        der_end(&attribute);
        der_sorted(values);
        if (!is_oid(type, NID_ext_req))
            continue;
        out->extension_requests++;
        out->extension_request = values.left;
    }
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        TRY(text.data[i] > ' ' && text.data[i] < 0x7f);
    return text.len > 0 && text.len <= NAME_SHOWN_MAX;
}

static enum csr_status add_name(struct csr *csr, enum acme_identifier_type type, struct bytes text,
                                char why[static CSR_WHY_SIZE])
{
    char reason[IDENTIFIER_WHY_SIZE];
    if (identifier_make(csr->arena, type, text, &csr->identifiers[csr->identifier_count], reason)) {
        csr->identifier_count++;
        return CSR_OK;
    }
    if (!is_printable(text))
        return csr_fail(why, CSR_BAD_NAME, "has a name that cannot be certified: %s", reason);
    return csr_fail(why, CSR_BAD_NAME, "has the name \"%.*s\", which cannot be certified: %s", (int)text.len,
                    (const char *)text.data, reason);
}

static enum csr_status too_many_names(char why[static CSR_WHY_SIZE])
{
    return csr_fail(why, CSR_BAD_NAME, "has more than %d names", CSR_MAX_NAMES);
}

static enum csr_status add_address(struct csr *csr, struct bytes octets, char why[static CSR_WHY_SIZE])
{
    char text[INET6_ADDRSTRLEN];
    bool v4 = octets.len == sizeof(struct in_addr);
    if (!v4 && octets.len != sizeof(struct in6_addr))
        return csr_fail(why, CSR_BAD_NAME, "has an IP address of %zu bytes in its subjectAltName", octets.len);
    CHECK(inet_ntop(v4 ? AF_INET : AF_INET6, octets.data, text, sizeof text) != NULL);
    return add_name(csr, IDENTIFIER_IP, bytes_text(text), why);
}

static enum csr_status unreadable_names(char why[static CSR_WHY_SIZE])
{
    return csr_fail(why, CSR_MALFORMED, "has a subjectAltName extension that cannot be read");
}

static bool is_other_name(uint8_t tag)
{
    uint8_t form = tag & (uint8_t)~TAG_CONSTRUCTED;
    return form >= NAME_FIRST && form <= NAME_LAST && form != NAME_DNS && form != NAME_ADDRESS;
}

static enum csr_status add_general_name(struct csr *csr, uint8_t tag, struct bytes value, char why[static CSR_WHY_SIZE])
{
    if (csr->identifier_count == CSR_MAX_NAMES)
        return too_many_names(why);
    if (tag == NAME_DNS)
        return add_name(csr, IDENTIFIER_DNS, value, why);
    if (tag == NAME_ADDRESS)
        return add_address(csr, value, why);
    if (is_other_name(tag))
        return csr_fail(why, CSR_BAD_NAME, "has a subjectAltName that is neither a DNS name nor an IP address");
    return unreadable_names(why);
}

static enum csr_status read_alternative_names(struct csr *csr, struct bytes value, char why[static CSR_WHY_SIZE])
{
    enum der_fault fault = DER_SOUND;
    struct der whole = DER_OVER(value, &fault);
    struct der names = der_enter(&whole, DER_SEQUENCE);
    der_end(&whole);
    if (names.left.len == 0)
        return unreadable_names(why);
    enum csr_status status = CSR_OK;
    while (status == CSR_OK && der_more(&names)) {
        uint8_t tag = 0;
        struct bytes name = der_any(&names, &tag);
        if (fault == DER_SOUND)
            status = add_general_name(csr, tag, name, why);
    }
    return fault == DER_SOUND ? status : unreadable_names(why);
}

/* The extensions asked for (RFC 5280 §4.1.2.9); what stands in the last subjectAltName, and how many there are. */
static size_t find_alternative_names(struct der extensions, struct bytes *out)
{
    size_t count = 0;
    while (der_more(&extensions)) {
        struct der extension = der_enter(&extensions, DER_SEQUENCE);
        struct bytes type = der_content(&extension, DER_OID);
        if (der_peek(&extension) == DER_BOOLEAN)
            (void)der_content(&extension, DER_BOOLEAN); /* critical or not: the profile says it */
        struct bytes value = der_content(&extension, DER_OCTET_STRING);
        der_end(&extension);
        if (!is_oid(type, NID_subject_alt_name))
            continue;
        *out = value;
        count++;
    }
    return count;
}

/* RFC 2985 §5.4.2: one attribute with one value, the list of extensions. */
static enum csr_status read_extensions(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    if (csr->found.extension_requests == 0)
        return CSR_OK;
    if (csr->found.extension_requests > 1)
        return csr_fail(why, CSR_MALFORMED, "has two extensionRequest attributes");
    enum der_fault fault = DER_SOUND;
    struct der values = DER_OVER(csr->found.extension_request, &fault);
    struct der extensions = der_enter(&values, DER_SEQUENCE);
    der_end(&values);
    struct bytes names;
    size_t count = find_alternative_names(extensions, &names);
    if (fault != DER_SOUND)
        return csr_fail(why, CSR_MALFORMED, "has an extensionRequest attribute that cannot be read");
    if (count > 1)
        return csr_fail(why, CSR_MALFORMED, "has two subjectAltName extensions");
    return count == 1 ? read_alternative_names(csr, names, why) : CSR_OK;
}

static bool is_address(struct bytes text)
{
    char copy[INET6_ADDRSTRLEN];
    uint8_t address[sizeof(struct in6_addr)];
    TRY(text.len < sizeof copy);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

static enum csr_status add_common_name(struct csr *csr, struct bytes text, char why[static CSR_WHY_SIZE])
{
    if (text.len == 0)
        return CSR_OK;
    size_t at = csr->identifier_count;
    enum csr_status status = add_name(csr, is_address(text) ? IDENTIFIER_IP : IDENTIFIER_DNS, text, why);
    if (status == CSR_OK && strlen(csr->identifiers[at].value) <= COMMON_NAME_MAX)
        csr->common_name = csr->identifiers[at].value;
    return status;
}

/* Whatever kind of string it is, in UTF-8; OpenSSL's memory, NULL when it is none. */
static unsigned char *text_of(uint8_t tag, struct bytes value, size_t *out_len)
{
    unsigned char *text = NULL;
    AUTO_TYPE(ASN1_STRING) string = ASN1_STRING_type_new(tag);
    if (string == NULL || ASN1_STRING_set(string, value.data, (int)value.len) != 1)
        return NULL;
    int len = ASN1_STRING_to_UTF8(&text, string);
    if (len < 0)
        return NULL;
    *out_len = (size_t)len;
    return text;
}

static enum csr_status read_common_name(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    if (csr->found.common_names == 0)
        return CSR_OK;
    if (csr->found.common_names > 1)
        return csr_fail(why, CSR_BAD_NAME, "has more than one common name in its subject");
    size_t len;
    unsigned char *text = text_of(csr->found.common_name_tag, csr->found.common_name, &len);
    if (text == NULL)
        return csr_fail(why, CSR_BAD_NAME, "has a common name that is not text");
    enum csr_status status = add_common_name(csr, bytes_of(text, len), why);
    OPENSSL_free(text);
    return status;
}

enum csr_status csr_read_names(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    csr->identifiers = arena_array(csr->arena, CSR_MAX_NAMES + 1, sizeof csr->identifiers[0]); /* and the CN */
    if (csr->identifiers == NULL)
        return csr_fail(why, CSR_NO_MEMORY, "cannot be read: out of memory");
    enum csr_status status = read_extensions(csr, why);
    if (status == CSR_OK)
        status = read_common_name(csr, why);
    if (status != CSR_OK)
        return status;
    if (csr->identifier_count == 0)
        return csr_fail(why, CSR_MALFORMED, "names nothing: it has neither a subjectAltName nor a common name");
    csr->identifier_count = identifier_sort_unique(csr->identifiers, csr->identifier_count);
    return csr->identifier_count <= CSR_MAX_NAMES ? CSR_OK : too_many_names(why);
}
