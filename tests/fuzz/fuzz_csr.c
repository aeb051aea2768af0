/* A request as it is, and as OpenSSL reads it; once more signed by a key of ours, so that what stands behind the
 * signature is met too. */
#include "ca/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(struct bytes der)
{
    AUTO(csr) csr = NULL;
    char why[CSR_WHY_SIZE] = "";
    enum csr_status status = csr_parse(der, &csr, why);
    CHECK((status == CSR_OK) == (csr != NULL) && (status == CSR_OK) == (why[0] == '\0'));
    size_t count = 0;
    const struct acme_identifier *names = csr == NULL ? NULL : csr_identifiers(csr, &count);
    CHECK(csr == NULL || (count >= 1 && count <= CSR_MAX_NAMES));
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < count; i++) {
        struct acme_identifier again;
        CHECK(identifier_make(arena, names[i].type, bytes_text(names[i].value), &again, why));
        CHECK(identifier_compare(&again, &names[i]) == 0);
        CHECK(i == 0 || identifier_compare(&names[i - 1], &names[i]) < 0);
    }
}

/* What we took, OpenSSL reads in the same way. */
static void compare(struct bytes der, X509_REQ *request)
{
    AUTO(csr) csr = NULL;
    char why[CSR_WHY_SIZE];
    if (csr_parse(der, &csr, why) != CSR_OK)
        return;
    EVP_PKEY *key = X509_REQ_get0_pubkey(request);
    CHECK(EVP_PKEY_eq(key, jwk_pkey(csr_key(csr))) == 1 && X509_REQ_verify(request, key) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t secret[32] = { 1 };
    parse(bytes_of(data, size));
    const unsigned char *at = data;
    AUTO_TYPE(X509_REQ) request = d2i_X509_REQ(NULL, &at, (long)size);
    AUTO_TYPE(EVP_PKEY) key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof secret);
    if (request != NULL)
        compare(bytes_of(data, size), request);
    unsigned char *der = NULL;
    if (request != NULL && X509_REQ_set_pubkey(request, key) == 1 && X509_REQ_sign(request, key, NULL) > 0) {
        int len = i2d_X509_REQ(request, &der);
        parse(bytes_of(der, len > 0 ? (size_t)len : 0));
    }
    OPENSSL_free(der);
    return 0;
}
