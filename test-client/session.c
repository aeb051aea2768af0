#include "test-client/session.h"

#include "test-client/key.h"

#include <stdio.h>

enum { ARENA_MAX = 256 << 10, JWS_MAX = 2 << 20, PROBLEM_ARENA_MAX = 4 << 20 };

static const char jose_type[] = "application/jose+json";

struct tc_session {
    struct tc_exchange *exchange;
    struct jwk *key;
    struct arena *arena;
    struct tc_directory directory;
    const char *kid;
    char nonce[TC_NONCE_MAX + 1]; /* "" when none is at hand */
    struct buf jws;
};

static bool say(char why[static TC_WHY_SIZE], const char *what)
{
    snprintf(why, TC_WHY_SIZE, "%s", what);
    return false;
}

static bool read_directory(struct tc_session *session, const char *url, char why[static TC_WHY_SIZE])
{
    const struct tc_answer *answer;
    struct tc_exchange_request request = { .method = "GET", .url = url };
    TRY(tc_session_request(session, &request, &answer, why));
    if (answer->status != 200) {
        snprintf(why, TC_WHY_SIZE, "the directory at %.300s gives HTTP status %d", url, answer->status);
        return false;
    }
    return tc_read_directory(session->arena, buf_bytes(&answer->body), &session->directory, why);
}

static struct jwk *session_key(EVP_PKEY *given)
{
    if (given != NULL)
        return jwk_from_pkey(given);
    AUTO_TYPE(EVP_PKEY) made = tc_key_make(TC_KEY_P256);
    return made != NULL ? jwk_from_pkey(made) : NULL;
}

bool tc_session_open(const struct tc_session_options *options, struct tc_session **out, char why[static TC_WHY_SIZE])
{
    AUTO(tc_session) session = calloc(1, sizeof *session);
    if (session == NULL)
        return say(why, "out of memory");
    session->jws = BUF_INIT(JWS_MAX);
    session->exchange = tc_exchange_create(&options->exchange);
    session->arena = arena_create(ARENA_MAX);
    session->key = session_key(options->account_key);
    if (session->exchange == NULL || session->arena == NULL || session->key == NULL)
        return say(why, "out of memory");
    TRY(read_directory(session, options->directory_url, why));
    *out = TAKE(session);
    return true;
}

void tc_session_drop(struct tc_session *session)
{
    if (session == NULL)
        return;
    tc_exchange_drop(session->exchange);
    jwk_drop(session->key);
    arena_drop(session->arena);
    buf_free(&session->jws);
    free(session);
}

const struct tc_directory *tc_session_directory(const struct tc_session *session)
{
    return &session->directory;
}

const struct jwk *tc_session_key(const struct tc_session *session)
{
    return session->key;
}

const char *tc_session_kid(const struct tc_session *session)
{
    return session->kid;
}

void tc_session_set_key(struct tc_session *session, struct jwk *key)
{
    jwk_drop(session->key);
    session->key = key;
}

bool tc_session_set_kid(struct tc_session *session, const char *kid)
{
    const char *copy = arena_text(session->arena, kid);
    if (copy != NULL)
        session->kid = copy;
    return copy != NULL;
}

struct bytes tc_session_sent(const struct tc_session *session)
{
    return buf_bytes(&session->jws);
}

bool tc_session_request(struct tc_session *session, const struct tc_exchange_request *request,
                        const struct tc_answer **out, char why[static TC_WHY_SIZE])
{
    TRY(tc_exchange_run(session->exchange, request, why));
    const struct tc_answer *answer = tc_exchange_answer(session->exchange);
    const char *nonce = tc_answer_nonce(answer);
    if (nonce != NULL)
        snprintf(session->nonce, sizeof session->nonce, "%s", nonce);
    *out = answer;
    return true;
}

long tc_session_connects(const struct tc_session *session)
{
    long count = 0;
    curl_easy_getinfo(tc_exchange_curl(session->exchange), CURLINFO_NUM_CONNECTS, &count);
    return count;
}

static bool fetch_nonce(struct tc_session *session, char why[static TC_WHY_SIZE])
{
    const struct tc_answer *answer;
    struct tc_exchange_request request = { .method = "HEAD", .url = session->directory.new_nonce };
    TRY(tc_session_request(session, &request, &answer, why));
    return session->nonce[0] != '\0' || say(why, "the server gave no nonce");
}

bool tc_session_take_nonce(struct tc_session *session, char out[static TC_NONCE_MAX + 1], char why[static TC_WHY_SIZE])
{
    TRY(session->nonce[0] != '\0' || fetch_nonce(session, why));
    snprintf(out, TC_NONCE_MAX + 1, "%s", session->nonce);
    session->nonce[0] = '\0';
    return true;
}

static bool sign_post(struct tc_session *session, const struct tc_post *post, char why[static TC_WHY_SIZE])
{
    char fresh[TC_NONCE_MAX + 1];
    const struct jwk *key = post->key != NULL ? post->key : session->key;
    const char *kid = post->kid != NULL ? post->kid : session->kid;
    struct bytes payload = bytes_text(post->payload != NULL ? post->payload : "");
    buf_clear(&session->jws);
    if (post->protected_json != NULL)
        return jws_sign_protected(&session->jws, key, bytes_text(post->protected_json), payload) ||
               say(why, "cannot sign");
    struct jws_header header = {
        .kid = post->embed_key ? NULL : kid,
        .nonce = post->nonce,
        .url = post->header_url != NULL ? post->header_url : post->url,
    };
    if (post->nonce == NULL && !post->no_nonce) {
        TRY(tc_session_take_nonce(session, fresh, why));
        header.nonce = fresh;
    }
    return jws_sign(&session->jws, key, &header, payload) || say(why, "cannot sign");
}

bool tc_session_post(struct tc_session *session, const struct tc_post *post, const struct tc_answer **out,
                     char why[static TC_WHY_SIZE])
{
    struct tc_exchange_request request = {
        .method = "POST",
        .url = post->url,
        .content_type = post->content_type != NULL ? post->content_type : jose_type,
        .headers = post->headers,
    };
    if (post->body != NULL) {
        buf_clear(&session->jws);
        buf_text(&session->jws, post->body);
    } else {
        TRY(sign_post(session, post, why));
    }
    TRY(!session->jws.failed || say(why, "the body is too long"));
    request.body = buf_bytes(&session->jws);
    return tc_session_request(session, &request, out, why);
}

static bool say_refused(const struct tc_answer *answer, char why[static TC_WHY_SIZE])
{
    AUTO(arena) arena = arena_create(PROBLEM_ARENA_MAX);
    const struct tc_problem *problem = arena != NULL ? tc_read_problem(arena, answer) : NULL;
    if (problem == NULL)
        return say(why, "out of memory");
    snprintf(why, TC_WHY_SIZE, "%.100s: %.380s", problem->type, problem->detail);
    return false;
}

bool tc_session_register(struct tc_session *session, const char *const *contacts, size_t contact_count,
                         char why[static TC_WHY_SIZE])
{
    AUTO_BUF(payload, JWS_MAX);
    tc_write_new_account(&payload, contacts, contact_count);
    struct tc_post post = { .url = session->directory.new_account, .payload = buf_str(&payload), .embed_key = true };
    const struct tc_answer *answer;
    TRY(tc_session_post(session, &post, &answer, why));
    if (answer->status != 200 && answer->status != 201)
        return say_refused(answer, why);
    const char *location = tc_answer_header(answer, "Location", 0);
    if (location == NULL)
        return say(why, "the server's answer to new-account has no Location");
    return tc_session_set_kid(session, location) || say(why, "out of memory");
}
