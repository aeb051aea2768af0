#include "server/policy/policy.h"

#include "base/text.h"
#include "server/protocol/account.h"
#include "server/policy/name_pattern.h"

#include <libpsl.h>
#include <stdio.h>

/* ---- whose rules */

static bool refuse_by(struct acme_problem *problem, const char *rule, const struct policy *policy)
{
    snprintf(problem->cause, sizeof problem->cause, "policy: %s of the external account key \"%.100s\"", rule,
             policy->key.id);
    return false;
}

bool policy_load(const struct caraway *caraway, struct store_txn *txn, struct arena *arena, const char *key_id,
                 struct policy *out, struct acme_problem *problem)
{
    *out = (struct policy) { .settings = caraway->settings };
    out->bound = key_id != NULL && store_get_external_key(txn, arena, key_id, &out->key);
    if (store_txn_status(txn) != STORE_OK)
        return problem_from_store(problem, store_txn_status(txn), "reading an external account key");
    if (!out->bound || out->key.revoked_ms == 0)
        return true;
    problem_fail(problem, PROBLEM_UNAUTHORIZED,
                 "The key that this account was bound with has been revoked; ask the "
                 "operator");
    return refuse_by(problem, "revocation", out);
}

bool policy_of_request(struct request *rq, struct policy *out)
{
    *out = (struct policy) { .settings = rq->caraway->settings };
    if (rq->account.external_key == NULL)
        return true;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an external account key");
    return policy_load(rq->caraway, txn, rq->arena, rq->account.external_key, out, &rq->problem);
}

/* ---- names */

/* An empty list leaves it open. */
static bool allows(const struct texts *list, const char *text)
{
    return list->count == 0 || text_is_among(list->items, list->count, text);
}

static bool any_covers(const char *const *patterns, size_t count, const struct acme_identifier *identifier,
                       enum authorization_scope scope)
{
    for (size_t i = 0; i < count; i++) {
        if (name_pattern_covers(patterns[i], identifier, scope))
            return true;
    }
    return false;
}

/* A proof for all names below is no certificate for one that is denied: orders are asked again. */
static bool is_denied(const struct setting_texts *denied, const struct acme_identifier *identifier,
                      enum authorization_scope scope)
{
    if (scope == SCOPE_SUBDOMAINS)
        return any_covers(denied->items, denied->count, identifier, scope);
    for (size_t i = 0; i < denied->count; i++) {
        if (name_pattern_touches(denied->items[i], identifier))
            return true;
    }
    return false;
}

/* Below a suffix of the public list's ICANN part, and none itself; as public CAs have it. */
static bool is_public_name(const struct acme_identifier *identifier)
{
    if (identifier->type != IDENTIFIER_DNS)
        return true;
    const psl_ctx_t *list = psl_builtin();
    const char *base = identifier_base(identifier);
    const char *suffix = psl_unregistrable_domain(list, base);
    return suffix != NULL && psl_is_public_suffix2(list, suffix, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) &&
           !psl_is_public_suffix2(list, base, PSL_TYPE_ICANN);
}

/* The rule that forbids the identifier, or NULL. */
static const char *server_rule(const struct settings *settings, const struct acme_identifier *identifier,
                               enum authorization_scope scope)
{
    const struct setting_texts *allowed = &settings->policy_allow_names;
    if (is_denied(&settings->policy_deny_names, identifier, scope))
        return "policy.deny-names";
    if (allowed->count > 0 && !any_covers(allowed->items, allowed->count, identifier, scope))
        return "policy.allow-names";
    if (settings->policy_public_names_only && !is_public_name(identifier))
        return "policy.public-names-only";
    return NULL;
}

static const char *key_rule(const struct external_key *key, const struct acme_identifier *identifier,
                            enum authorization_scope scope)
{
    if (!allows(&key->types, identifier_type_text(identifier->type)))
        return "types";
    if (key->names.count > 0 && !any_covers(key->names.items, key->names.count, identifier, scope))
        return "names";
    if (key->names.count > 0 && !key->wildcards && (scope == SCOPE_WILDCARD || identifier_is_wildcard(identifier)))
        return "wildcards";
    return NULL;
}

static bool name_is_allowed(const struct policy *policy, const struct acme_identifier *identifier,
                            enum authorization_scope scope, struct buf *causes)
{
    const char *rule = server_rule(policy->settings, identifier, scope);
    if (rule != NULL) {
        buf_printf(causes, "%s%.80s: %s", causes->len > 0 ? "; " : "policy: ", identifier->value, rule);
        return false;
    }
    rule = key_rule(&policy->key, identifier, scope);
    if (rule != NULL)
        buf_printf(causes, "%s%.80s: %s of the external account key \"%.100s\"",
                   causes->len > 0 ? "; " : "policy: ", identifier->value, rule, policy->key.id);
    return rule == NULL;
}

static const char *refusal_of(struct arena *arena, const struct acme_identifier *identifier)
{
    return arena_printf(arena, "Cannot issue for \"%.260s\": the policy of this server forbids it for this account",
                        identifier->value);
}

