/* Requests, signed and not, and what every answer must have. */
#include "tests/scenarios/runner.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <strings.h>

enum { BODY_MAX = 8 << 20, EXCHANGE_TIMEOUT_S = 60, LOOP_MS = 5 };

struct client *client_find(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (s->clients[i].session != NULL && strcmp(s->clients[i].name, name) == 0)
            return &s->clients[i];
    }
    fail(s, "there is no client \"%s\"", name);
    return NULL;
}

bool client_open_session(struct scenario *s, struct tc_session **out)
{
    char why[TC_WHY_SIZE];
    struct tc_session_options options = {
        .exchange = { .ca_file = arena_printf(s->arena, "%s/data/tls/ca.pem", s->folder),
                      .protocols = "https,http",
                      .timeout_s = EXCHANGE_TIMEOUT_S },
        .directory_url = arena_printf(s->arena, "https://127.0.0.1:%d/directory", s->daemon.port),
    };
    return tc_session_open(&options, out, why) || fail(s, "%s", why);
}

void clients_clear(struct scenario *s)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        tc_session_drop(s->clients[i].session);
        jwk_drop(s->clients[i].key);
    }
    tc_session_drop(s->visitor);
}

/* ---- what every answer must have */

/* RFC 8555 §6.5: an answer to a POST carries a nonce, and none is given twice.
 * [8555-6.5-1] [8555-6.5-2] [8555-6.5.1-1] [8555-6.5.1-3] */
static bool check_nonce(struct scenario *s, const char *method)
{
    const char *nonce = tc_answer_nonce(&s->last);
    if (nonce == NULL)
        return strcmp(method, "POST") != 0 || fail(s, "the answer has no usable Replay-Nonce");
    if (text_map_get(s->nonces, bytes_text(nonce)) != NULL)
        return fail(s, "the answer's nonce has been given before");
    return text_map_put(s->nonces, bytes_text(nonce), s) || fail(s, "too many nonces");
}

/* RFC 8555 §7.1: every answer but the directory's points to it. [8555-7.1-2] */
static bool check_headers(struct scenario *s, const char *url)
{
    AUTO_BUF(directory, VALUE_MAX);
    const char *index = tc_answer_link(&s->last, s->arena, "index", 0);
    const char *cache = tc_answer_header(&s->last, "Cache-Control", 0);
    const char *path = strrchr(url, '/');
    if (!variable_get(s, "index", &directory) || cache == NULL || strcmp(cache, "no-store") != 0)
        return fail(s, "the answer lacks Cache-Control: no-store");
    bool itself = path != NULL && strcmp(path, "/directory") == 0;
    if (!itself && (index == NULL || strcmp(index, buf_str(&directory)) != 0))
        return fail(s, "the answer lacks its Link to the directory");
    return true;
}

/* [8555-6.7-1] */
static bool check_problem(struct scenario *s)
{
    static const char acme_error[] = "urn:ietf:params:acme:error:";
    char why[JSON_WHY_SIZE];
    const char *content_type = tc_answer_header(&s->last, "Content-Type", 0);
    AUTO_TYPE(json_t) problem = json_read_object(buf_bytes(&s->last.body), why);
    const char *type = problem != NULL ? json_member_text(problem, "type") : NULL;
    const char *detail = problem != NULL ? json_member_text(problem, "detail") : NULL;
    if (content_type == NULL || strcmp(content_type, "application/problem+json") != 0)
        return fail(s, "the refusal is no application/problem+json");
    if (type == NULL || strncmp(type, acme_error, sizeof acme_error - 1) != 0 || detail == NULL || *detail == '\0')
        return fail(s, "the refusal lacks its type or detail");
    return json_integer_value(json_object_get(problem, "status")) == s->last.status ||
           fail(s, "the problem's status is not the answer's");
}

/* The connection that carried a refusal carries the next request too. */
static bool check_connection(struct scenario *s, struct tc_session *session)
{
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    struct tc_exchange_request request = {
        .method = "GET",
        .url = arena_printf(s->arena, "https://127.0.0.1:%d/directory", s->daemon.port),
    };
    if (request.url == NULL || !tc_session_request(session, &request, &answer, why) || answer->status != 200)
        return fail(s, "behind the refusal the server answers no more");
    return tc_session_connects(session) == 0 || fail(s, "the refusal has cost its connection");
}

bool take_answer(struct scenario *s, struct tc_session *session, const char *method, const char *url,
                 const struct tc_answer *answer)
{
    tc_answer_clear(&s->last);
    s->last.status = answer->status;
    buf_append(&s->last.headers, answer->headers.data, answer->headers.len);
    buf_append(&s->last.body, answer->body.data, answer->body.len);
    s->refused = answer->status >= 400;
    if (s->verbose)
        printf("      %s %s: %d %.300s\n", method, url, answer->status, buf_str(&answer->body));
    TRY(check_nonce(s, method) && check_headers(s, url));
    if (!s->refused)
        return true;
    return (strcmp(method, "HEAD") == 0 || check_problem(s)) && check_connection(s, session);
}

/* ---- signed requests */

/* new-account gives a client its URL (RFC 8555 §7.3). */
static bool learn_account(struct scenario *s, struct client *client, const char *url)
{
    const char *location = tc_answer_header(&s->last, "Location", 0);
    if (client->url != NULL || s->refused || strcmp(url, tc_session_directory(client->session)->new_account) != 0)
        return true;
    client->url = location != NULL ? arena_text(s->arena, location) : NULL;
    return client->url != NULL ? variable_set(s, client->name, client->url) : fail(s, "new-account gave no Location");
}

