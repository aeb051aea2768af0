#include "server/protocol/authorization.h"

#include "base/text.h"
#include "base/encode.h"
#include "server/caraway.h"
#include "server/limits/limit_rules.h"
#include "server/protocol/challenge.h"
#include "server/protocol/identifiers.h"
#include "server/web/payload.h"
#include "server/protocol/persist.h"
#include "server/policy/policy.h"
#include "server/protocol/terms.h"

enum { TOKEN_BYTES = 32 };

/* RFC 8555 §7.1.6:
 *    pending ──▶ valid ──▶ expired, deactivated, revoked
 *       └──────▶ invalid, expired, deactivated */
void authorization_move(struct authorization *authorization, enum authorization_state to)
{
    CHECK(state_may(&authorization_states, authorization->state, to));
    authorization->state = to;
}

enum authorization_state authorization_state_at(const struct authorization *authorization, int64_t now_ms)
{
    bool may_expire = authorization->state == AUTHORIZATION_PENDING || authorization->state == AUTHORIZATION_VALID;
    return may_expire && now_ms >= authorization->expires_ms ? AUTHORIZATION_EXPIRED : authorization->state;
}

const struct challenge *authorization_met_challenge(const struct authorization *authorization)
{
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        if (authorization->challenges.items[i].state == CHALLENGE_VALID)
            return &authorization->challenges.items[i];
    }
    return NULL;
}

/* ---- making */

bool authorization_offers(const struct settings *settings, enum acme_challenge_type type)
{
    if (type == CHALLENGE_DNS_PERSIST_01)
        return persist_is_offered(settings);
    return text_is_among(settings->challenges.items, settings->challenges.count, challenge_type_text(type));
}

/* What must be proved, as an identifier of an order would say it: only DNS can speak for names below a name. */
static bool identifier_to_prove(struct request *rq, const struct authorization *authorization,
                                struct acme_identifier *out)
{
    *out = authorization->identifier;
    if (authorization->wildcard || authorization->subdomains)
        out->value = arena_printf(rq->arena, "*.%s", authorization->identifier.value);
    return out->value != NULL || problem_out_of_memory(&rq->problem);
}

static bool make_challenges(struct request *rq, const struct policy *policy, struct authorization *authorization)
{
    struct challenge_list *list = &authorization->challenges;
    struct acme_identifier identifier;
    uint8_t random[TOKEN_BYTES];
    TRY(identifier_to_prove(rq, authorization, &identifier));
    world_random(rq->caraway->world, random, sizeof random);
    const char *token = arena_b64url(rq->arena, bytes_of(random, sizeof random));
    list->items = arena_array(rq->arena, CHALLENGE_TYPES, sizeof *list->items);
    if (token == NULL || list->items == NULL)
        return problem_out_of_memory(&rq->problem);
    for (unsigned type = 0; type < CHALLENGE_TYPES; type++) {
        const char *text = challenge_type_text(type);
        if (challenge_offered(type, &identifier) && authorization_offers(rq->caraway->settings, type) &&
            policy_takes_challenge(policy, text))
            list->items[list->count++] = (struct challenge) { .type = text,
                                                              .token = challenge_has_token(type) ? token : NULL,
                                                              .state = CHALLENGE_PENDING };
    }
    if (list->count > 0)
        return true;
    return problem_fail(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, "No challenge on offer here can prove \"%s\"",
                        identifier.value);
}

/* No longer than the order it is made for: the next one asks the rules again. */
static bool allow_by_policy(struct request *rq, const struct policy *policy, struct authorization *authorization)
{
    authorization_move(authorization, AUTHORIZATION_VALID);
    authorization->expires_ms = rq->now_ms + rq->caraway->settings->order_lifetime_ms;
    authorization->allowed_by = arena_printf(rq->arena, "external account key %s", policy->key.id);
    return authorization->allowed_by != NULL || problem_out_of_memory(&rq->problem);
}

