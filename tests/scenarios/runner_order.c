/* Orders, their authorizations and challenges, in the order of RFC 8555 §7.4 and §7.5. */
#include "tests/scenarios/runner.h"

#include "base/encode.h"
#include "base/world.h"

#include <stdio.h>

enum { PAYLOAD_MAX = 256 << 10, POLL_MS = 10 };

static const char wrong_thumbprint[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

struct order *order_find(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        if (s->orders[i].url != NULL && strcmp(s->orders[i].name, name) == 0)
            return &s->orders[i];
    }
    fail(s, "there is no order \"%s\"", name);
    return NULL;
}

static void timer_fired(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void loop_run_for(struct scenario *s, unsigned ms)
{
    bool fired = false;
    uv_timer_t timer;
    uv_timer_init(&s->loop, &timer);
    timer.data = &fired;
    uv_timer_start(&timer, timer_fired, ms, 0);
    while (!fired)
        uv_run(&s->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

/* ---- order NAME CLIENT IDENTIFIER[@ANCESTOR]… [MEMBER=TEXT …] */

/* "ip:127.0.0.1" or a domain name */
static struct acme_identifier read_identifier(const char *word)
{
    bool ip = strncmp(word, "ip:", 3) == 0;
    return (struct acme_identifier) { ip ? IDENTIFIER_IP : IDENTIFIER_DNS, ip ? word + 3 : word };
}

static void write_identifier(struct json_out *out, const char *key, const struct acme_identifier *identifier,
                             const char *ancestor)
{
    json_out_object(out, key);
    json_out_text(out, "type", identifier_type_text(identifier->type));
    json_out_text(out, "value", identifier->value);
    if (ancestor != NULL)
        json_out_text(out, "ancestorDomain", ancestor);
    json_out_end_object(out);
}

static bool write_payload(struct scenario *s, struct order *order, words w, size_t count, struct buf *out)
{
    struct json_out json = JSON_OUT(out, 0);
    json_out_object(&json, NULL);
    json_out_array(&json, "identifiers");
    order->identifiers = arena_array(s->arena, count, sizeof *order->identifiers);
    order->identifier_count = 0;
    for (size_t i = 0; i < count && order->identifiers != NULL && strchr(w[i], '=') == NULL; i++) {
        char *word = arena_text(s->arena, w[i]), *ancestor = word;
        const char *name = word != NULL ? strsep(&ancestor, "@") : NULL;
        if (name == NULL)
            return fail(s, "out of memory");
        order->identifiers[order->identifier_count] = read_identifier(name);
        write_identifier(&json, NULL, &order->identifiers[order->identifier_count++], ancestor);
    }
    json_out_end_array(&json);
    for (size_t i = order->identifier_count; i < count; i++) {
        char *value = arena_text(s->arena, w[i]);
        const char *name = value != NULL ? strsep(&value, "=") : NULL;
        if (value == NULL)
            return fail(s, "MEMBER=TEXT stands behind the identifiers");
        json_out_text(&json, name, value);
    }
    json_out_end_object(&json);
    return true;
}

static struct order *order_seat(struct scenario *s, const char *name)
{
    for (size_t i = 0; i < ORDERS_MAX; i++) {
        struct order *order = &s->orders[i];
        if (order->url != NULL && strcmp(order->name, name) != 0)
            continue;
        *order = (struct order) { .type = CHALLENGE_HTTP_01 };
        snprintf(order->name, sizeof order->name, "%s", name);
        return order;
    }
    fail(s, "too many orders");
    return NULL;
}

static bool take_order(struct scenario *s, struct order *order)
{
    char why[TC_WHY_SIZE];
    struct tc_order read;
    if (!tc_read_order(s->arena, buf_bytes(&s->last.body), &read, why))
        return fail(s, "%s", why);
    order->finalize = read.finalize;
    order->certificate = read.certificate;
    order->authorizations = read.authorizations;
    order->authorization_count = read.authorization_count;
    for (size_t i = 0; i < read.authorization_count; i++)
        TRY(variable_setf(s, read.authorizations[i], "%s.authz.%zu", order->name, i));
    TRY(read.certificate == NULL || variable_setf(s, read.certificate, "%s.certificate", order->name));
    return variable_setf(s, read.finalize, "%s.finalize", order->name);
}

bool play_order(struct scenario *s, words w, size_t count)
{
    struct client *client = client_find(s, w[1]);
    AUTO_BUF(payload, PAYLOAD_MAX);
    TRY(client != NULL);
    struct order *order = order_seat(s, w[0]);
    TRY(order != NULL && write_payload(s, order, w + 2, count - 2, &payload));
    order->client = client;
    TRY(client_post(s, client, tc_session_directory(client->session)->new_order, buf_str(&payload)));
    if (s->refused)
        return true;
    const char *location = tc_answer_header(&s->last, "Location", 0);
    order->url = location != NULL ? arena_text(s->arena, location) : NULL;
    if (order->url == NULL)
        return fail(s, "new-order gave no Location");
    return variable_set(s, order->name, order->url) && take_order(s, order);
}

/* authorization NAME CLIENT IDENTIFIER [subdomains|alone]: new-authz (§7.4.1, RFC 9444 §4.2); answer, start and wait
 * take it as they take an order. */
bool play_authorization(struct scenario *s, words w, size_t count)
{
    struct client *client = client_find(s, w[1]);
    AUTO_BUF(payload, PAYLOAD_MAX);
    TRY(client != NULL);
    struct order *order = order_seat(s, w[0]);
    TRY(order != NULL);
    struct acme_identifier identifier = read_identifier(w[2]);
    struct json_out json = JSON_OUT(&payload, 0);
    json_out_object(&json, NULL);
    write_identifier(&json, "identifier", &identifier, NULL);
    if (count > 3)
        json_out_bool(&json, "subdomainAuthAllowed", strcmp(w[3], "subdomains") == 0);
    json_out_end_object(&json);
    order->client = client;
    TRY(client_post(s, client, tc_session_directory(client->session)->new_authz, buf_str(&payload)));
    const char *location = tc_answer_header(&s->last, "Location", 0);
    order->authorizations = arena_array(s->arena, 1, sizeof(char *));
    if (s->refused)
        return true;
    order->url = location != NULL ? arena_text(s->arena, location) : NULL;
    if (order->url == NULL || order->authorizations == NULL)
        return fail(s, "new-authz gave no Location");
    order->authorizations[order->authorization_count++] = order->url;
    return variable_set(s, order->name, order->url);
}

/* ---- authorizations: answer ORDER [TYPE [wrong]], start ORDER [TYPE] */

typedef bool each_challenge(struct scenario *s, struct order *order, size_t index,
                            const struct tc_authorization *authorization, const char *thumbprint);

static bool read_type(struct scenario *s, struct order *order, const char *text)
{
    return text == NULL || challenge_type_from_text(text, &order->type) || fail(s, "there is no challenge %s", text);
}

/* Every authorization of the order that is still pending, up to a refusal. */
static bool for_each_pending(struct scenario *s, struct order *order, const char *thumbprint, each_challenge *each)
{
    for (size_t i = 0; i < order->authorization_count && !s->refused; i++) {
        char why[TC_WHY_SIZE];
        struct tc_authorization authorization;
        TRY(client_post(s, order->client, order->authorizations[i], NULL));
        if (!tc_read_authorization(s->arena, buf_bytes(&s->last.body), order->type, &authorization, why))
            return fail(s, "%s", why);
        if (authorization.state != AUTHORIZATION_PENDING)
            continue;
        if (!authorization.offered)
            return fail(s, "no %s is offered for %s", challenge_type_text(order->type), authorization.name);
        TRY(each(s, order, i, &authorization, thumbprint));
    }
    return true;
}

/* A wrong proof is of another account; a record for every name has its hash over "*". */
static bool proof_of(struct scenario *s, const struct order *order, const struct tc_authorization *authorization,
                     const char *thumbprint, struct tc_proof *out)
{
    bool wrong = strcmp(thumbprint, wrong_thumbprint) == 0;
    struct tc_prover prover = { tc_session_directory(order->client->session),
                                wrong ? "https://ca.test/account/other" : order->client->url, thumbprint };
    struct tc_authorization answered = *authorization;
    if (order->any_name)
        answered.name = "*";
    TRY(tc_proof_make(s->arena, &prover, order->type, &answered, out));
    out->name = authorization->name;
    out->more = order->more;
    return true;
}

static bool answer_one(struct scenario *s, struct order *order, size_t index,
                       const struct tc_authorization *authorization, const char *thumbprint)
{
    const struct tc_challenge *challenge = &authorization->challenge;
    struct tc_proof proof;
    if (!proof_of(s, order, authorization, thumbprint, &proof))
        return fail(s, "no answer can be made for %s", authorization->name);
    TRY(variable_setf(s, challenge->url, "%s.challenge.%zu", order->name, index));
    TRY(challenge->token == NULL || variable_setf(s, challenge->token, "%s.token.%zu", order->name, index));
    if (!order->gone)
        return tc_responder_add(s->responder, &proof) || fail(s, "cannot answer for %s", authorization->name);
    tc_responder_remove(s->responder, &proof);
    return true;
}

bool play_answer(struct scenario *s, words w, size_t count)
{
    struct order *order = order_find(s, w[0]);
    const char *thumbprint = NULL;
    TRY(order != NULL && read_type(s, order, count > 1 ? w[1] : NULL));
    order->any_name = order->gone = false;
    order->more = NULL;
    for (size_t i = 2; i < count; i++) {
        if (strcmp(w[i], "wrong") == 0)
            thumbprint = wrong_thumbprint;
        else if (strcmp(w[i], "any-name") == 0)
            order->any_name = true;
        else if (strcmp(w[i], "gone") == 0)
            order->gone = true;
        else
            order->more = arena_text(s->arena, w[i]);
    }
    return for_each_pending(s, order, thumbprint != NULL ? thumbprint : jwk_thumbprint(order->client->key), answer_one);
}

static bool start_one(struct scenario *s, struct order *order, size_t index,
                      const struct tc_authorization *authorization, const char *thumbprint)
{
    (void)thumbprint;
    TRY(variable_setf(s, authorization->challenge.url, "%s.challenge.%zu", order->name, index));
    return client_post(s, order->client, authorization->challenge.url, "{}");
}

bool play_start(struct scenario *s, words w, size_t count)
{
    struct order *order = order_find(s, w[0]);
    TRY(order != NULL && read_type(s, order, count > 1 ? w[1] : NULL));
    return for_each_pending(s, order, NULL, start_one);
}

/* ---- wait ORDER STATE, wait CLIENT URL STATE */

/* A status that does not turn into the wanted one by itself. */
static bool is_final(const char *status, const char *wanted)
{
    bool valid = strcmp(status, "valid") == 0 && strcmp(wanted, "expired") != 0;
    return valid || strcmp(status, "invalid") == 0;
}

static bool await_state(struct scenario *s, struct client *client, const char *url, const char *wanted)
{
    int64_t deadline = monotonic_ms() + PATIENCE_MS;
    for (;;) {
        AUTO_BUF(status, PAYLOAD_MAX);
        TRY(client_post(s, client, url, NULL));
        if (!variable_get(s, "body.status", &status))
            return fail(s, "there is no status to wait for");
        if (strcmp(buf_str(&status), wanted) == 0)
            return true;
        if (is_final(buf_str(&status), wanted) || monotonic_ms() > deadline)
            return fail(s, "waited for %s, and it is %s", wanted, buf_str(&status));
        loop_run_for(s, POLL_MS);
    }
}

bool play_wait(struct scenario *s, words w, size_t count)
{
    if (count == 3) {
        struct client *client = client_find(s, w[0]);
        return client != NULL && await_state(s, client, w[1], w[2]);
    }
    struct order *order = order_find(s, w[0]);
    TRY(order != NULL && await_state(s, order->client, order->url, w[1]));
    return order->finalize == NULL || take_order(s, order);
}

/* issue ORDER CLIENT IDENTIFIER…: all of it, by http-01 */
bool play_issue(struct scenario *s, words w, size_t count)
{
    char *name[] = { w[0], NULL }, *ready[] = { w[0], (char[]) { "ready" }, NULL };
    TRY(play_order(s, w, count) && !s->refused);
    TRY(play_answer(s, name, 1) && play_start(s, name, 1) && play_wait(s, ready, 2));
    return play_finalize(s, name, 1) && !s->refused && play_certificate(s, name, 1) && play_verify(s, name, 1);
}
