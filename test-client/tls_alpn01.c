#include "test-client/tls_alpn01.h"

#include "test-client/dns_wire.h"
#include "test-client/text_map.h"
#include "test-client/tls_context.h"
#include "test-client/tls_hello.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

enum { ANSWERS_MAX = 1 << 20, IPV4_BYTES = 4, IPV6_BYTES = 16, SERIAL_BYTES = 8 };

DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_DROP_TYPE(ASN1_OBJECT, ASN1_OBJECT_free)
DEFINE_DROP_TYPE(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
DEFINE_DROP_TYPE(X509_EXTENSION, X509_EXTENSION_free)
DEFINE_DROP_TYPE(BIGNUM, BN_free)

struct tls_alpn01 {
    EVP_PKEY *key;
    SSL_CTX *context;
    struct text_map *entries; /* server name → struct entry */
    tls_alpn01_watch *watch;  /* NULL: nobody looks on */
    void *watcher;
};

struct entry {
    X509 *certificate;
    char *content; /* the key authorization */
    bool no_protocol;
};

static void drop_entry(void *value)
{
    struct entry *entry = value;
    X509_free(entry->certificate);
    free(entry->content);
    free(entry);
}

/* Who is asked for: what the certificate says, and the server name the validator sends. */
struct subject {
    char server_name[DNS_NAME_SIZE];
    uint8_t address[IPV6_BYTES];
    size_t address_len; /* 0: a DNS name */
};

static void reverse_name(const struct subject *subject, struct buf *out)
{
    for (size_t i = subject->address_len; i-- > 0;) {
        uint8_t byte = subject->address[i];
        if (subject->address_len == IPV4_BYTES)
            buf_printf(out, "%u.", byte);
        else
            buf_printf(out, "%x.%x.", byte & 0xf, byte >> 4);
    }
    buf_text(out, subject->address_len == IPV4_BYTES ? "in-addr.arpa" : "ip6.arpa");
}

static bool subject_of(const char *name, struct subject *out)
{
    out->address_len = 0;
    if (inet_pton(AF_INET, name, out->address) == 1)
        out->address_len = IPV4_BYTES;
    else if (inet_pton(AF_INET6, name, out->address) == 1)
        out->address_len = IPV6_BYTES;
    if (out->address_len == 0)
        return dns_name_canonical(name, out->server_name) && out->server_name[0] != '\0';
    AUTO_BUF(reverse, sizeof out->server_name - 1);
    reverse_name(out, &reverse);
    memcpy(out->server_name, buf_str(&reverse), reverse.len + 1);
    return true;
}

static bool add_name(X509 *certificate, const struct subject *subject)
{
    AUTO_TYPE(GENERAL_NAMES) names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    bool dns = subject->address_len == 0;
    ASN1_STRING *value = dns ? ASN1_IA5STRING_new() : ASN1_OCTET_STRING_new();
    bool made = value != NULL && ASN1_STRING_set(value, dns ? (const void *)subject->server_name : subject->address,
                                                 dns ? -1 : (int)subject->address_len) == 1;
    if (!made || name == NULL || names == NULL || sk_GENERAL_NAME_push(names, name) <= 0) {
        ASN1_STRING_free(value);
        GENERAL_NAME_free(name);
        return false;
    }
    GENERAL_NAME_set0_value(name, dns ? GEN_DNS : GEN_IPADD, value);
    return X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, 0) == 1;
}

static bool add_other_names(X509 *certificate, const char *names)
{
    if (*names == '\0')
        return true;
    AUTO_TYPE(X509_EXTENSION) extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    return extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
}

/* RFC 8737 §3: critical, the digest of the key authorization as an OCTET STRING inside the extension's own. */
static bool add_acme_identifier(X509 *certificate, const uint8_t digest[static SHA256_BYTES],
                                const struct tls_alpn01_flaws *flaws)
{
    size_t skip = flaws->bare_digest ? 2 : 0;
    uint8_t der[2 + SHA256_BYTES] = { V_ASN1_OCTET_STRING, SHA256_BYTES };
    memcpy(der + 2, digest, SHA256_BYTES);
    AUTO_TYPE(ASN1_OBJECT) id = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
    AUTO_TYPE(ASN1_OCTET_STRING) value = ASN1_OCTET_STRING_new();
    TRY(id != NULL && value != NULL && ASN1_OCTET_STRING_set(value, der + skip, (int)(sizeof der - skip)) == 1);
    AUTO_TYPE(X509_EXTENSION) extension = X509_EXTENSION_create_by_OBJ(NULL, id, flaws->not_critical ? 0 : 1, value);
    return extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
}

static bool add_serial(X509 *certificate, const uint8_t digest[static SHA256_BYTES])
{
    AUTO_TYPE(BIGNUM) serial = BN_bin2bn(digest, SERIAL_BYTES, NULL);
    return serial != NULL && BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;
}

static X509 *make_certificate(EVP_PKEY *key, const struct subject *subject, const char *key_authorization,
                              const struct tls_alpn01_flaws *flaws)
{
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(bytes_text(key_authorization), digest);
    AUTO_TYPE(X509) certificate = X509_new();
    if (certificate == NULL || !tls_certificate_begin(certificate, key, "challenge responder") ||
        !add_serial(certificate, digest))
        return NULL;
    bool named = flaws->names != NULL ? add_other_names(certificate, flaws->names) : add_name(certificate, subject);
    if (!named || (!flaws->no_identifier && !add_acme_identifier(certificate, digest, flaws)) ||
        X509_sign(certificate, key, crypto_sha256()) == 0)
        return NULL;
    return TAKE(certificate);
}