bool authorization_make(struct request *rq, const struct policy *policy, const char *order_id,
                        const struct authorization_wish *wish, struct authorization *out)
{
    char id[ID_SIZE];
    world_make_id(rq->caraway->world, id);
    *out = (struct authorization) {
        .id = arena_text(rq->arena, id),
        .account = rq->account.id,
        .state = AUTHORIZATION_PENDING,
        .identifier = wish->identifier,
        .wildcard = wish->scope == SCOPE_WILDCARD,
        .subdomains = wish->scope == SCOPE_SUBDOMAINS,
        .created_ms = rq->now_ms,
        .expires_ms = rq->now_ms + rq->caraway->settings->authorization_lifetime_ms,
        .orders = { arena_array(rq->arena, 1, sizeof(char *)), 0 },
    };
    if (out->id == NULL || out->orders.items == NULL)
        return problem_out_of_memory(&rq->problem);
    if (order_id != NULL)
        out->orders.items[out->orders.count++] = order_id;
    return policy->key.pre_authorized ? allow_by_policy(rq, policy, out) : make_challenges(rq, policy, out);
}

/* ---- pre-authorization (§7.4.1) */

static bool store_new(struct store_txn *txn, struct request *rq)
{
    TRY(limit_new_authorization(txn, rq, rq->state));
    store_put_authorization(txn, rq->state);
    return true;
}

static bool after_new(struct request *rq)
{
    const struct authorization *authorization = rq->state;
    reply_header(rq, "Location", request_url(rq, "/authorization/%s", authorization->id));
    return authorization_reply(rq, authorization, 201);
}

static bool read_wish(struct request *rq, struct authorization_wish *wish)
{
    const json_t *entry = json_object_get(rq->payload, "identifier");
    bool subdomains = json_is_true(json_object_get(entry, "subdomainAuthAllowed"));
    char why[IDENTIFIER_WHY_SIZE];
    TRY(payload_flag(rq, "subdomainAuthAllowed", &subdomains));
    TRY(identifier_read(rq, entry, &wish->identifier, why));
    if (why[0] != '\0')
        return problem_fail_status(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, 403, "Cannot authorize \"%.260s\": %s",
                                   json_member_text(entry, "value"), why);
    if (identifier_is_wildcard(&wish->identifier))
        return problem_fail_status(&rq->problem, PROBLEM_REJECTED_IDENTIFIER, 403,
                                   "A wildcard cannot be authorized in advance; order it (RFC 8555 section 7.4.1)");
    if (!rq->caraway->settings->authorization_subdomains) /* RFC 9444 §4.2: it gets one for the name alone */
        subdomains = false;
    if (subdomains && wish->identifier.type != IDENTIFIER_DNS)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"subdomainAuthAllowed\" is for DNS names only");
    wish->scope = subdomains ? SCOPE_SUBDOMAINS : SCOPE_NAME;
    return true;
}

bool authorization_new(struct request *rq)
{
    struct authorization *authorization = arena_alloc(rq->arena, sizeof *authorization);
    struct authorization_wish wish;
    struct policy policy;
    if (authorization == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(terms_check(rq));
    TRY(read_wish(rq, &wish));
    TRY(policy_of_request(rq, &policy));
    if (!policy_check_wish(&policy, rq->arena, &wish, &rq->problem)) {
        rq->problem.status = rq->problem.type == PROBLEM_REJECTED_IDENTIFIER ? 403 : rq->problem.status; /* §7.4.1 */
        return false;
    }
    TRY(authorization_make(rq, &policy, NULL, &wish, authorization));
    rq->state = authorization;
    request_submit(rq, store_new, after_new);
    return true;
}

/* ---- reading */

static bool find_one(struct store_txn *txn, struct request *rq, struct arena *arena,
                     const struct acme_identifier *identifier, enum authorization_scope scope,
                     struct authorization *out)
{
    const char *subject = store_subject_of_authorization(arena, rq->account.id, identifier, scope);
    struct store_page page;
    return subject != NULL && store_list(txn, arena, STORE_AUTHORIZATION_BY_NAME, subject, NULL, 1, true, &page) &&
           page.ids.count > 0 && store_get_authorization(txn, arena, page.ids.items[0], out) &&
           authorization_state_at(out, rq->now_ms) == AUTHORIZATION_VALID && out->allowed_by == NULL;
}

bool authorization_find_valid(struct store_txn *txn, struct request *rq, struct arena *arena,
                              const struct authorization_wish *wish, struct authorization *out)
{
    if (wish->scope != SCOPE_SUBDOMAINS && find_one(txn, rq, arena, &wish->identifier, wish->scope, out))
        return true;
    if (wish->identifier.type != IDENTIFIER_DNS || !rq->caraway->settings->authorization_subdomains)
        return false;
    struct acme_identifier above = wish->identifier;
    while (above.value != NULL) {
        if (find_one(txn, rq, arena, &above, SCOPE_SUBDOMAINS, out))
            return true;
        const char *dot = strchr(above.value, '.');
        above.value = dot != NULL ? dot + 1 : NULL;
    }
    return false;
}

bool authorization_load(struct request *rq, struct store_txn *txn, struct authorization *out)
{
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an authorization");
    if (!store_get_authorization(txn, rq->arena, rq->params[0], out)) {
        if (store_txn_status(txn) != STORE_OK)
            return problem_from_store(&rq->problem, store_txn_status(txn), "reading an authorization");
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no authorization %s", rq->params[0]);
    }
    if (strcmp(out->account, rq->account.id) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "This authorization belongs to another account");
    return true;
}

bool authorization_read(struct request *rq, struct authorization *out)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    return authorization_load(rq, txn, out);
}

