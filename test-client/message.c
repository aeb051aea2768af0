#include "test-client/message.h"

#include "base/encode.h"

#include <stdio.h>

#define ACME_ERROR_PREFIX "urn:ietf:params:acme:error:"

enum { CHALLENGES_MAX = 100 };

static bool fail_missing(char why[static TC_WHY_SIZE], const char *what, const char *member)
{
    snprintf(why, TC_WHY_SIZE, "the server's %s has no usable \"%s\"", what, member);
    return false;
}

/* A copy of a text member; NULL when it is absent, no text, or memory is out. */
static const char *text_member(struct arena *arena, const json_t *object, const char *key)
{
    const char *text = json_member_text(object, key);
    return text != NULL ? arena_text(arena, text) : NULL;
}

static json_t *read_object(struct bytes body, const char *what, char why[static TC_WHY_SIZE])
{
    char json_why[JSON_WHY_SIZE];
    json_t *object = json_read_object(body, json_why);
    if (object == NULL)
        snprintf(why, TC_WHY_SIZE, "the server's %s is not readable: %s", what, json_why);
    return object;
}

bool tc_read_directory(struct arena *arena, struct bytes body, struct tc_directory *out, char why[static TC_WHY_SIZE])
{
    AUTO_TYPE(json_t) object = read_object(body, "directory", why);
    TRY(object != NULL);
    struct tc_directory directory;
#define X(name, text, required)                                                                                        \
    directory.name = text_member(arena, object, text);                                                                 \
    if ((required) && directory.name == NULL)                                                                          \
        return fail_missing(why, "directory", text);
    TC_DIRECTORY_TABLE(X)
#undef X
    directory.account_hash_prefix = text_member(arena, json_object_get(object, "meta"), "accountHashPrefix");
    *out = directory;
    return true;
}

static const char *short_type(const char *type)
{
    size_t len = strlen(ACME_ERROR_PREFIX);
    return strncmp(type, ACME_ERROR_PREFIX, len) == 0 ? type + len : type;
}

static bool fill_problem(struct arena *arena, const json_t *object, struct tc_problem *out)
{
    const char *type = text_member(arena, object, "type");
    const char *detail = text_member(arena, object, "detail");
    *out = (struct tc_problem) {
        /* RFC 7807 §4.2 */
        .type = type != NULL ? short_type(type) : "about:blank",
        .detail = detail != NULL ? detail : "",
        .name = text_member(arena, json_object_get(object, "identifier"), "value"),
        .status = (int)json_integer_value(json_object_get(object, "status")),
    };
    return json_is_object(object);
}

static bool fill_subproblems(struct arena *arena, const json_t *list, struct tc_problem *problem)
{
    size_t count = json_array_size(list);
    if (count == 0)
        return true;
    if (count > TC_SUBPROBLEMS_MAX)
        count = TC_SUBPROBLEMS_MAX;
    struct tc_problem *subproblems = arena_array(arena, count, sizeof *subproblems);
    TRY(subproblems != NULL);
    for (size_t i = 0; i < count; i++)
        TRY(fill_problem(arena, json_array_get(list, i), &subproblems[i]));
    problem->subproblems = subproblems;
    problem->subproblem_count = count;
    return true;
}

/* NULL when the object is none, or memory is out: the caller then has nothing to show. */
static const struct tc_problem *problem_of(struct arena *arena, const json_t *object)
{
    struct tc_problem *problem = arena_alloc(arena, sizeof *problem);
    if (problem == NULL || !fill_problem(arena, object, problem) ||
        !fill_subproblems(arena, json_object_get(object, "subproblems"), problem))
        return NULL;
    return problem;
}

const struct tc_problem *tc_make_problem(struct arena *arena, const char *type, const char *detail)
{
    struct tc_problem *problem = arena_alloc(arena, sizeof *problem);
    if (problem == NULL)
        return NULL;
    *problem = (struct tc_problem) { .type = arena_text(arena, type), .detail = arena_text(arena, detail) };
    return problem->type != NULL && problem->detail != NULL ? problem : NULL;
}

const struct tc_problem *tc_read_problem(struct arena *arena, const struct tc_answer *answer)
{
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) object = json_read_object(buf_bytes(&answer->body), why);
    const struct tc_problem *problem = object != NULL ? problem_of(arena, object) : NULL;
    if (problem != NULL)
        return problem;
    char detail[TC_WHY_SIZE];
    snprintf(detail, sizeof detail, "HTTP status %d", answer->status);
    return tc_make_problem(arena, "(no problem document)", detail);
}

/* The state named by the member "status"; false when it is none of the machine's. */
static bool state_member(const json_t *object, const struct state_machine *machine, unsigned *out)
{
    const char *text = json_member_text(object, "status");
    return text != NULL && state_from_text(machine, text, out);
}

static bool read_authorization_urls(struct arena *arena, const json_t *list, struct tc_order *order)
{
    size_t count = json_array_size(list);
    TRY(count > 0 && count <= TC_AUTHORIZATIONS_MAX);
    order->authorizations = arena_array(arena, count, sizeof *order->authorizations);
    TRY(order->authorizations != NULL);
    for (size_t i = 0; i < count; i++) {
        const char *url = json_string_value(json_array_get(list, i));
        TRY(url != NULL);
        order->authorizations[i] = arena_text(arena, url);
        TRY(order->authorizations[i] != NULL);
    }
    order->authorization_count = count;
    return true;
}