static bool post(struct scenario *s, struct client *client, const char *url, const char *payload,
                 const struct mutations *m)
{
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    AUTO_BUF(body, BODY_MAX);
    TRY(sign_request(s, client, url, payload, m, &body));
    struct tc_post request = { .url = url,
                               .body = buf_str(&body),
                               .content_type = m->content_type,
                               .headers = m->header_count > 0 ? m->headers : NULL };
    if (!tc_session_post(client->session, &request, &answer, why))
        return fail(s, "POST %s: %s", url, why);
    return take_answer(s, client->session, "POST", url, answer) && learn_account(s, client, url);
}

bool client_post(struct scenario *s, struct client *client, const char *url, const char *payload)
{
    return post(s, client, url, payload, &(struct mutations) { 0 });
}

struct posting {
    struct tc_session *session;
    struct tc_post request;
    const struct tc_answer *answer;
    char why[TC_WHY_SIZE];
    bool answered;
    atomic_bool over;
};

static void *post_it(void *arg)
{
    struct posting *posting = arg;
    posting->answered = tc_session_post(posting->session, &posting->request, &posting->answer, posting->why);
    posting->over = true;
    return NULL;
}

/* The server has come to the responder, which does not answer before its loop runs. */
static bool play_when_asked(struct scenario *s, words command)
{
    struct pollfd asked = { .fd = uv_backend_fd(&s->loop), .events = POLLIN };
    size_t count = 0;
    while (command[count] != NULL)
        count++;
    if (count == 0)
        return true;
    return (poll(&asked, 1, PATIENCE_MS) == 1 || fail(s, "the responder is not asked")) &&
           command_play(s, command, count);
}

bool client_post_during(struct scenario *s, struct client *client, const char *url, const char *payload, words command)
{
    pthread_t thread;
    AUTO_BUF(body, BODY_MAX);
    TRY(sign_request(s, client, url, payload, &(struct mutations) { 0 }, &body));
    struct posting posting = { .session = client->session, .request = { .url = url, .body = buf_str(&body) } };
    loop_run_for(s, LOOP_MS);
    if (pthread_create(&thread, NULL, post_it, &posting) != 0)
        return fail(s, "no thread");
    bool played = play_when_asked(s, command);
    while (!posting.over)
        loop_run_for(s, LOOP_MS);
    pthread_join(thread, NULL);
    if (s->daemon.pid == 0)
        return played; /* the command ended the server, and maybe the answer with it */
    if (!posting.answered)
        return fail(s, "POST %s: %s", url, posting.why);
    return played && take_answer(s, client->session, "POST", url, posting.answer);
}

/* post CLIENT URL [PAYLOAD] [-WHAT VALUE …] */
bool play_post(struct scenario *s, words w, size_t count)
{
    struct client *client = client_find(s, w[0]);
    struct mutations m = { 0 };
    bool payload = count > 2 && w[2][0] != '-';
    TRY(client != NULL && mutations_read(s, w + (payload ? 3 : 2), &m));
    return post(s, client, w[1], payload ? w[2] : NULL, &m);
}

/* request METHOD URL [BODY [CONTENT-TYPE]] [-header 'NAME: VALUE' …] */
bool play_request(struct scenario *s, words w, size_t count)
{
    char why[TC_WHY_SIZE];
    const struct tc_answer *answer;
    struct mutations m = { 0 };
    for (size_t i = 2; i < count; i++) {
        if (w[i][0] != '-')
            continue;
        TRY(mutations_read(s, w + i, &m));
        count = i;
    }
    struct tc_exchange_request request = {
        .method = w[0],
        .url = w[1],
        .body = bytes_text(count > 2 ? w[2] : ""),
        .content_type = count > 3 ? w[3] : NULL,
        .headers = m.header_count > 0 ? m.headers : NULL,
    };
    if (!tc_session_request(s->visitor, &request, &answer, why))
        return fail(s, "%s %s: %s", w[0], w[1], why);
    return take_answer(s, s->visitor, w[0], w[1], answer);
}

/* ---- clients and accounts */

static struct jwk *make_key(struct scenario *s, const char *word)
{
    if (strncmp(word, "key:", 4) == 0) {
        struct jwk *key = key_find(s, word + 4);
        return key != NULL ? jwk_ref(key) : NULL;
    }
    AUTO_TYPE(EVP_PKEY) key = key_make(s, word);
    return key != NULL ? jwk_from_pkey(key) : NULL;
}

static struct client *add_client(struct scenario *s, const char *name, const char *key)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &s->clients[i];
        if (client->session != NULL)
            continue;
        snprintf(client->name, sizeof client->name, "%s", name);
        client->key = make_key(s, key);
        return client->key != NULL && client_open_session(s, &client->session) ? client : NULL;
    }
    fail(s, "too many clients");
    return NULL;
}

/* client NAME [KEY-TYPE|key:NAME] */
bool play_client(struct scenario *s, words w, size_t count)
{
    return add_client(s, w[0], count > 1 ? w[1] : "p-256") != NULL;
}

static bool is_contact(const char *word)
{
    const char *colon = strchr(word, ':');
    return colon != NULL && strncmp(word, "key:", 4) != 0;
}

/* account NAME [KEY-TYPE|key:NAME] [CONTACT …] */
bool play_account(struct scenario *s, words w, size_t count)
{
    size_t contacts = count > 1 && !is_contact(w[1]) ? 2 : 1;
    struct client *client = add_client(s, w[0], contacts == 2 ? w[1] : "p-256");
    AUTO_BUF(payload, BODY_MAX);
    TRY(client != NULL);
    tc_write_new_account(&payload, (const char *const *)w + contacts, count - contacts);
    TRY(client_post(s, client, tc_session_directory(client->session)->new_account, buf_str(&payload)));
    return s->refused || s->last.status == 201 || fail(s, "the account existed before");
}