static const struct challenge *find_processing(const struct authorization *authorization)
{
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        if (authorization->challenges.items[i].state == CHALLENGE_PROCESSING)
            return &authorization->challenges.items[i];
    }
    return NULL;
}

bool authorization_reply(struct request *rq, const struct authorization *authorization, int status)
{
    enum authorization_state state = authorization_state_at(authorization, rq->now_ms);
    const struct challenge *processing = find_processing(authorization);
    if (state == AUTHORIZATION_PENDING && processing != NULL)
        challenge_retry_after(rq, processing);
    struct json_out out = reply_json(rq, status);
    json_out_object(&out, NULL);
    json_out_text(&out, "status", state_text(&authorization_states, state));
    json_out_time(&out, "expires", authorization->expires_ms);
    json_out_object(&out, "identifier");
    json_out_text(&out, "type", identifier_type_text(authorization->identifier.type));
    json_out_text(&out, "value", authorization->identifier.value);
    json_out_end_object(&out);
    if (authorization->wildcard || authorization->subdomains) /* RFC 9444 §4.1: the latter allows wildcards too */
        json_out_bool(&out, "wildcard", true);
    if (authorization->subdomains)
        json_out_bool(&out, "subdomainAuthAllowed", true);
    json_out_array(&out, "challenges");
    for (size_t i = 0; i < authorization->challenges.count; i++) {
        const struct challenge *challenge = &authorization->challenges.items[i];
        /* §7.1.4: once it is decided, only what was tried is shown */
        if (authorization->state == AUTHORIZATION_PENDING || challenge->state != CHALLENGE_PENDING)
            challenge_write(&out, rq, authorization, challenge);
    }
    json_out_end_array(&out);
    json_out_end_object(&out);
    return true;
}

/* ---- deactivation (§7.5.2) */

static bool store_deactivation(struct store_txn *txn, struct request *rq)
{
    struct authorization *authorization = rq->state;
    TRY(authorization_load(rq, txn, authorization));
    enum authorization_state state = authorization_state_at(authorization, rq->now_ms);
    if (state == AUTHORIZATION_DEACTIVATED)
        return true;
    if (!state_may(&authorization_states, state, AUTHORIZATION_DEACTIVATED))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The authorization is %s and cannot be deactivated",
                            state_text(&authorization_states, state));
    authorization_move(authorization, AUTHORIZATION_DEACTIVATED);
    store_put_authorization(txn, authorization);
    return true;
}

static bool after_deactivation(struct request *rq)
{
    return authorization_reply(rq, rq->state, 200);
}

bool authorization_post(struct request *rq)
{
    struct authorization *authorization = arena_alloc(rq->arena, sizeof *authorization);
    if (authorization == NULL)
        return problem_out_of_memory(&rq->problem);
    const char *status = NULL;
    TRY(authorization_read(rq, authorization));
    TRY(payload_text(rq, "status", &status));
    if (status == NULL)
        return authorization_reply(rq, authorization, 200);
    if (strcmp(status, "deactivated") != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"status\" can only be set to \"deactivated\"");
    rq->state = authorization;
    request_submit(rq, store_deactivation, after_deactivation);
    return true;
}
