#include "test-client/key.h"

#include "test-client/file.h"

#include <openssl/pem.h>

#include <stdio.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 64 << 10 };

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
