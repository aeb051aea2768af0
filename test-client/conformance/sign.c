/* Protected headers by hand, and what is signed with them. */
#include "test-client/conformance/inside.h"

#include "base/encode.h"

#include <stdio.h>

enum { BODY_MAX = 4 << 20 };

static void free_text(void *text)
{
    free(text);
}

/* "" leaves a member out, NULL takes what is right. */
static void add_text(struct json_out *json, const char *key, const char *given, const char *right)
{
    const char *value = given != NULL ? given : right;
    if (value != NULL && *value != '\0')
        json_out_text(json, key, value);
}

static void add_key(struct json_out *json, struct tc_session *session, const struct cf_jws *jws, const struct jwk *key)
{
    bool by_kid = jws->kid != NULL || (!jws->embed && jws->jwk == NULL);
    if (by_kid)
        add_text(json, "kid", jws->kid, tc_session_kid(session));
    const char *jwk = jws->jwk != NULL ? jws->jwk : jws->embed ? jwk_json(key) : "";
    if (*jwk != '\0')
        json_out_raw(json, "jwk", jwk);
}

const char *cf_sign(struct cf *cf, struct tc_session *session, const char *url, const char *payload,
                    const struct cf_jws *jws)
{
    const struct jwk *key = jws->key != NULL ? jws->key : tc_session_key(session);
    const char *fresh = NULL;
    if (jws->nonce == NULL && !cf_take_nonce(cf, session, &fresh))
        return NULL;
    AUTO_BUF(header, BODY_MAX);
    struct json_out json = JSON_OUT(&header, 0);
    json_out_object(&json, NULL);
    add_text(&json, "alg", jws->alg, jws_algorithm_text(jwk_algorithm(key)));
    add_key(&json, session, jws, key);
    add_text(&json, "nonce", jws->nonce, fresh);
    add_text(&json, "url", jws->url, url);
    if (jws->more != NULL)
        buf_text(&header, jws->more);
    json_out_end_object(&json);
    AUTO_BUF(body, BODY_MAX);
    CHECK(jws_sign_protected(&body, key, buf_bytes(&header), bytes_text(payload != NULL ? payload : "")));
    return cf_print(cf, "%s", buf_str(&body));
}

const char *cf_replace(struct cf *cf, const char *body, const char *member, const char *value)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(bytes_text(body), why);
    CHECK(object != NULL);
    if (value != NULL)
        json_object_set_new(object, member, json_string(value));
    else
        json_object_del(object, member);
    char *text = json_dumps(object, JSON_COMPACT);
    CHECK(text != NULL);
    cf_keep(cf, text, free_text);
    return text;
}
