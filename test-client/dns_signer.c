#include "test-client/dns_signer.h"

#include "base/text.h"
#include "base/crypto.h"

#include <openssl/ecdsa.h>

enum {
    POINT_BYTES = 64,
    FLAGS_KEY_SIGNING = 257,
    PROTOCOL = 3,
    ALGORITHM_P256 = 13,
    DIGEST_SHA256 = 2,
    DNSKEY_BYTES = 4 + POINT_BYTES,
    SIGNATURE_MAX = 80,
    SIGNED_MAX = 1 << 20,
    DAY_S = 86400
};

struct dns_signer {
    const struct world *world;
    EVP_PKEY *key;
    uint8_t dnskey[DNSKEY_BYTES];
    uint16_t key_tag;
};

static const char *const flaw_texts[DNS_FLAWS] = {
#define X(name, text) [DNS_FLAW_##name] = text,
    DNS_FLAW_TABLE(X)
#undef X
};

const char *dns_flaw_text(enum dns_flaw flaw)
{
    return flaw_texts[flaw];
}

bool dns_flaw_from_text(const char *text, enum dns_flaw *out)
{
    size_t i = text_index(flaw_texts, DNS_FLAWS, text);
    TRY(i < DNS_FLAWS);
    *out = (enum dns_flaw)i;
    return true;
}

/* RFC 4034 appendix B */
static uint16_t key_tag_of(struct bytes dnskey)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < dnskey.len; i++)
        sum += (i & 1) != 0 ? dnskey.data[i] : (uint32_t)dnskey.data[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

static bool fill_dnskey(struct dns_signer *signer)
{
    unsigned char *point = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(signer->key, &point);
    bool usable = len == 1 + POINT_BYTES && point[0] == POINT_CONVERSION_UNCOMPRESSED;
    const uint8_t head[] = { FLAGS_KEY_SIGNING >> 8, FLAGS_KEY_SIGNING & 0xff, PROTOCOL, ALGORITHM_P256 };
    memcpy(signer->dnskey, head, sizeof head);
    if (usable)
        memcpy(signer->dnskey + sizeof head, point + 1, POINT_BYTES);
    OPENSSL_free(point);
    signer->key_tag = key_tag_of(dns_signer_dnskey(signer));
    return usable;
}

struct dns_signer *dns_signer_create(const struct world *world)
{
    AUTO(dns_signer) signer = calloc(1, sizeof *signer);
    if (signer == NULL)
        return NULL;
    signer->world = world;
    signer->key = EVP_EC_gen("P-256");
    return signer->key != NULL && fill_dnskey(signer) ? TAKE(signer) : NULL;
}

void dns_signer_drop(struct dns_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->key);
    free(signer);
}

struct bytes dns_signer_dnskey(const struct dns_signer *signer)
{
    return bytes_of(signer->dnskey, sizeof signer->dnskey);
}

/* RFC 4034 §5.1.4, RFC 4509 */
void dns_signer_ds(const struct dns_signer *signer, const char *zone, struct buf *out)
{
    uint8_t digest[SHA256_BYTES];
    AUTO_BUF(digested, DNS_NAME_WIRE_MAX + DNSKEY_BYTES);
    dns_write_name(&digested, zone);
    buf_append(&digested, signer->dnskey, sizeof signer->dnskey);
    crypto_digest_sha256(buf_bytes(&digested), digest);
    dns_write_u16(out, signer->key_tag);
    buf_char(out, ALGORITHM_P256);
    buf_char(out, DIGEST_SHA256);
    buf_append(out, digest, sizeof digest);
    out->failed |= digested.failed;
}

static int compare_rdata(const void *a, const void *b)
{
    const struct bytes *left = a, *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = len > 0 ? memcmp(left->data, right->data, len) : 0;
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

/* RFC 4034 §3.1: all of the rdata but the signature. */
static void write_frame(const struct dns_signer *signer, const char *zone, const char *owner, const struct dns_set *set,
                        enum dns_flaw flaw, struct buf *out)
{
    bool wildcard = owner[0] == '*' && (owner[1] == '.' || owner[1] == '\0');
    uint32_t now_s = (uint32_t)(world_now_ms(signer->world) / 1000);
    dns_write_u16(out, set->type);
    buf_char(out, ALGORITHM_P256);
    buf_char(out, (char)(dns_name_labels(owner) - wildcard));
    dns_write_u32(out, set->ttl);
    dns_write_u32(out, flaw == DNS_FLAW_EXPIRED ? now_s - DAY_S : now_s + DAY_S);
    dns_write_u32(out, now_s - 2 * DAY_S);
    dns_write_u16(out, signer->key_tag);
    dns_write_name(out, zone);
}

static bool sign(const struct dns_signer *signer, struct bytes data, uint8_t out[static POINT_BYTES])
{
    uint8_t der[SIGNATURE_MAX];
    size_t len = sizeof der;
    AUTO_TYPE(EVP_MD_CTX) context = EVP_MD_CTX_new();
    TRY(context != NULL && EVP_DigestSignInit(context, NULL, crypto_sha256(), NULL, signer->key) == 1 &&
        EVP_DigestSign(context, der, &len, data.data, data.len) == 1);
    const unsigned char *at = der;
    ECDSA_SIG *parts = d2i_ECDSA_SIG(NULL, &at, (long)len);
    bool signed_ = parts != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parts), out, POINT_BYTES / 2) == POINT_BYTES / 2 &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(parts), out + POINT_BYTES / 2, POINT_BYTES / 2) == POINT_BYTES / 2;
    ECDSA_SIG_free(parts);
    return signed_;
}

void dns_signer_sign(const struct dns_signer *signer, const char *zone, const char *owner, struct dns_set *set,
                     enum dns_flaw flaw, struct buf *out)
{
    uint8_t signature[POINT_BYTES];
    AUTO_BUF(frame, DNS_NAME_WIRE_MAX + 32);
    AUTO_BUF(data, SIGNED_MAX);
    qsort(set->rdata, set->count, sizeof *set->rdata, compare_rdata);
    write_frame(signer, zone, owner, set, flaw, &frame);
    buf_append(&data, frame.data, frame.len);
    for (size_t i = 0; i < set->count; i++)
        dns_write_record(&data, owner, set->type, set->ttl, set->rdata[i]);
    if (frame.failed || data.failed || !sign(signer, buf_bytes(&data), signature)) {
        out->failed = true;
        return;
    }
    if (flaw == DNS_FLAW_SIGNATURE)
        signature[POINT_BYTES - 1] ^= 1;
    buf_append(out, frame.data, frame.len);
    buf_append(out, signature, sizeof signature);
}
