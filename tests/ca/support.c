#include "tests/ca/support.h"

#include "tests/folder.h"

#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

EVP_PKEY *test_key(const char *type, const char *size)
{
    EVP_PKEY *key = strcmp(type, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)atol(size))
                    : size != NULL           ? EVP_PKEY_Q_keygen(NULL, NULL, type, size)
                                             : EVP_PKEY_Q_keygen(NULL, NULL, type);
    assert_non_null(key);
    return key;
}

void test_der_clear(struct test_der *der)
{
    OPENSSL_free(der->data);
}

static void add_alternative_names(X509_REQ *request, const char *names)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
    assert_non_null(extension);
    STACK_OF(X509_EXTENSION) *list = sk_X509_EXTENSION_new_null();
    assert_true(sk_X509_EXTENSION_push(list, extension) > 0);
    assert_int_equal(X509_REQ_add_extensions(request, list), 1);
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}

void test_request_sign(X509_REQ *request, const struct request_recipe *recipe)
{
    bool edwards = EVP_PKEY_is_a(recipe->key, "ED25519") || EVP_PKEY_is_a(recipe->key, "ED448");
    const EVP_MD *digest = recipe->digest != NULL ? recipe->digest : EVP_sha256();
    assert_true(X509_REQ_sign(request, recipe->key, edwards ? NULL : digest) > 0);
}

X509_REQ *test_request(const struct request_recipe *recipe)
{
    X509_REQ *request = X509_REQ_new();
    assert_int_equal(X509_REQ_set_version(request, 0), 1);
    assert_int_equal(X509_REQ_set_pubkey(request, recipe->key), 1);
    if (recipe->common_name != NULL)
        assert_int_equal(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(request), NID_commonName, MBSTRING_UTF8,
                                                    (const unsigned char *)recipe->common_name, -1, -1, 0),
                         1);
    if (recipe->alternative_names != NULL)
        add_alternative_names(request, recipe->alternative_names);
    test_request_sign(request, recipe);
    return request;
}

struct test_der test_encode(X509_REQ *request)
{
    struct test_der der = { 0 };
    int len = i2d_X509_REQ(request, &der.data);
    assert_true(len > 0);
    der.len = (size_t)len;
    return der;
}

struct test_der test_request_der(const struct request_recipe *recipe)
{
    AUTO_TYPE(X509_REQ) request = test_request(recipe);
    return test_encode(request);
}

struct csr *test_csr(const struct request_recipe *recipe)
{
    AUTO_DER der = test_request_der(recipe);
    char why[CSR_WHY_SIZE] = "";
    struct csr *csr = NULL;
    if (csr_parse(bytes_of(der.data, der.len), &csr, why) != CSR_OK)
        fail_msg("The CSR %s", why);
    return csr;
}

void test_expect_csr(struct bytes der, enum csr_status want, const char *phrase)
{
    char why[CSR_WHY_SIZE] = "";
    struct csr *csr = NULL;
    /* a block of exactly this size lets ASan see one byte too many */
    uint8_t *exact = malloc(der.len + (der.len == 0));
    if (der.len > 0)
        memcpy(exact, der.data, der.len);
    enum csr_status status = csr_parse(bytes_of(exact, der.len), &csr, why);
    free(exact);
    if (status != want || strstr(why, phrase) == NULL)
        fail_msg("status %d, \"%s\" instead of %d, \"%s\"", (int)status, why, (int)want, phrase);
    assert_null(csr);
}

void test_expect_request(X509_REQ *request, enum csr_status want, const char *phrase)
{
    AUTO_DER der = test_encode(request);
    X509_REQ_free(request);
    test_expect_csr(bytes_of(der.data, der.len), want, phrase);
}

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void signed_now(struct ca_request *request, void *arg)
{
    (void)request;
    struct waiting *waiting = arg;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

void test_sign(struct ca *ca, struct ca_request *request)
{
    struct waiting waiting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    request->done = signed_now;
    request->arg = &waiting;
    ca_submit(ca, request);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
}

X509 *test_pem_cert(const char *pem)
{
    AUTO_TYPE(BIO) bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_non_null(cert);
    return cert;
}

void test_expect_extension(X509 *cert, int nid, int critical, const char *hex)
{
    int at = X509_get_ext_by_NID(cert, nid, -1);
    assert_true(at >= 0);
    X509_EXTENSION *extension = X509_get_ext(cert, at);
    assert_int_equal(X509_EXTENSION_get_critical(extension), critical);
    ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(extension);
    char *got = OPENSSL_buf2hexstr(value->data, value->length);
    assert_string_equal(got, hex);
    OPENSSL_free(got);
}

void test_folder_make(char out[static TEST_FOLDER_SIZE])
{
    strncpy(out, "/tmp/caraway-ca-XXXXXX", TEST_FOLDER_SIZE);
    assert_non_null(mkdtemp(out));
}

void test_folder_remove(const char *folder)
{
    assert_true(folder_remove(folder));
}
