#include "ca/csr_parts.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)

enum { COMMON_NAME_MAX = 64 /* RFC 5280 appendix A.1, ub-common-name */, NAME_SHOWN_MAX = 80 };

static void extensions_free(X509_EXTENSIONS *extensions)
{
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}
DEFINE_DROP_TYPE(X509_EXTENSIONS, extensions_free)

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

static enum csr_status add_general_name(struct csr *csr, const GENERAL_NAME *name, char why[static CSR_WHY_SIZE])
{
    int form;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &form);
    if (form != GEN_DNS && form != GEN_IPADD)
        return csr_fail(why, CSR_BAD_NAME, "has a subjectAltName that is neither a DNS name nor an IP address");
    struct bytes text = bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
    return form == GEN_DNS ? add_name(csr, IDENTIFIER_DNS, text, why) : add_address(csr, text, why);
}

static enum csr_status read_alternative_names(struct csr *csr, const X509_EXTENSION *extension,
                                              char why[static CSR_WHY_SIZE])
{
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data((X509_EXTENSION *)extension);
    const unsigned char *at = ASN1_STRING_get0_data(value), *end = at + ASN1_STRING_length(value);
    AUTO_TYPE(GENERAL_NAMES) names = d2i_GENERAL_NAMES(NULL, &at, end - at);
    if (names == NULL || at != end || sk_GENERAL_NAME_num(names) == 0)
        return csr_fail(why, CSR_MALFORMED, "has a subjectAltName extension that cannot be read");
    if (sk_GENERAL_NAME_num(names) > CSR_MAX_NAMES)
        return too_many_names(why);
    enum csr_status status = CSR_OK;
    for (int i = 0; status == CSR_OK && i < sk_GENERAL_NAME_num(names); i++)
        status = add_general_name(csr, sk_GENERAL_NAME_value(names, i), why);
    return status;
}

/* RFC 2985 §5.4.2: one attribute with one value, the list of extensions. */
static X509_EXTENSIONS *decode_extensions(X509_ATTRIBUTE *attribute)
{
    ASN1_TYPE *value = X509_ATTRIBUTE_count(attribute) == 1 ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;
    if (value == NULL || value->type != V_ASN1_SEQUENCE)
        return NULL;
    const unsigned char *at = value->value.sequence->data, *end = at + value->value.sequence->length;
    AUTO_TYPE(X509_EXTENSIONS) extensions = d2i_X509_EXTENSIONS(NULL, &at, end - at);
    return at == end ? TAKE(extensions) : NULL;
}

static enum csr_status read_extensions(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    int first = X509_REQ_get_attr_by_NID(csr->request, NID_ext_req, -1);
    if (first < 0)
        return CSR_OK;
    if (X509_REQ_get_attr_by_NID(csr->request, NID_ext_req, first) >= 0)
        return csr_fail(why, CSR_MALFORMED, "has two extensionRequest attributes");
    AUTO_TYPE(X509_EXTENSIONS) extensions = decode_extensions(X509_REQ_get_attr(csr->request, first));
    if (extensions == NULL)
        return csr_fail(why, CSR_MALFORMED, "has an extensionRequest attribute that cannot be read");
    int at = X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, -1);
    if (at < 0)
        return CSR_OK;
    if (X509v3_get_ext_by_NID(extensions, NID_subject_alt_name, at) >= 0)
        return csr_fail(why, CSR_MALFORMED, "has two subjectAltName extensions");
    return read_alternative_names(csr, X509v3_get_ext(extensions, at), why);
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

static enum csr_status read_common_name(struct csr *csr, char why[static CSR_WHY_SIZE])
{
    X509_NAME *subject = X509_REQ_get_subject_name(csr->request);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return CSR_OK;
    if (X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
        return csr_fail(why, CSR_BAD_NAME, "has more than one common name in its subject");
    unsigned char *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len < 0)
        return csr_fail(why, CSR_BAD_NAME, "has a common name that is not text");
    enum csr_status status = add_common_name(csr, bytes_of(text, (size_t)len), why);
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
