/* SHA-256 by OpenSSL's older calls: they need no memory, so a hash cannot fail, where EVP's may in the middle of a
 * request. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/crypto.h"

#include "base/memory.h"

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <pthread.h>

static EVP_MD *sha256, *sha384, *sha512; /* written once under pthread_once, then read-only */
static pthread_once_t fetched = PTHREAD_ONCE_INIT;

static void fetch(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha384 = EVP_MD_fetch(NULL, "SHA384", NULL);
    sha512 = EVP_MD_fetch(NULL, "SHA512", NULL);
    CHECK(sha256 != NULL && sha384 != NULL && sha512 != NULL);
}

const EVP_MD *crypto_sha256(void)
{
    pthread_once(&fetched, fetch);
    return sha256;
}

const EVP_MD *crypto_sha384(void)
{
    pthread_once(&fetched, fetch);
    return sha384;
}

const EVP_MD *crypto_sha512(void)
{
    pthread_once(&fetched, fetch);
    return sha512;
}

/* ---- memory */

static void *take(size_t size, const char *file, int line)
{
    (void)file, (void)line;
    return memory_take(size);
}

static void give_back(void *old, const char *file, int line)
{
    (void)file, (void)line;
    free(old);
}

static void *resize(void *old, size_t size, const char *file, int line)
{
    if (size > 0)
        return memory_resize(old, size);
    give_back(old, file, line);
    return NULL;
}

bool crypto_watch_memory(void)
{
    return CRYPTO_set_mem_functions(take, resize, give_back) == 1;
}

/* ---- hashes */

void crypto_digest_sha256(struct bytes in, uint8_t out[static SHA256_BYTES])
{
    SHA256_CTX state;
    SHA256_Init(&state);
    SHA256_Update(&state, in.data, in.len);
    SHA256_Final(out, &state);
}

void crypto_pem(struct buf *out, const char *kind, struct bytes der)
{
    AUTO_TYPE(BIO) memory = BIO_new(BIO_s_mem());
    char *pem = NULL;
    if (memory == NULL || PEM_write_bio(memory, kind, "", der.data, (long)der.len) == 0) {
        out->failed = true;
        return;
    }
    long len = BIO_get_mem_data(memory, &pem);
    buf_append(out, pem, (size_t)len);
}

/* RFC 2104 */
static void hash_keyed(const uint8_t block[static SHA256_CBLOCK], uint8_t pad, struct bytes in,
                       uint8_t out[static SHA256_BYTES])
{
    SHA256_CTX state;
    uint8_t padded[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof padded; i++)
        padded[i] = block[i] ^ pad;
    SHA256_Init(&state);
    SHA256_Update(&state, padded, sizeof padded);
    SHA256_Update(&state, in.data, in.len);
    SHA256_Final(out, &state);
    OPENSSL_cleanse(padded, sizeof padded);
    OPENSSL_cleanse(&state, sizeof state);
}

void crypto_hmac_sha256(struct bytes key, struct bytes in, uint8_t out[static SHA256_BYTES])
{
    uint8_t block[SHA256_CBLOCK] = { 0 }, inner[SHA256_BYTES];
    if (key.len > sizeof block)
        crypto_digest_sha256(key, block);
    else if (key.len > 0)
        memcpy(block, key.data, key.len);
    hash_keyed(block, 0x36, in, inner);
    hash_keyed(block, 0x5c, bytes_of(inner, sizeof inner), out);
    OPENSSL_cleanse(block, sizeof block);
}

void crypto_pem_decode(struct buf *out, const char *pem)
{
    AUTO_TYPE(BIO) in = BIO_new_mem_buf(pem, -1);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    if (in != NULL && PEM_read_bio(in, &name, &header, &der, &len) == 1)
        buf_append(out, der, (size_t)len);
    else
        out->failed = true;
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
}
