#include "server/web/nonce.h"

#include "base/crypto.h"
#include "base/encode.h"

#include <pthread.h>

enum { BLOCK = 16, COUNTER_BYTES = 8, KEY_BYTES = 32 };

/* One AES block: eight bytes of counter, eight of zero. Who does not know the key makes a block that decrypts to eight
 * zero bytes once in 2^64 tries. */
struct nonces {
    pthread_mutex_t lock; /* guards everything below */
    EVP_CIPHER_CTX *seal, *open;
    uint64_t next;
    uint8_t used[NONCE_WINDOW / 8]; /* bit of counter modulo NONCE_WINDOW */
};

struct nonces *nonces_create(const struct world *world)
{
    struct nonces *nonces = calloc(1, sizeof *nonces);
    if (nonces == NULL)
        return NULL;
    pthread_mutex_init(&nonces->lock, NULL);
    uint8_t key[KEY_BYTES];
    world_random(world, key, sizeof key);
    nonces->seal = EVP_CIPHER_CTX_new();
    nonces->open = EVP_CIPHER_CTX_new();
    bool ready = nonces->seal != NULL && nonces->open != NULL &&
                 EVP_EncryptInit_ex(nonces->seal, EVP_aes_256_ecb(), NULL, key, NULL) == 1 &&
                 EVP_DecryptInit_ex(nonces->open, EVP_aes_256_ecb(), NULL, key, NULL) == 1;
    OPENSSL_cleanse(key, sizeof key);
    if (!ready) {
        nonces_drop(nonces);
        return NULL;
    }
    EVP_CIPHER_CTX_set_padding(nonces->seal, 0);
    EVP_CIPHER_CTX_set_padding(nonces->open, 0);
    return nonces;
}

void nonces_drop(struct nonces *nonces)
{
    if (nonces == NULL)
        return;
    EVP_CIPHER_CTX_free(nonces->seal);
    EVP_CIPHER_CTX_free(nonces->open);
    pthread_mutex_destroy(&nonces->lock);
    free(nonces);
}

void nonce_make(struct nonces *nonces, char out[static NONCE_SIZE])
{
    uint8_t plain[BLOCK] = { 0 };
    uint8_t sealed[BLOCK];
    int len = 0;
    pthread_mutex_lock(&nonces->lock);
    uint64_t counter = nonces->next++;
    nonces->used[counter % NONCE_WINDOW / 8] &= (uint8_t) ~(1U << counter % 8);
    memcpy(plain, &counter, COUNTER_BYTES);
    CHECK(EVP_EncryptUpdate(nonces->seal, sealed, &len, plain, BLOCK) == 1 && len == BLOCK);
    pthread_mutex_unlock(&nonces->lock);
    struct buf text = BUF_OVER(out, NONCE_SIZE);
    buf_b64url(&text, bytes_of(sealed, BLOCK));
    CHECK(text.len == NONCE_SIZE - 1);
}

static bool mark_used(struct nonces *nonces, const uint8_t plain[static BLOCK])
{
    static const uint8_t zeros[BLOCK - COUNTER_BYTES];
    TRY(CRYPTO_memcmp(plain + COUNTER_BYTES, zeros, sizeof zeros) == 0);
    uint64_t counter;
    memcpy(&counter, plain, COUNTER_BYTES);
    TRY(counter < nonces->next && nonces->next - counter <= NONCE_WINDOW);
    uint8_t *byte = &nonces->used[counter % NONCE_WINDOW / 8];
    uint8_t bit = (uint8_t)(1U << counter % 8);
    TRY((*byte & bit) == 0);
    *byte |= bit;
    return true;
}

bool nonce_redeem(struct nonces *nonces, const char *text)
{
    TRY(strlen(text) == NONCE_SIZE - 1);
    AUTO(arena) scratch = arena_create(256);
    struct bytes sealed;
    TRY(scratch != NULL && b64url_decode(scratch, bytes_text(text), &sealed) && sealed.len == BLOCK);
    uint8_t plain[BLOCK];
    int len = 0;
    pthread_mutex_lock(&nonces->lock);
    bool fresh = EVP_DecryptUpdate(nonces->open, plain, &len, sealed.data, BLOCK) == 1 && len == BLOCK &&
                 mark_used(nonces, plain);
    pthread_mutex_unlock(&nonces->lock);
    return fresh;
}
