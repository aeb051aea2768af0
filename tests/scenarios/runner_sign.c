/* Signed requests of RFC 8555 §6.2 with anything in them replaced by something wrong. */
#include "tests/scenarios/runner.h"

#include "base/encode.h"

#include <stdio.h>

enum { HEADER_MAX = 64 << 10, JWS_MAX = 8 << 20 };

static const struct {
    const char *name;
    bool value;
    size_t offset;
} options[] = {
    { "-nonce", true, offsetof(struct mutations, nonce) },
    { "-url", true, offsetof(struct mutations, url) },
    { "-alg", true, offsetof(struct mutations, alg) },
    { "-kid", true, offsetof(struct mutations, kid) },
    { "-jwk", false, offsetof(struct mutations, jwk) },
    { "-key", true, offsetof(struct mutations, key) },
    { "-also", true, offsetof(struct mutations, also) },
    { "-protected", true, offsetof(struct mutations, protected_json) },
    { "-raw-protected", true, offsetof(struct mutations, raw_protected) },
    { "-raw-payload", true, offsetof(struct mutations, raw_payload) },
    { "-raw-signature", true, offsetof(struct mutations, raw_signature) },
    { "-flip", false, offsetof(struct mutations, flip) },
    { "-body", true, offsetof(struct mutations, body) },
    { "-body-bytes", true, offsetof(struct mutations, body_bytes) },
    { "-content-type", true, offsetof(struct mutations, content_type) },
};

static char **read_header(struct scenario *s, char **w, struct mutations *out)
{
    if (w[1] != NULL && out->header_count < HEADERS_MAX) {
        out->headers[out->header_count++] = w[1];
        return w + 2;
    }
    fail(s, "-header lacks its value, or there are more than %d", HEADERS_MAX);
    return NULL;
}

/* Takes one option from the front; NULL: said. */
static char **read_option(struct scenario *s, char **w, struct mutations *out)
{
    if (strcmp(w[0], "-header") == 0)
        return read_header(s, w, out);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (strcmp(options[i].name, w[0]) != 0)
            continue;
        if (options[i].value && w[1] == NULL)
            break;
        *(const char **)((char *)out + options[i].offset) = options[i].value ? w[1] : "";
        return w + (options[i].value ? 2 : 1);
    }
    fail(s, "\"%s\" is no option of a request, or lacks its value", w[0]);
    return NULL;
}

bool mutations_read(struct scenario *s, words w, struct mutations *out)
{
    while (*w != NULL) {
        w = read_option(s, w, out);
        TRY(w != NULL);
    }
    return true;
}

/* A member whose replacement is "" is left out. */
static void write_member(struct json_out *out, const char *name, const char *replacement, const char *right)
{
    const char *value = replacement != NULL ? replacement : right;
    if (value != NULL && *value != '\0')
        json_out_text(out, name, value);
}

static bool choose_nonce(struct scenario *s, struct client *client, const struct mutations *m, const char **out)
{
    char why[TC_WHY_SIZE], fresh[TC_NONCE_MAX + 1];
    if (m->nonce != NULL) {
        *out = strcmp(m->nonce, "used") == 0 ? client->used_nonce : m->nonce;
        return true;
    }
    if (!tc_session_take_nonce(client->session, fresh, why))
        return fail(s, "%s", why);
    snprintf(client->used_nonce, sizeof client->used_nonce, "%s", fresh);
    *out = client->used_nonce;
    return true;
}

/* Who signs: the account by its URL, or before there is one the key itself; -jwk and -kid say otherwise. */
static void write_signer(struct json_out *out, const struct client *client, const struct jwk *key,
                         const struct mutations *m)
{
    bool embed = m->jwk != NULL || (m->kid == NULL && client->url == NULL);
    if (embed)
        json_out_raw(out, "jwk", jwk_json(key));
    if (!embed || m->kid != NULL)
        write_member(out, "kid", m->kid, client->url);
}

static bool write_header(struct scenario *s, struct client *client, const struct jwk *key, const char *url,
                         const struct mutations *m, struct buf *out)
{
    const char *nonce;
    TRY(choose_nonce(s, client, m, &nonce));
    struct json_out object = JSON_OUT(out, 0);
    json_out_object(&object, NULL);
    write_member(&object, "alg", m->alg, jws_algorithm_text(jwk_algorithm(key)));
    write_signer(&object, client, key, m);
    write_member(&object, "nonce", nonce, NULL);
    write_member(&object, "url", m->url, url);
    json_out_end_object(&object);
    if (m->also != NULL) {
        out->len--; /* the closing brace */
        buf_printf(out, ",%s}", m->also);
    }
    return true;
}