static bool refuse_names(const struct acme_subproblem *refusals, size_t count, const struct buf *causes,
                         struct acme_problem *problem)
{
    if (count == 1) {
        problem_fail(problem, PROBLEM_REJECTED_IDENTIFIER, "%s", refusals[0].detail);
    } else {
        problem_fail(problem, PROBLEM_REJECTED_IDENTIFIER, "%zu identifiers are refused; see the subproblems", count);
        problem->subproblems = refusals;
        problem->subproblem_count = count;
    }
    snprintf(problem->cause, sizeof problem->cause, "%s", buf_str(causes));
    return false;
}

static bool check_names(const struct policy *policy, struct arena *arena, const struct identifiers *names,
                        struct acme_problem *problem)
{
    struct acme_subproblem *refusals = NULL;
    size_t count = 0;
    AUTO_BUF(causes, 65536);
    for (size_t i = 0; i < names->count; i++) {
        const struct acme_identifier *name = &names->items[i];
        if (name_is_allowed(policy, name, SCOPE_NAME, &causes))
            continue;
        if (refusals == NULL)
            refusals = arena_array(arena, names->count, sizeof *refusals);
        const char *detail = refusal_of(arena, name);
        if (refusals == NULL || detail == NULL)
            return problem_out_of_memory(problem);
        refusals[count++] =
            (struct acme_subproblem) { .type = PROBLEM_REJECTED_IDENTIFIER, .identifier = *name, .detail = detail };
    }
    return count == 0 || refuse_names(refusals, count, &causes, problem);
}

bool policy_check_wish(const struct policy *policy, struct arena *arena, const struct authorization_wish *wish,
                       struct acme_problem *problem)
{
    AUTO_BUF(causes, PROBLEM_CAUSE_SIZE * 2);
    if (name_is_allowed(policy, &wish->identifier, wish->scope, &causes))
        return true;
    const char *detail = refusal_of(arena, &wish->identifier);
    if (detail == NULL)
        return problem_out_of_memory(problem);
    return refuse_names(&(struct acme_subproblem) { .detail = detail }, 1, &causes, problem);
}

/* ---- orders */

static bool check_lifetime(const struct policy *policy, const struct order *order, int64_t now_ms,
                           struct acme_problem *problem)
{
    int64_t most_ms = policy->key.lifetime_ms;
    int64_t from_ms = order->not_before_ms != 0 ? order->not_before_ms : now_ms;
    if (most_ms == 0 || order->not_after_ms == 0 || order->not_after_ms - from_ms <= most_ms)
        return true;
    problem_fail(problem, PROBLEM_UNAUTHORIZED, "The certificate would live longer than this account may have it");
    return refuse_by(problem, "lifetime", policy);
}

bool policy_check_order(const struct policy *policy, struct arena *arena, const struct order *order, int64_t now_ms,
                        struct acme_problem *problem)
{
    TRY(check_names(policy, arena, &order->identifiers, problem));
    if (!allows(&policy->key.profiles, order->profile)) {
        problem_fail(problem, PROBLEM_INVALID_PROFILE, "The profile \"%.100s\" is not offered to this account",
                     order->profile);
        return refuse_by(problem, "profiles", policy);
    }
    return check_lifetime(policy, order, now_ms, problem);
}

/* ---- proofs */

bool policy_takes_challenge(const struct policy *policy, const char *type)
{
    return allows(&policy->key.challenges, type);
}

bool policy_takes_proof(const struct policy *policy, const struct authorization *authorization)
{
    if (authorization->allowed_by != NULL)
        return policy->key.pre_authorized;
    const struct challenge *met = authorization_met_challenge(authorization);
    return met != NULL && policy_takes_challenge(policy, met->type);
}

static bool check_proofs(const struct policy *policy, struct store_txn *txn, const struct order *order,
                         struct acme_problem *problem)
{
    AUTO(arena) scratch = policy->bound ? arena_create(AUTHORIZATION_MAX_BYTES) : NULL;
    if (!policy->bound)
        return true; /* nothing may have narrowed what it may use */
    if (scratch == NULL)
        return problem_out_of_memory(problem);
    for (size_t i = 0; i < order->authorizations.count; i++) {
        struct authorization authorization;
        arena_reset(scratch);
        if (!store_get_authorization(txn, scratch, order->authorizations.items[i], &authorization))
            return problem_from_store(problem, store_txn_status(txn), "reading an authorization");
        if (policy_takes_proof(policy, &authorization))
            continue;
        problem_fail(problem, PROBLEM_UNAUTHORIZED,
                     "The proof for \"%s\" is none that this account may use any more; make a new order",
                     authorization.identifier.value);
        return refuse_by(problem, authorization.allowed_by != NULL ? "pre-authorization" : "challenges", policy);
    }
    return true;
}

bool policy_confirm(const struct caraway *caraway, struct store_txn *txn, struct arena *arena, struct order *order,
                    const char **out_owner, struct acme_problem *problem)
{
    struct account account;
    struct policy policy;
    if (!store_get_account(txn, arena, order->account, &account))
        return problem_from_store(problem, store_txn_status(txn), "reading an account");
    TRY(account_may_act(&account, problem));
    TRY(policy_load(caraway, txn, arena, account.external_key, &policy, problem));
    TRY(policy_check_order(&policy, arena, order, order->created_ms, problem));
    TRY(check_proofs(&policy, txn, order, problem));
    order->lifetime_ms = policy.key.lifetime_ms;
    *out_owner = account.owner;
    return true;
}
