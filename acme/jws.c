#include "acme/jws.h"

#include "base/encode.h"

/* One JWS under examination. `what` names it in details, and stands first in them. */
struct reader {
    struct arena *arena;
    const char *what;
    struct acme_problem *problem;
};

#define HMAC_TABLE(X) X(256) X(384) X(512)
static const char *const hmac_names[] = {
#define X(bits) "HS" #bits,
    HMAC_TABLE(X)
#undef X
        NULL
};
static const int hmac_bits[] = {
#define X(bits) bits,
    HMAC_TABLE(X)
#undef X
};

static bool PRINTF_LIKE(2, 3) malformed(const struct reader *reader, const char *format, ...)
{
    char text[PROBLEM_DETAIL_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return problem_fail(reader->problem, PROBLEM_MALFORMED, "%s: %s", reader->what, text);
}

static bool bad_algorithm(const struct reader *reader, const char *alg, const char *const *names)
{
    AUTO_BUF(list, 128);
    for (const char *const *name = names; *name != NULL; name++)
        buf_printf(&list, "%s%s", name == names ? "" : ", ", *name);
    problem_fail(reader->problem, PROBLEM_BAD_SIGNATURE_ALGORITHM, "%s: \"alg\" is \"%.32s\"; use one of %s",
                 reader->what, alg, buf_str(&list));
    reader->problem->algorithms = names;
    return false;
}

static bool decode_member(const struct reader *reader, const char *name, const char *text, struct bytes *out)
{
    struct bytes raw = bytes_text(text);
    if (b64url_trim_padding(raw).len != raw.len)
        return malformed(reader, "\"%s\" is padded with \"=\"; base64url without padding is needed (RFC 7515 §2)",
                         name);
    if (!b64url_decode(reader->arena, raw, out))
        return malformed(reader, "\"%s\" is not base64url (RFC 7515 §2)", name);
    return true;
}

/* RFC 8555 §6.2: the flattened serialization, with nothing in an unprotected header. */
static bool check_members(const struct reader *reader, const json_t *object)
{
    if (json_object_get(object, "header") != NULL)
        return malformed(reader, "the member \"header\" is not allowed; put every header parameter into \"protected\"");
    if (json_object_get(object, "signatures") != NULL)
        return malformed(reader, "the member \"signatures\" is not allowed; send the flattened form with the members "
                                 "\"protected\", \"payload\" and \"signature\"");
    static const char *const wanted[] = { "protected", "payload", "signature" };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (json_member_text(object, wanted[i]) == NULL)
            return malformed(reader, "the member \"%s\" is missing or not a string", wanted[i]);
    }
    return true;
}

/* RFC 7515 §5.1 */
static bool join(struct arena *arena, struct bytes protected_text, struct bytes payload_text, struct bytes *out)
{
    size_t len = protected_text.len + 1 + payload_text.len;
    char *input = arena_alloc(arena, len);
    TRY(input != NULL);
    memcpy(input, protected_text.data, protected_text.len);
    input[protected_text.len] = '.';
    memcpy(input + protected_text.len + 1, payload_text.data, payload_text.len);
    *out = bytes_of(input, len);
    return true;
}

/* Decodes the three members; `out_header` is the protected header, owned by the caller. */
static bool read_members(const struct reader *reader, const json_t *object, struct jws *out, json_t **out_header)
{
    TRY(check_members(reader, object));
    const char *protected_text = json_member_text(object, "protected");
    const char *payload_text = json_member_text(object, "payload");
    struct bytes header;
    TRY(decode_member(reader, "protected", protected_text, &header));
    TRY(decode_member(reader, "payload", payload_text, &out->payload));
    TRY(decode_member(reader, "signature", json_member_text(object, "signature"), &out->signature));
    if (!join(reader->arena, bytes_text(protected_text), bytes_text(payload_text), &out->signing_input))
        return problem_out_of_memory(reader->problem);
    char why[JSON_WHY_SIZE];
    json_t *parsed = json_read_object(header, why);
    if (parsed == NULL)
        return malformed(reader, "the protected header is not a JSON object: %s", why);
    *out_header = parsed;
    return true;
}

/* A header parameter that must be a string when it is there; NULL when absent. Copied into the arena. */
static bool read_text(const struct reader *reader, const json_t *header, const char *name, const char **out)
{
    const json_t *value = json_object_get(header, name);
    *out = NULL;
    if (value == NULL)
        return true;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return malformed(reader, "the protected header's \"%s\" must be a string that is not empty", name);
    *out = arena_text(reader->arena, json_string_value(value));
    return *out != NULL || problem_out_of_memory(reader->problem);
}

static bool read_alg(const struct reader *reader, const json_t *header, const char **out)
{
    TRY(read_text(reader, header, "alg", out));
    return *out != NULL || malformed(reader, "the protected header has no \"alg\"");
}