/* Replaces the text of one member of the finished JWS, or the first character of the signature by another. */
static bool spoil_member(struct scenario *s, struct buf *jws, const char *member, const char *text)
{
    AUTO_BUF(made, JWS_MAX);
    AUTO_BUF(opening, HEADER_MAX);
    buf_printf(&opening, "\"%s\":\"", member);
    const char *all = buf_str(jws), *start = strstr(all, buf_str(&opening));
    if (start == NULL)
        return fail(s, "the JWS has no %s", member);
    start += opening.len;
    const char *rest = strchr(start, '"'), flipped[2] = { *start == 'A' ? 'B' : 'A', '\0' };
    buf_append(&made, all, (size_t)(start - all));
    buf_text(&made, text != NULL ? text : flipped);
    buf_text(&made, text != NULL ? rest : start + 1);
    buf_clear(jws);
    buf_append(jws, made.data, made.len);
    return true;
}

static bool spoil(struct scenario *s, const struct mutations *m, struct buf *jws)
{
    TRY(m->raw_protected == NULL || spoil_member(s, jws, "protected", m->raw_protected));
    TRY(m->raw_payload == NULL || spoil_member(s, jws, "payload", m->raw_payload));
    TRY(m->raw_signature == NULL || spoil_member(s, jws, "signature", m->raw_signature));
    return m->flip == NULL || spoil_member(s, jws, "signature", NULL);
}

bool sign_request(struct scenario *s, struct client *client, const char *url, const char *payload,
                  const struct mutations *m, struct buf *out)
{
    AUTO_BUF(header, HEADER_MAX);
    const struct jwk *key = m->key != NULL ? key_find(s, m->key) : client->key;
    size_t filler = m->body_bytes != NULL ? strtoul(m->body_bytes, NULL, 10) : 0;
    TRY(key != NULL);
    if (m->body != NULL)
        buf_text(out, m->body);
    while (out->len < filler)
        buf_char(out, 'x');
    if (m->body != NULL || filler > 0)
        return true;
    if (m->protected_json != NULL)
        buf_text(&header, m->protected_json);
    else
        TRY(write_header(s, client, key, url, m, &header));
    if (!jws_sign_protected(out, key, buf_bytes(&header), bytes_text(payload != NULL ? payload : "")))
        return fail(s, "cannot sign");
    return spoil(s, m, out);
}

/* ---- binding CLIENT KID SECRET [OPTION …]: the external account binding of RFC 8555 §7.3.4 */

/* Another algorithm than these is written but not followed. */
static const char *digest_of(const char *alg)
{
    return strcmp(alg, "HS384") == 0 ? "SHA384" : strcmp(alg, "HS512") == 0 ? "SHA512" : "SHA256";
}

static void write_binding_header(struct client *client, const char *kid, const char *alg, const struct mutations *m,
                                 struct buf *out)
{
    struct json_out object = JSON_OUT(out, 0);
    json_out_object(&object, NULL);
    write_member(&object, "alg", NULL, alg);
    write_member(&object, "kid", m->kid, kid);
    write_member(&object, "nonce", m->nonce, NULL);
    write_member(&object, "url", m->url, tc_session_directory(client->session)->new_account);
    json_out_end_object(&object);
}

static bool write_binding(struct scenario *s, struct bytes secret, const char *alg, struct bytes header,
                          struct bytes payload, struct buf *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t len = 0;
    AUTO_BUF(input, HEADER_MAX);
    buf_b64url(&input, header);
    buf_char(&input, '.');
    buf_b64url(&input, payload);
    if (EVP_Q_mac(NULL, "HMAC", NULL, digest_of(alg), NULL, secret.data, secret.len, (const unsigned char *)input.data,
                  input.len, mac, sizeof mac, &len) == NULL)
        return fail(s, "cannot make the MAC");
    const char *dot = strchr(buf_str(&input), '.');
    buf_printf(out, "{\"protected\":\"%.*s\",\"payload\":\"%s\",\"signature\":\"", (int)(dot - input.data), input.data,
               dot + 1);
    buf_b64url(out, bytes_of(mac, len));
    buf_text(out, "\"}");
    return true;
}

bool play_binding(struct scenario *s, words w, size_t count)
{
    (void)count;
    struct client *client = client_find(s, w[0]);
    struct mutations m = { 0 };
    struct bytes secret;
    AUTO_BUF(header, HEADER_MAX);
    AUTO_BUF(jws, JWS_MAX);
    TRY(client != NULL && mutations_read(s, w + 3, &m));
    const struct jwk *key = m.key != NULL ? key_find(s, m.key) : client->key;
    const char *alg = m.alg != NULL ? m.alg : "HS256";
    if (key == NULL || !b64url_decode(s->arena, bytes_text(w[2]), &secret))
        return fail(s, "there is no such key, or the secret is not base64url");
    write_binding_header(client, w[1], alg, &m, &header);
    TRY(write_binding(s, secret, alg, buf_bytes(&header), bytes_text(jwk_json(key)), &jws) && spoil(s, &m, &jws));
    return variable_set(s, "binding", buf_str(&jws));
}
