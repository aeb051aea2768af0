/* Keys by name, and the key change of RFC 8555 §7.3.5. */
#include "tests/scenarios/runner.h"

#include <stdio.h>

enum { INNER_MAX = 64 << 10 };

static const struct {
    const char *text, *type, *curve;
    size_t bits;
} key_types[] = {
    { "p-256", "EC", "P-256", 0 },     { "p-384", "EC", "P-384", 0 },     { "p-521", "EC", "P-521", 0 },
    { "rsa", "RSA", NULL, 2048 },      { "rsa-1024", "RSA", NULL, 1024 }, { "rsa-4096", "RSA", NULL, 4096 },
    { "ed25519", "ED25519", NULL, 0 },
};

EVP_PKEY *key_make(struct scenario *s, const char *type)
{
    for (size_t i = 0; i < ARRAY_SIZE(key_types); i++) {
        if (strcmp(key_types[i].text, type) != 0)
            continue;
        if (key_types[i].curve != NULL)
            return EVP_PKEY_Q_keygen(NULL, NULL, key_types[i].type, key_types[i].curve);
        return EVP_PKEY_Q_keygen(NULL, NULL, key_types[i].type, key_types[i].bits);
    }
    fail(s, "there is no key type \"%s\"", type);
    return NULL;
}

struct jwk *key_find(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < KEYS_MAX; i++) {
        if (s->keys[i].key != NULL && strcmp(s->keys[i].name, name) == 0)
            return s->keys[i].key;
    }
    struct client *client = client_find(s, name);
    return client != NULL ? client->key : NULL;
}

bool key_keep(struct scenario *s, const char *name, struct jwk *key)
{
    AUTO(jwk) kept = key;
    for (size_t i = 0; i < KEYS_MAX; i++) {
        struct named_key *one = &s->keys[i];
        if (one->key != NULL && strcmp(one->name, name) != 0)
            continue;
        jwk_drop(one->key);
        one->key = TAKE(kept);
        snprintf(one->name, sizeof one->name, "%s", name);
        return one->key != NULL || fail(s, "out of memory");
    }
    return fail(s, "too many keys");
}

void keys_clear(struct scenario *s)
{
    for (size_t i = 0; i < KEYS_MAX; i++)
        jwk_drop(s->keys[i].key);
}

/* key NAME TYPE */
bool play_key(struct scenario *s, words w, size_t count)
{
    (void)count;
    AUTO_TYPE(EVP_PKEY) key = key_make(s, w[1]);
    TRY(key != NULL && key_keep(s, w[0], jwk_from_pkey(key)));
    return variable_setf(s, jwk_json(key_find(s, w[0])), "%s.jwk", w[0]);
}

/* ---- key-change CLIENT KEY [-url U] [-nonce N] [-account U] [-old KEY] [-sign KEY]: mistakes of the inner JWS */

struct inner {
    const char *url, *nonce, *account;
    const struct jwk *new_key, *old_key, *signer;
};

static bool read_inner_option(struct scenario *s, const char *option, const char *value, struct inner *inner)
{
    if (strcmp(option, "-url") == 0)
        inner->url = value;
    else if (strcmp(option, "-nonce") == 0)
        inner->nonce = value;
    else if (strcmp(option, "-account") == 0)
        inner->account = value;
    else if (strcmp(option, "-old") == 0)
        inner->old_key = key_find(s, value);
    else if (strcmp(option, "-sign") == 0)
        inner->signer = key_find(s, value);
    else
        return fail(s, "key-change knows no \"%s\"", option);
    return inner->old_key != NULL && inner->signer != NULL;
}

static bool write_inner(const struct inner *inner, struct buf *out)
{
    AUTO_BUF(header, INNER_MAX);
    AUTO_BUF(payload, INNER_MAX);
    struct json_out object = JSON_OUT(&header, 0);
    json_out_object(&object, NULL);
    json_out_text(&object, "alg", jws_algorithm_text(jwk_algorithm(inner->signer)));
    json_out_raw(&object, "jwk", jwk_json(inner->new_key));
    if (inner->nonce != NULL)
        json_out_text(&object, "nonce", inner->nonce);
    json_out_text(&object, "url", inner->url);
    json_out_end_object(&object);
    buf_printf(&payload, "{\"account\":\"%s\",\"oldKey\":%s}", inner->account, jwk_json(inner->old_key));
    return jws_sign_protected(out, inner->signer, buf_bytes(&header), buf_bytes(&payload));
}

bool play_key_change(struct scenario *s, words w, size_t count)
{
    struct client *client = client_find(s, w[0]);
    struct jwk *new_key = key_find(s, w[1]);
    TRY(client != NULL && new_key != NULL);
    const char *url = tc_session_directory(client->session)->key_change;
    struct inner inner = { url, NULL, client->url, new_key, client->key, new_key };
    for (size_t i = 2; i + 1 < count; i += 2)
        TRY(read_inner_option(s, w[i], w[i + 1], &inner));
    AUTO_BUF(text, INNER_MAX);
    if (!write_inner(&inner, &text))
        return fail(s, "cannot sign");
    TRY(client_post(s, client, url, buf_str(&text)));
    if (s->refused)
        return true;
    jwk_drop(client->key);
    client->key = jwk_ref(new_key);
    return true;
}
