#include "ca/key.h"

#include "base/text.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static const char *const type_texts[CA_KEY_TYPES] = {
#define X(name, text) [CA_KEY_##name] = text,
    CA_KEY_TYPE_TABLE(X)
#undef X
};

static const struct {
    const char *curve; /* NULL for RSA */
    int bits;
} type_keys[CA_KEY_TYPES] = {
    [CA_KEY_P256] = { "P-256", 256 },
    [CA_KEY_P384] = { "P-384", 384 },
    [CA_KEY_RSA2048] = { NULL, 2048 },
    [CA_KEY_RSA4096] = { NULL, 4096 },
};

bool ca_key_type_from_text(const char *text, enum ca_key_type *out)
{
    size_t i = text_index(type_texts, CA_KEY_TYPES, text);
    TRY(i < CA_KEY_TYPES);
    *out = (enum ca_key_type)i;
    return true;
}

EVP_PKEY *ca_key_make(enum ca_key_type type)
{
    CHECK(type < CA_KEY_TYPES);
    EVP_PKEY *key = type_keys[type].curve != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", type_keys[type].curve)
                                                  : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)type_keys[type].bits);
    ERR_clear_error();
    return key;
}

const EVP_MD *key_digest(EVP_PKEY *key)
{
    int bits = EVP_PKEY_get_bits(key);
    if (EVP_PKEY_is_a(key, "RSA"))
        return bits >= 2048 && bits <= 4096 ? crypto_sha256() : NULL;
    char curve[32];
    size_t len;
    if (!EVP_PKEY_is_a(key, "EC") || EVP_PKEY_get_group_name(key, curve, sizeof curve, &len) != 1)
        return NULL;
    return strcmp(curve, SN_X9_62_prime256v1) == 0 ? crypto_sha256()
           : strcmp(curve, SN_secp384r1) == 0      ? crypto_sha384()
                                                   : NULL;
}

void secret_free(struct buf *buf)
{
    OPENSSL_cleanse(buf->data, buf->cap);
    buf_free(buf);
}

bool key_write(EVP_PKEY *key, struct buf *out)
{
    AUTO_TYPE(BIO) bio = BIO_new(BIO_s_secmem());
    TRY(bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1);
    char *text;
    long len = BIO_get_mem_data(bio, &text);
    TRY(len > 0 && buf_reserve(out, (size_t)len));
    buf_append(out, text, (size_t)len);
    return !out->failed;
}

/* Without this, OpenSSL would ask for a passphrase on the terminal. */
static int no_passphrase(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

EVP_PKEY *key_read(struct bytes pem)
{
    AUTO_TYPE(BIO) bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    EVP_PKEY *key = bio == NULL ? NULL : PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    ERR_clear_error();
    return key;
}
