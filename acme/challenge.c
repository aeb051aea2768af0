#include "acme/challenge.h"

#include "base/encode.h"

static const struct {
    const char *text;
    bool dns, wildcard, ip, token;
} challenge_types[CHALLENGE_TYPES] = {
#define X(name, text, dns, wildcard, ip, token) [CHALLENGE_##name] = { text, dns, wildcard, ip, token },
    ACME_CHALLENGE_TABLE(X)
#undef X
};

const char *challenge_type_text(enum acme_challenge_type type)
{
    CHECK(type < CHALLENGE_TYPES);
    return challenge_types[type].text;
}

bool challenge_type_from_text(const char *text, enum acme_challenge_type *out)
{
    for (unsigned type = 0; type < CHALLENGE_TYPES; type++) {
        if (strcmp(challenge_types[type].text, text) == 0) {
            *out = type;
            return true;
        }
    }
    return false;
}

bool challenge_offered(enum acme_challenge_type type, const struct acme_identifier *identifier)
{
    CHECK(type < CHALLENGE_TYPES);
    if (identifier->type == IDENTIFIER_IP)
        return challenge_types[type].ip;
    return identifier_is_wildcard(identifier) ? challenge_types[type].wildcard : challenge_types[type].dns;
}

bool challenge_has_token(enum acme_challenge_type type)
{
    CHECK(type < CHALLENGE_TYPES);
    return challenge_types[type].token;
}

const char *key_authorization(struct arena *arena, const char *token, const char *thumbprint)
{
    return arena_printf(arena, "%s.%s", token, thumbprint);
}

const char *key_authorization_dns(struct arena *arena, const char *key_authorization_text)
{
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(bytes_text(key_authorization_text), digest);
    return arena_b64url(arena, bytes_of(digest, sizeof digest));
}

const char *challenge_account_uri(struct arena *arena, const char *prefix, const char *name, const char *thumbprint,
                                  const char *account_url)
{
    enum { HASHED_MAX_BYTES = 4096 };
    AUTO_BUF(hashed, HASHED_MAX_BYTES);
    uint8_t digest[SHA256_BYTES];
    size_t len = strlen(name);
    buf_char(&hashed, (char)len);
    buf_text(&hashed, name);
    buf_text(&hashed, thumbprint);
    buf_text(&hashed, account_url);
    if (len > UINT8_MAX || hashed.failed)
        return NULL;
    crypto_digest_sha256(buf_bytes(&hashed), digest);
    const char *text = arena_b64url(arena, bytes_of(digest, sizeof digest));
    return text != NULL ? arena_printf(arena, "%s" CHALLENGE_ACCOUNT_HASH "%s", prefix, text) : NULL;
}

void challenge_account_label(struct buf *out, const char *account_url)
{
    enum { KEPT_BYTES = 10 };
    uint8_t digest[SHA256_BYTES];
    crypto_digest_sha256(bytes_text(account_url), digest);
    buf_char(out, '_');
    buf_base32(out, bytes_of(digest, KEPT_BYTES));
}

void challenge_txt_name(struct buf *out, enum acme_challenge_type type, const struct acme_identifier *identifier,
                        const char *account_url)
{
    CHECK(type == CHALLENGE_DNS_01 || type == CHALLENGE_DNS_ACCOUNT_01 || type == CHALLENGE_DNS_PERSIST_01);
    if (type == CHALLENGE_DNS_ACCOUNT_01) {
        CHECK(account_url != NULL);
        challenge_account_label(out, account_url);
        buf_char(out, '.');
    }
    buf_text(out, type == CHALLENGE_DNS_PERSIST_01 ? "_validation-persist." : "_acme-challenge.");
    buf_text(out, identifier_base(identifier));
}