/* What both kinds of JWS have in common: no crit, a url, kid as text. */
static bool read_common(const struct reader *reader, const json_t *header, struct jws *out)
{
    /* RFC 7515 §4.1.11: a receiver refuses extensions it does not know, and we know none */
    if (json_object_get(header, "crit") != NULL)
        return malformed(reader, "the protected header's \"crit\" is not supported; leave it out");
    /* RFC 8555 §6.2: no unencoded payload (RFC 7797) */
    if (json_object_get(header, "b64") != NULL)
        return malformed(reader, "the protected header's \"b64\" is not supported; leave it out");
    TRY(read_text(reader, header, "url", &out->url));
    if (out->url == NULL)
        return malformed(reader, "the protected header has no \"url\" (RFC 8555 §6.4)");
    return read_text(reader, header, "kid", &out->kid);
}

static bool read_nonce(const struct reader *reader, const json_t *header, struct jws *out)
{
    TRY(read_text(reader, header, "nonce", &out->nonce));
    struct bytes ignored;
    if (out->nonce != NULL && !b64url_decode(reader->arena, bytes_text(out->nonce), &ignored))
        return malformed(reader, "the protected header's \"nonce\" is not base64url (RFC 8555 §6.5.1); send the latest "
                                 "Replay-Nonce as it came");
    return true;
}

static bool algorithm_from_text(const char *text, const char *const *names, unsigned *out)
{
    for (unsigned i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], text) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* RFC 8555 §6.2: exactly one of jwk and kid says whose key signed. */
static bool read_key(const struct reader *reader, const json_t *header, struct jws *out)
{
    json_t *jwk = json_object_get(header, "jwk");
    if (jwk != NULL && out->kid != NULL)
        return malformed(reader, "the protected header has both \"jwk\" and \"kid\"; send only one: \"jwk\" where "
                                 "RFC 8555 §6.2 asks for it, \"kid\" elsewhere");
    if (jwk == NULL && out->kid == NULL)
        return malformed(reader, "the protected header has neither \"jwk\" nor \"kid\"");
    if (jwk == NULL)
        return true;
    AUTO(jwk) key = NULL;
    TRY(jwk_parse(jwk, &key, reader->problem));
    if (jwk_algorithm(key) != out->algorithm) {
        const char *fit = jws_algorithm_text(jwk_algorithm(key));
        return problem_fail(reader->problem, PROBLEM_BAD_PUBLIC_KEY,
                            "%s: \"alg\" is \"%s\" but the jwk's type of key signs with %s", reader->what,
                            jws_algorithm_text(out->algorithm), fit);
    }
    out->jwk = TAKE(key);
    return true;
}

bool jws_parse(struct arena *arena, struct bytes body, struct jws *out, struct acme_problem *problem)
{
    struct reader reader = { arena, "JWS", problem };
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(body, why);
    if (object == NULL)
        return malformed(&reader, "the body is not a JSON object: %s", why);
    struct jws jws = { 0 };
    json_t *read = NULL;
    TRY(read_members(&reader, object, &jws, &read));
    AUTO_TYPE(json_t) header = read;
    const char *alg;
    unsigned algorithm;
    TRY(read_alg(&reader, header, &alg));
    if (!algorithm_from_text(alg, jws_algorithm_names, &algorithm))
        return bad_algorithm(&reader, alg, jws_algorithm_names);
    jws.algorithm = algorithm;
    TRY(read_common(&reader, header, &jws) && read_nonce(&reader, header, &jws) && read_key(&reader, header, &jws));
    *out = jws;
    return true;
}

bool jws_parse_hmac(struct arena *arena, const json_t *object, struct jws *out, struct acme_problem *problem)
{
    struct reader reader = { arena, "externalAccountBinding", problem };
    if (!json_is_object(object))
        return malformed(&reader, "it must be a JSON object");
    struct jws jws = { .hmac = true };
    json_t *read = NULL;
    TRY(read_members(&reader, object, &jws, &read));
    AUTO_TYPE(json_t) header = read;
    const char *alg;
    unsigned row;
    TRY(read_alg(&reader, header, &alg));
    if (!algorithm_from_text(alg, hmac_names, &row))
        return bad_algorithm(&reader, alg, hmac_names);
    jws.hmac_bits = hmac_bits[row];
    TRY(read_common(&reader, header, &jws));
    /* RFC 8555 §7.3.4 */
    if (json_object_get(header, "nonce") != NULL)
        return malformed(&reader, "the protected header must not have a \"nonce\"");
    if (json_object_get(header, "jwk") != NULL || jws.kid == NULL)
        return malformed(&reader, "the protected header needs the \"kid\" that the CA gave you, and no \"jwk\"");
    *out = jws;
    return true;
}

void jws_clear(struct jws *jws)
{
    jwk_drop(jws->jwk);
    *jws = (struct jws) { 0 };
}