bool tc_read_order(struct arena *arena, struct bytes body, struct tc_order *out, char why[static TC_WHY_SIZE])
{
    AUTO_TYPE(json_t) object = read_object(body, "order", why);
    TRY(object != NULL);
    struct tc_order order = { 0 };
    unsigned state;
    if (!state_member(object, &order_states, &state))
        return fail_missing(why, "order", "status");
    order.state = (enum order_state)state;
    if (!read_authorization_urls(arena, json_object_get(object, "authorizations"), &order))
        return fail_missing(why, "order", "authorizations");
    order.finalize = text_member(arena, object, "finalize");
    if (order.finalize == NULL)
        return fail_missing(why, "order", "finalize");
    order.certificate = text_member(arena, object, "certificate");
    if (order.state == ORDER_VALID && order.certificate == NULL)
        return fail_missing(why, "valid order", "certificate");
    if (json_object_get(object, "error") != NULL)
        order.problem = problem_of(arena, json_object_get(object, "error"));
    *out = order;
    return true;
}

/* A type we do not know is taken for one with a token, as all types but one have it. */
static bool has_token(const json_t *challenge)
{
    const char *text = json_member_text(challenge, "type");
    enum acme_challenge_type type;
    return text == NULL || !challenge_type_from_text(text, &type) || challenge_has_token(type);
}

/* What stands in place of a token, or the token itself (RFC 8555 §8.3, draft-ietf-acme-dns-persist: -02 names it in
 * another way than the drafts before). */
static bool read_token(struct arena *arena, const json_t *object, struct tc_challenge *challenge,
                       char why[static TC_WHY_SIZE])
{
    if (has_token(object)) {
        challenge->token = text_member(arena, object, "token");
        return challenge->token != NULL || fail_missing(why, "challenge", "token");
    }
    const json_t *issuers = json_object_get(object, "issuerDomainNames");
    challenge->hashed = issuers != NULL;
    if (issuers == NULL)
        issuers = json_object_get(object, "issuer-domain-names");
    const char *issuer = json_string_value(json_array_get(issuers, 0));
    challenge->issuer = issuer != NULL ? arena_text(arena, issuer) : NULL;
    return challenge->issuer != NULL || fail_missing(why, "challenge", "issuerDomainNames");
}

static bool challenge_of(struct arena *arena, const json_t *object, struct tc_challenge *out,
                         char why[static TC_WHY_SIZE])
{
    unsigned state;
    if (!state_member(object, &challenge_states, &state))
        return fail_missing(why, "challenge", "status");
    struct tc_challenge challenge = { .state = (enum challenge_state)state };
    challenge.url = text_member(arena, object, "url");
    if (challenge.url == NULL)
        return fail_missing(why, "challenge", "url");
    TRY(read_token(arena, object, &challenge, why));
    if (json_object_get(object, "error") != NULL)
        challenge.problem = problem_of(arena, json_object_get(object, "error"));
    *out = challenge;
    return true;
}

bool tc_read_challenge(struct arena *arena, struct bytes body, struct tc_challenge *out, char why[static TC_WHY_SIZE])
{
    AUTO_TYPE(json_t) object = read_object(body, "challenge", why);
    return object != NULL && challenge_of(arena, object, out, why);
}

/* Challenges of types we do not know are passed over, as RFC 8555 §7.1.4 lets a server offer anything. */
static bool read_challenges(struct arena *arena, const json_t *list, enum acme_challenge_type type,
                            struct tc_authorization *authorization, char why[static TC_WHY_SIZE])
{
    size_t count = json_array_size(list);
    if (count == 0 || count > CHALLENGES_MAX)
        return fail_missing(why, "authorization", "challenges");
    for (size_t i = 0; i < count; i++) {
        const json_t *object = json_array_get(list, i);
        const char *text = json_member_text(object, "type");
        if (json_object_get(object, "error") != NULL)
            authorization->problem = problem_of(arena, json_object_get(object, "error"));
        if (text == NULL || strcmp(text, challenge_type_text(type)) != 0)
            continue;
        TRY(challenge_of(arena, object, &authorization->challenge, why));
        authorization->offered = true;
    }
    return true;
}

bool tc_read_authorization(struct arena *arena, struct bytes body, enum acme_challenge_type type,
                           struct tc_authorization *out, char why[static TC_WHY_SIZE])
{
    AUTO_TYPE(json_t) object = read_object(body, "authorization", why);
    TRY(object != NULL);
    struct tc_authorization authorization = { 0 };
    unsigned state;
    if (!state_member(object, &authorization_states, &state))
        return fail_missing(why, "authorization", "status");
    authorization.state = (enum authorization_state)state;
    authorization.name = text_member(arena, json_object_get(object, "identifier"), "value");
    if (authorization.name == NULL)
        return fail_missing(why, "authorization", "identifier");
    authorization.wildcard = json_is_true(json_object_get(object, "wildcard"));
    TRY(read_challenges(arena, json_object_get(object, "challenges"), type, &authorization, why));
    *out = authorization;
    return true;
}
