/* Verdicts, texts and exchanges of the checks. */
#include "test-client/conformance/inside.h"

#include "base/encode.h"

#include <stdio.h>

enum { NONCE_TRIES = 8 };

const char *const cf_outcome_texts[CF_OUTCOMES] = { "pass", "FAIL", "not offered" };

static bool decide(struct cf *cf, enum cf_outcome outcome, const char *format, va_list args) PRINTF_LIKE(3, 0);
static bool decide(struct cf *cf, enum cf_outcome outcome, const char *format, va_list args)
{
    struct cf_inside *inside = cf->inside;
    if (inside->decided)
        return false;
    inside->decided = true;
    inside->outcome = outcome;
    vsnprintf(inside->why, sizeof inside->why, format, args);
    buf_clear(&inside->shown);
    if (outcome == CF_FAILED)
        cf_show_exchange(cf, &inside->shown);
    return false;
}

bool cf_fail(struct cf *cf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    decide(cf, CF_FAILED, format, args);
    va_end(args);
    return false;
}

bool cf_skip(struct cf *cf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    decide(cf, CF_NOT_OFFERED, format, args);
    va_end(args);
    return false;
}

void cf_keep(struct cf *cf, void *thing, void (*drop)(void *thing))
{
    struct cf_things *things = cf->inside->keep;
    if (things->count == things->room) {
        things->room = things->room > 0 ? 2 * things->room : 64;
        things->list = realloc(things->list, things->room * sizeof *things->list);
        CHECK(things->list != NULL);
    }
    things->list[things->count++] = (struct cf_thing) { thing, drop };
}

void cf_things_drop(struct cf_things *things)
{
    while (things->count > 0) {
        struct cf_thing *last = &things->list[--things->count];
        last->drop(last->thing);
    }
    free(things->list);
    *things = (struct cf_things) { 0 };
}

const char *cf_print(struct cf *cf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = NULL;
    CHECK(vasprintf(&text, format, args) >= 0);
    va_end(args);
    const char *kept = arena_text(cf->arena, text);
    free(text);
    CHECK(kept != NULL);
    return kept;
}

const char *cf_name(struct cf *cf)
{
    return cf_print(cf, "c%s-%u.%s", cf->inside->run, ++cf->inside->names, cf->settings->base);
}

const char *cf_b64(struct cf *cf, struct bytes bytes)
{
    const char *text = arena_b64url(cf->arena, bytes);
    CHECK(text != NULL);
    return text;
}

struct bytes cf_unb64(struct cf *cf, const char *text)
{
    struct bytes bytes;
    return text != NULL && b64url_decode(cf->arena, bytes_text(text), &bytes) ? bytes : bytes_of("", 0);
}

const char *cf_resource(struct cf *cf, const char *name)
{
    return json_member_text(cf->directory, name);
}

static void drop_json(void *json)
{
    json_decref(json);
}

static void take_answer(struct cf *cf, const struct tc_answer *answer)
{
    char why[JSON_WHY_SIZE];
    cf->answer = answer;
    cf->body = json_read_object(buf_bytes(&answer->body), why);
    if (cf->body != NULL)
        cf_keep(cf, cf->body, drop_json);
}

static void forget_answer(struct cf *cf, struct tc_session *session, const char *method, const char *url)
{
    cf->answer = NULL;
    cf->body = NULL;
    cf->inside->session = session;
    cf->inside->method = method;
    cf->inside->url = url;
    cf->inside->content_type = NULL;
    cf->inside->signed_post = false;
}

static bool is_bad_nonce(const struct cf *cf)
{
    const char *type = cf_member(cf, "type");
    return cf->answer->status == 400 && type != NULL && strstr(type, ":badNonce") != NULL;
}

bool cf_post(struct cf *cf, struct tc_session *session, const struct tc_post *post)
{
    bool own_nonce = post->nonce != NULL || post->no_nonce || post->protected_json != NULL || post->body != NULL;
    for (int tries = 0; tries < NONCE_TRIES; tries++) {
        const struct tc_answer *answer;
        char why[TC_WHY_SIZE];
        forget_answer(cf, session, "POST", post->url);
        cf->inside->content_type = post->content_type != NULL ? post->content_type : "application/jose+json";
        cf->inside->signed_post = true;
        if (!tc_session_post(session, post, &answer, why))
            return cf_fail(cf, "there is no answer: %s", why);
        take_answer(cf, answer);
        if (own_nonce || !is_bad_nonce(cf))
            return true;
    }
    return true;
}

bool cf_call(struct cf *cf, struct tc_session *session, const char *url, const char *payload)
{
    return cf_post(cf, session, &(struct tc_post) { .url = url, .payload = payload });
}

bool cf_post_body(struct cf *cf, struct tc_session *session, const char *url, const char *body)
{
    return cf_post(cf, session, &(struct tc_post) { .url = url, .body = body });
}

bool cf_fetch(struct cf *cf, const char *method, const char *url, const char *const *headers)
{
    const struct tc_answer *answer;
    char why[TC_WHY_SIZE];
    struct tc_exchange_request request = { .method = method, .url = url, .headers = headers };
    forget_answer(cf, cf->visitor, method, url);
    if (!tc_session_request(cf->visitor, &request, &answer, why))
        return cf_fail(cf, "there is no answer: %s", why);
    take_answer(cf, answer);
    return true;
}

bool cf_take_nonce(struct cf *cf, struct tc_session *session, const char **out)
{
    char nonce[TC_NONCE_MAX + 1], why[TC_WHY_SIZE];
    if (!tc_session_take_nonce(session, nonce, why))
        return cf_fail(cf, "no nonce can be had: %s", why);
    *out = cf_print(cf, "%s", nonce);
    return true;
}

const char *cf_header(const struct cf *cf, const char *name)
{
    return tc_answer_header(cf->answer, name, 0);
}

const char *cf_link(struct cf *cf, const char *relation)
{
    return tc_answer_link(cf->answer, cf->arena, relation, 0);
}

const char *cf_member(const struct cf *cf, const char *name)
{
    return cf->body != NULL ? json_member_text(cf->body, name) : NULL;
}

bool cf_status_is(const struct cf *cf, const char *object_status)
{
    const char *status = cf_member(cf, "status");
    return status != NULL && strcmp(status, object_status) == 0;
}
