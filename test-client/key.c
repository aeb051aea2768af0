#include "test-client/key.h"

#include "test-client/file.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 64 << 10 };

DEFINE_DROP_TYPE(GENERAL_NAMES, GENERAL_NAMES_free)
DEFINE_DROP_TYPE(GENERAL_NAME, GENERAL_NAME_free)
DEFINE_DROP_TYPE(ASN1_IA5STRING, ASN1_IA5STRING_free)
DEFINE_DROP_TYPE(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)

const char *const tc_key_names[TC_KEY_TYPES + 1] = {
#define X(name, text, type, curve, bits) [TC_KEY_##name] = text,
    TC_KEY_TABLE(X)
#undef X
};

static const struct {
    const char *type, *curve;
    size_t bits;
} kinds[TC_KEY_TYPES] = {
#define X(name, text, type, curve, bits) [TC_KEY_##name] = { type, curve, bits },
    TC_KEY_TABLE(X)
#undef X
};

EVP_PKEY *tc_key_make(enum tc_key_type type)
{
    if (kinds[type].curve != NULL)
        return EVP_PKEY_Q_keygen(NULL, NULL, kinds[type].type, kinds[type].curve);
    return EVP_PKEY_Q_keygen(NULL, NULL, kinds[type].type, kinds[type].bits);
}

/* Without this, OpenSSL would ask for a passphrase on the terminal. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

static void wipe_buf(struct buf *buf)
{
    OPENSSL_cleanse(buf->data, buf->cap);
    buf_free(buf);
}

bool tc_key_load(const char *path, EVP_PKEY **out, char why[static TC_WHY_SIZE])
{
    __attribute__((cleanup(wipe_buf))) struct buf pem = BUF_INIT(KEY_FILE_MAX);
    TRY(tc_file_read(path, &pem, why));
    AUTO_TYPE(BIO) source = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = source != NULL ? PEM_read_bio_PrivateKey(source, NULL, no_passphrase, NULL) : NULL;
    if (key == NULL) {
        snprintf(why, TC_WHY_SIZE, "%s holds no private key in PEM without a passphrase", path);
        return false;
    }
    *out = key;
    return true;
}

bool tc_key_save(const char *path, EVP_PKEY *key, char why[static TC_WHY_SIZE])
{
    AUTO_TYPE(BIO) sink = BIO_new(BIO_s_secmem());
    char *pem;
    if (sink == NULL || PEM_write_bio_PKCS8PrivateKey(sink, key, NULL, NULL, 0, NULL, NULL) != 1) {
        snprintf(why, TC_WHY_SIZE, "cannot write %s: the key has no PEM form", path);
        return false;
    }
    long len = BIO_get_mem_data(sink, &pem);
    return tc_file_write(path, bytes_of(pem, (size_t)len), 0600, why);
}

bool tc_key_load_or_make(const char *path, enum tc_key_type type, EVP_PKEY **out, char why[static TC_WHY_SIZE])
{
    if (access(path, F_OK) == 0)
        return tc_key_load(path, out, why);
    AUTO_TYPE(EVP_PKEY) key = tc_key_make(type);
    if (key == NULL) {
        snprintf(why, TC_WHY_SIZE, "out of memory");
        return false;
    }
    TRY(tc_key_save(path, key, why));
    *out = TAKE(key);
    return true;
}

static bool set_dns(GENERAL_NAME *name, const char *value)
{
    AUTO_TYPE(ASN1_IA5STRING) text = ASN1_IA5STRING_new();
    TRY(text != NULL && ASN1_STRING_set(text, value, -1) == 1);
    GENERAL_NAME_set0_value(name, GEN_DNS, TAKE(text));
    return true;
}

static bool set_ip(GENERAL_NAME *name, const char *value)
{
    uint8_t address[16];
    bool v6 = strchr(value, ':') != NULL;
    AUTO_TYPE(ASN1_OCTET_STRING) octets = ASN1_OCTET_STRING_new();
    TRY(octets != NULL && inet_pton(v6 ? AF_INET6 : AF_INET, value, address) == 1);
    TRY(ASN1_OCTET_STRING_set(octets, address, v6 ? 16 : 4) == 1);
    GENERAL_NAME_set0_value(name, GEN_IPADD, TAKE(octets));
    return true;
}

static bool (*const set_name[IDENTIFIER_TYPES])(GENERAL_NAME *, const char *) = {
    [IDENTIFIER_DNS] = set_dns,
    [IDENTIFIER_IP] = set_ip,
};

static bool add_name(GENERAL_NAMES *names, const struct acme_identifier *identifier)
{
    AUTO_TYPE(GENERAL_NAME) name = GENERAL_NAME_new();
    TRY(name != NULL && set_name[identifier->type](name, identifier->value));
    TRY(sk_GENERAL_NAME_push(names, name) > 0);
    (void)TAKE(name);
    return true;
}

static void drop_extensions(STACK_OF(X509_EXTENSION) * *extensions)
{
    sk_X509_EXTENSION_pop_free(*extensions, X509_EXTENSION_free);
}

static bool add_names(X509_REQ *request, const struct acme_identifier *identifiers, size_t count)
{
    AUTO_TYPE(GENERAL_NAMES) names = GENERAL_NAMES_new();
    TRY(names != NULL);
    for (size_t i = 0; i < count; i++)
        TRY(add_name(names, &identifiers[i]));
    __attribute__((cleanup(drop_extensions))) STACK_OF(X509_EXTENSION) *extensions = NULL;
    TRY(X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, X509V3_ADD_APPEND) == 1);
    return X509_REQ_add_extensions(request, extensions) == 1;
}

bool tc_csr_make(EVP_PKEY *key, const struct acme_identifier *identifiers, size_t count, struct buf *out)
{
    AUTO_TYPE(X509_REQ) request = X509_REQ_new();
    TRY(request != NULL && X509_REQ_set_version(request, X509_REQ_VERSION_1) == 1);
    TRY(X509_REQ_set_pubkey(request, key) == 1 && add_names(request, identifiers, count));
    const EVP_MD *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : crypto_sha256();
    TRY(X509_REQ_sign(request, key, digest) > 0);
    int len = i2d_X509_REQ(request, NULL);
    TRY(len > 0 && buf_reserve(out, (size_t)len));
    unsigned char *end = (unsigned char *)out->data + out->len;
    i2d_X509_REQ(request, &end);
    out->len += (size_t)len;
    out->data[out->len] = '\0';
    return true;
}