bool tls_alpn01_put_flawed(struct tls_alpn01 *answers, const char *name, const char *key_authorization,
                           const struct tls_alpn01_flaws *flaws)
{
    struct subject subject;
    TRY(subject_of(name, &subject));
    struct entry *entry = calloc(1, sizeof *entry);
    TRY(entry != NULL);
    entry->certificate = make_certificate(answers->key, &subject, key_authorization, flaws);
    entry->content = strdup(key_authorization);
    entry->no_protocol = flaws->no_protocol;
    if (entry->certificate != NULL && entry->content != NULL &&
        text_map_put(answers->entries, bytes_text(subject.server_name), entry))
        return true;
    drop_entry(entry);
    return false;
}

bool tls_alpn01_put(struct tls_alpn01 *answers, const char *name, const char *key_authorization)
{
    return tls_alpn01_put_flawed(answers, name, key_authorization, &(struct tls_alpn01_flaws) { 0 });
}

void tls_alpn01_remove(struct tls_alpn01 *answers, const char *name)
{
    struct subject subject;
    if (subject_of(name, &subject))
        text_map_remove(answers->entries, bytes_text(subject.server_name));
}

void tls_alpn01_clear(struct tls_alpn01 *answers)
{
    text_map_clear(answers->entries);
}

struct listing {
    void (*show)(void *arg, const char *name, const char *content);
    void *arg;
};

static void show_entry(void *arg, struct bytes key, void *value)
{
    const struct listing *listing = arg;
    const struct entry *entry = value;
    char name[DNS_NAME_SIZE];
    CHECK(key.len < sizeof name);
    memcpy(name, key.data, key.len);
    name[key.len] = '\0';
    listing->show(listing->arg, name, entry->content);
}

bool tls_alpn01_each(const struct tls_alpn01 *answers, void (*show)(void *arg, const char *name, const char *content),
                     void *arg)
{
    return text_map_each(answers->entries, show_entry, &(struct listing) { show, arg });
}

void tls_alpn01_set_watch(struct tls_alpn01 *answers, tls_alpn01_watch *watch, void *watcher)
{
    answers->watch = watch;
    answers->watcher = watcher;
}

SSL_CTX *tls_alpn01_context(struct tls_alpn01 *answers)
{
    return answers->context;
}

static const unsigned char acme_tls[] = "\x0a"
                                        "acme-tls/1"; /* one protocol name with its length in front */

/* Empty when the client did not send it. */
static struct bytes extension_of(SSL *ssl, unsigned type)
{
    const unsigned char *data;
    size_t len;
    return SSL_client_hello_get0_ext(ssl, type, &data, &len) == 1 ? bytes_of(data, len) : bytes_of(NULL, 0);
}

/* RFC 8737 §3: the list of protocols must be this one alone. OpenSSL would also take a client without any list. */
static int check_hello(SSL *ssl, int *alert, void *arg)
{
    const struct tls_alpn01 *answers = arg;
    struct tls_alpn01_hello hello = { .ssl = ssl };
    (void)!tls_hello_server_name(extension_of(ssl, TLSEXT_TYPE_server_name), &hello.server_name);
    (void)!tls_hello_protocols(extension_of(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation), &hello.protocols);
    bool goes_on = answers->watch == NULL || answers->watch(answers->watcher, &hello);
    *alert = SSL_AD_NO_APPLICATION_PROTOCOL;
    return goes_on && bytes_equal(hello.protocols, bytes_of(acme_tls, sizeof acme_tls - 1)) ? SSL_CLIENT_HELLO_SUCCESS
                                                                                            : SSL_CLIENT_HELLO_ERROR;
}

static const struct entry *entry_of(const struct tls_alpn01 *answers, const SSL *ssl)
{
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    char server_name[DNS_NAME_SIZE];
    bool known = asked != NULL && dns_name_canonical(asked, server_name);
    return known ? text_map_get(answers->entries, bytes_text(server_name)) : NULL;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *list,
                           unsigned len, void *arg)
{
    const struct entry *entry = entry_of(arg, ssl);
    unsigned char *chosen;
    if (entry != NULL && entry->no_protocol)
        return SSL_TLSEXT_ERR_NOACK;
    if (SSL_select_next_proto(&chosen, out_len, acme_tls, sizeof acme_tls - 1, list, len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int choose_certificate(SSL *ssl, int *alert, void *arg)
{
    const struct tls_alpn01 *answers = arg;
    const struct entry *entry = entry_of(answers, ssl);
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    if (entry == NULL || SSL_use_certificate(ssl, entry->certificate) != 1 ||
        SSL_use_PrivateKey(ssl, answers->key) != 1)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *make_context(struct tls_alpn01 *answers)
{
    SSL_CTX *context = tls_context_create();
    if (context == NULL)
        return NULL;
    SSL_CTX_set_client_hello_cb(context, check_hello, answers);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, answers);
    SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
    SSL_CTX_set_tlsext_servername_arg(context, answers);
    return context;
}

struct tls_alpn01 *tls_alpn01_create(void)
{
    AUTO(tls_alpn01) answers = calloc(1, sizeof *answers);
    if (answers == NULL)
        return NULL;
    answers->key = EVP_EC_gen("P-256");
    answers->context = make_context(answers);
    answers->entries = text_map_create(ANSWERS_MAX, drop_entry);
    bool made = answers->key != NULL && answers->context != NULL && answers->entries != NULL;
    return made ? TAKE(answers) : NULL;
}

void tls_alpn01_drop(struct tls_alpn01 *answers)
{
    if (answers == NULL)
        return;
    text_map_drop(answers->entries);
    SSL_CTX_free(answers->context);
    EVP_PKEY_free(answers->key);
    free(answers);
}
