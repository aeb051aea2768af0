/* Keys, requests for certificates, and certificates. */
#include "test-client/conformance/inside.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>

enum { SAN_MAX = 8192, PEM_PARTS_MAX = 1 << 20 };

static void drop_key(void *key)
{
    EVP_PKEY_free(key);
}

static void drop_jwk(void *key)
{
    jwk_drop(key);
}

static void drop_x509(void *certificate)
{
    X509_free(certificate);
}

static EVP_PKEY *keep_key(struct cf *cf, EVP_PKEY *key)
{
    CHECK(key != NULL);
    cf_keep(cf, key, drop_key);
    return key;
}

EVP_PKEY *cf_key(struct cf *cf, enum tc_key_type type)
{
    return keep_key(cf, tc_key_make(type));
}

EVP_PKEY *cf_key_rsa(struct cf *cf, unsigned bits)
{
    return keep_key(cf, EVP_RSA_gen(bits));
}

struct jwk *cf_jwk(struct cf *cf, EVP_PKEY *key)
{
    struct jwk *jwk = jwk_from_pkey(key);
    CHECK(jwk != NULL);
    cf_keep(cf, jwk, drop_jwk);
    return jwk;
}

static bool is_address(const char *name)
{
    uint8_t address[16];
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static void add_names(X509_REQ *request, const char *const *names)
{
    AUTO_BUF(list, SAN_MAX);
    for (size_t i = 0; names[i] != NULL; i++)
        buf_printf(&list, "%s%s:%s", i > 0 ? "," : "", is_address(names[i]) ? "IP" : "DNS", names[i]);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, buf_str(&list));
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    CHECK(extension != NULL && extensions != NULL && sk_X509_EXTENSION_push(extensions, extension) > 0);
    CHECK(X509_REQ_add_extensions(request, extensions) == 1);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
}

static void break_signature(X509_REQ *request)
{
    const ASN1_BIT_STRING *signature;
    X509_REQ_get0_signature(request, &signature, NULL);
    signature->data[signature->length - 1] ^= 1;
}

const char *cf_make_csr(struct cf *cf, const struct cf_csr *csr)
{
    AUTO_TYPE(X509_REQ) request = X509_REQ_new();
    CHECK(request != NULL && X509_REQ_set_pubkey(request, csr->key) == 1);
    if (csr->common_name != NULL)
        CHECK(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8,
                                         (const unsigned char *)csr->common_name, -1, -1, 0) == 1);
    if (csr->names != NULL)
        add_names(request, csr->names);
    const EVP_MD *digest = EVP_get_digestbyname(csr->digest != NULL ? csr->digest : "SHA256");
    CHECK(digest != NULL && X509_REQ_sign(request, csr->key, digest) > 0);
    if (csr->break_signature)
        break_signature(request);
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(request, &der);
    CHECK(len > 0);
    const char *text = cf_b64(cf, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return text;
}

const char *cf_csr_for(struct cf *cf, EVP_PKEY *key, const char *name)
{
    return cf_make_csr(cf, &(struct cf_csr) { .key = key, .names = (const char *const[]) { name, NULL } });
}

const char *cf_certificate_b64(struct cf *cf, X509 *certificate)
{
    unsigned char *der = NULL;
    int len = i2d_X509(certificate, &der);
    CHECK(len > 0);
    const char *text = cf_b64(cf, bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return text;
}

X509 *cf_read_der(struct cf *cf, struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    if (certificate == NULL)
        return NULL;
    cf_keep(cf, certificate, drop_x509);
    return at == der.data + der.len ? certificate : NULL;
}

size_t cf_read_chain(struct cf *cf, const char *pem, X509 **out)
{
    AUTO_TYPE(BIO) source = BIO_new_mem_buf(pem, -1);
    CHECK(source != NULL);
    size_t count = 0;
    while (!BIO_eof(source)) {
        X509 *certificate = count < TC_CHAIN_MAX ? PEM_read_bio_X509(source, NULL, NULL, NULL) : NULL;
        if (certificate == NULL)
            return 0;
        cf_keep(cf, certificate, drop_x509);
        out[count++] = certificate;
    }
    return count;
}
