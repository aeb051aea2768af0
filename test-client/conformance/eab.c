#include "test-client/conformance/eab.h"

#include "test-client/conformance/inside.h"

#include "base/encode.h"

#include <stdio.h>

/* alg, OpenSSL's digest; the last row is what an unknown algorithm is signed with all the same */
static const struct {
    const char *alg, *digest;
} macs[] = { { "HS256", "SHA256" }, { "HS384", "SHA384" }, { "HS512", "SHA512" }, { NULL, "SHA256" } };

static const char *digest_of(const char *alg)
{
    size_t i = 0;
    while (macs[i].alg != NULL && strcmp(macs[i].alg, alg) != 0)
        i++;
    return macs[i].digest;
}

/* "KID:KEY"; keys may be good for one account only, so they are taken in turn. */
static bool next_key(struct cf *cf, const char **out_kid, struct bytes *out_secret)
{
    const struct tc_option_list *keys = &cf->settings->eab;
    if (keys->count == 0)
        return cf_skip(cf, "the server wants an external account binding, and no key for it was given (--eab)");
    const char *key = keys->items[cf->inside->eab_used++ % keys->count];
    const char *colon = strrchr(key, ':');
    if (colon == NULL)
        return cf_fail(cf, "--eab %.100s is not KID:KEY", key);
    *out_kid = cf_print(cf, "%.*s", (int)(colon - key), key);
    *out_secret = cf_unb64(cf, colon + 1);
    return out_secret->len > 0 || cf_fail(cf, "the key in --eab %.100s is not base64url", key);
}

const char *cf_eab(struct cf *cf, struct tc_session *session, const struct cf_eab *eab)
{
    const char *kid;
    struct bytes secret;
    if (!next_key(cf, &kid, &secret))
        return NULL;
    if (eab->secret_b64 != NULL)
        secret = cf_unb64(cf, eab->secret_b64);
    const char *alg = eab->alg != NULL ? eab->alg : "HS256";
    const char *header =
        cf_print(cf, "{\"alg\":\"%s\",\"kid\":\"%s\",\"url\":\"%s\"%s}", alg, eab->kid != NULL ? eab->kid : kid,
                 eab->url != NULL ? eab->url : cf_resource(cf, "newAccount"), eab->more != NULL ? eab->more : "");
    const char *payload = eab->payload != NULL ? eab->payload : jwk_json(tc_session_key(session));
    const char *first = cf_b64(cf, bytes_text(header)), *second = cf_b64(cf, bytes_text(payload));
    const char *input = cf_print(cf, "%s.%s", first, second);
    uint8_t mac[EVP_MAX_MD_SIZE];
    size_t len;
    CHECK(EVP_Q_mac(NULL, "HMAC", NULL, digest_of(alg), NULL, secret.data, secret.len, (const uint8_t *)input,
                    strlen(input), mac, sizeof mac, &len) != NULL);
    mac[0] ^= eab->flip ? 1 : 0;
    return cf_print(cf, "{\"protected\":\"%s\",\"payload\":\"%s\",\"signature\":\"%s\"}", first, second,
                    cf_b64(cf, bytes_of(mac, len)));
}
