#include "server/policy/policy.h"

#include "tests/unit.h"

#define DAY_MS INT64_C(86400000)
#define NOW_MS INT64_C(1760000000000)

/* Lists are written "a,b". */
struct rules {
    const char *allow, *deny;
    bool public_only;
    const char *names, *types, *profiles;
    bool wildcards;
    int64_t lifetime_ms;
};

static size_t split(struct arena *arena, const char *text, const char ***out)
{
    *out = arena_array(arena, 16, sizeof **out);
    char *rest = arena_text(arena, text != NULL ? text : "");
    size_t count = 0;
    assert_true(*out != NULL && rest != NULL);
    for (char *item; (item = strsep(&rest, ",")) != NULL && *item != '\0';)
        (*out)[count++] = item;
    return count;
}

static struct texts texts(struct arena *arena, const char *text)
{
    struct texts list;
    list.count = split(arena, text, &list.items);
    return list;
}

static struct setting_texts patterns(struct arena *arena, const char *text)
{
    struct setting_texts list;
    list.count = split(arena, text, &list.items);
    return list;
}

struct world_of_rules {
    struct settings settings;
    struct policy policy;
};

static void make(struct arena *arena, const struct rules *rules, struct world_of_rules *out)
{
    *out = (struct world_of_rules) {
        .settings = { .policy_allow_names = patterns(arena, rules->allow),
                      .policy_deny_names = patterns(arena, rules->deny),
                      .policy_public_names_only = rules->public_only },
        .policy = { .bound = true,
                    .key = { .id = "kid",
                             .names = texts(arena, rules->names),
                             .types = texts(arena, rules->types),
                             .profiles = texts(arena, rules->profiles),
                             .wildcards = rules->wildcards,
                             .lifetime_ms = rules->lifetime_ms } },
    };
    out->policy.settings = &out->settings;
}

static struct identifiers identifiers(struct arena *arena, const char *text)
{
    struct texts words = texts(arena, text);
    struct identifiers list = { arena_array(arena, 16, sizeof *list.items), words.count };
    char why[IDENTIFIER_WHY_SIZE];
    for (size_t i = 0; i < words.count; i++) {
        if (!identifier_make(arena, IDENTIFIER_DNS, bytes_text(words.items[i]), &list.items[i], why))
            assert_true(identifier_make(arena, IDENTIFIER_IP, bytes_text(words.items[i]), &list.items[i], why));
    }
    return list;
}

#define ALLOWED "-"
static const struct {
    struct rules rules;
    const char *names, *profile;
    int64_t not_after_ms;
    const char *problem, *cause; /* the cause holds this */
} decisions[] = {
    { { 0 }, "any.test,*.any.test,10.1.2.3", "classic", 0, ALLOWED, "" },
    { { .deny = "a.test" }, "b.test", "classic", 0, ALLOWED, "" },
    { { .deny = "a.test" }, "a.test", "classic", 0, "rejectedIdentifier", "a.test: policy.deny-names" },
    { { .deny = "a.test" }, "*.test", "classic", 0, "rejectedIdentifier", "*.test: policy.deny-names" },
    { { .allow = "a.test,*.a.test" }, "a.test,b.a.test,*.a.test", "classic", 0, ALLOWED, "" },
    { { .allow = "*.a.test" }, "a.test", "classic", 0, "rejectedIdentifier", "policy.allow-names" },
    { { .allow = "*.test", .deny = "*.test" }, "a.test", "classic", 0, "rejectedIdentifier", "policy.deny-names" },
    { { .allow = "a.test", .names = "b.test" }, "b.test", "classic", 0, "rejectedIdentifier", "policy.allow-names" },
    { { .allow = "a.test", .names = "b.test" }, "a.test", "classic", 0, "rejectedIdentifier", "names of the external" },
    { { .public_only = true }, "example.com,a.b.example.co.uk,me.github.io", "classic", 0, ALLOWED, "" },
    { { .public_only = true }, "192.0.2.1", "classic", 0, ALLOWED, "" },
    { { .public_only = true }, "com", "classic", 0, "rejectedIdentifier", "policy.public-names-only" },
    { { .public_only = true }, "co.uk", "classic", 0, "rejectedIdentifier", "policy.public-names-only" },
    { { .public_only = true }, "*.co.uk", "classic", 0, "rejectedIdentifier", "policy.public-names-only" },
    { { .public_only = true }, "host.internal", "classic", 0, "rejectedIdentifier", "policy.public-names-only" },
    { { .names = "a.test" }, "a.test", "classic", 0, ALLOWED, "" },
    { { .names = "a.test" }, "a.test,b.test", "classic", 0, "rejectedIdentifier", "policy: b.test: names" },
    { { .names = "*.a.test" }, "*.a.test", "classic", 0, "rejectedIdentifier", "wildcards" },
    { { .names = "*.a.test", .wildcards = true }, "*.a.test", "classic", 0, ALLOWED, "" },
    { { .names = "a.test", .wildcards = true }, "*.a.test", "classic", 0, "rejectedIdentifier", "names" },
    { { .types = "dns" }, "a.test", "classic", 0, ALLOWED, "" },
    { { .types = "dns" }, "10.1.2.3", "classic", 0, "rejectedIdentifier", "types" },
    { { .types = "ip" }, "a.test", "classic", 0, "rejectedIdentifier", "types" },
    { { .names = "10.0.0.0/8" }, "10.1.2.3", "classic", 0, ALLOWED, "" },
    { { .names = "a.test" }, "10.1.2.3", "classic", 0, "rejectedIdentifier", "names" },
    { { .profiles = "classic,tlsserver" }, "a.test", "tlsserver", 0, ALLOWED, "" },
    { { .profiles = "classic,tlsserver" }, "a.test", "shortlived", 0, "invalidProfile", "profiles of the external" },
    { { .lifetime_ms = DAY_MS }, "a.test", "classic", NOW_MS + DAY_MS, ALLOWED, "" },
    { { .lifetime_ms = DAY_MS }, "a.test", "classic", NOW_MS + DAY_MS + 1, "unauthorized", "lifetime" },
};

static void every_rule_decides_as_it_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(decisions); i++) {
        AUTO(arena) arena = arena_create(1 << 16);
        struct world_of_rules of;
        struct acme_problem problem = { 0 };
        make(arena, &decisions[i].rules, &of);
        const struct order order = { .identifiers = identifiers(arena, decisions[i].names),
                                     .profile = decisions[i].profile,
                                     .not_after_ms = decisions[i].not_after_ms };
        bool good = policy_check_order(&of.policy, arena, &order, NOW_MS, &problem);
        const char *answer = good ? ALLOWED : problem_type_text(problem.type);
        if (strcmp(answer, decisions[i].problem) != 0 || strstr(problem.cause, decisions[i].cause) == NULL)
            fail_msg("row %zu, %s: %s (%s)", i, decisions[i].names, answer, problem.cause);
        if (!good && (strstr(problem.detail, "kid") != NULL || strstr(problem.detail, "policy.") != NULL))
            fail_msg("row %zu: the client is told the rule: %s", i, problem.detail);
    }
}

static void several_refusals_are_subproblems(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    struct world_of_rules of;
    struct acme_problem problem = { 0 };
    make(arena, &(struct rules) { .names = "a.test", .deny = "c.test" }, &of);
    const struct order order = { .identifiers = identifiers(arena, "a.test,b.test,c.test"), .profile = "classic" };
    assert_false(policy_check_order(&of.policy, arena, &order, NOW_MS, &problem));
    assert_int_equal(problem.subproblem_count, 2);
    assert_string_equal(problem.subproblems[0].identifier.value, "b.test");
    assert_string_equal(problem.subproblems[1].identifier.value, "c.test");
    assert_non_null(strstr(problem.cause, "b.test: names"));
    assert_non_null(strstr(problem.cause, "c.test: policy.deny-names"));
}

static void a_proof_in_advance_is_asked_too(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum authorization_scope scope;
        bool allowed;
    } cases[] = {
        { "x.a.test", SCOPE_NAME, true },     { "a.test", SCOPE_NAME, false },
        { "a.test", SCOPE_SUBDOMAINS, true }, { "x.a.test", SCOPE_SUBDOMAINS, true },
        { "test", SCOPE_SUBDOMAINS, false },  { "x.a.test", SCOPE_WILDCARD, false },
        { "bad.a.test", SCOPE_NAME, false },  { "all.a.test", SCOPE_SUBDOMAINS, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(arena) arena = arena_create(1 << 16);
        struct world_of_rules of;
        struct acme_problem problem = { 0 };
        make(arena, &(struct rules) { .names = "*.a.test", .deny = "bad.a.test,*.all.a.test" }, &of);
        const struct authorization_wish wish = { identifiers(arena, cases[i].name).items[0], cases[i].scope };
        if (policy_check_wish(&of.policy, arena, &wish, &problem) != cases[i].allowed)
            fail_msg("row %zu: %s", i, cases[i].name);
    }
}

static void proofs_count_by_how_they_came_about(void **state)
{
    (void)state;
    const char *dns[] = { "dns-01" };
    struct challenge tried[] = { { .type = "http-01", .state = CHALLENGE_PENDING },
                                 { .type = "dns-01", .state = CHALLENGE_VALID } };
    struct authorization proved = { .challenges = { tried, 2 } };
    struct authorization given = { .allowed_by = "external account key kid" };
    struct policy policy = { .bound = true };
    assert_true(policy_takes_proof(&policy, &proved));
    assert_false(policy_takes_proof(&policy, &given));
    policy.key.pre_authorized = true;
    assert_true(policy_takes_proof(&policy, &given));
    policy.key.challenges = (struct texts) { dns, 1 };
    assert_true(policy_takes_proof(&policy, &proved));
    tried[0].state = CHALLENGE_VALID;
    tried[1].state = CHALLENGE_PENDING;
    assert_false(policy_takes_proof(&policy, &proved));
    assert_true(policy_takes_challenge(&policy, "dns-01"));
    assert_false(policy_takes_challenge(&policy, "http-01"));
}

/* ---- what is asked again in the job that stores a certificate */

struct stored {
    struct settings settings;
    struct caraway caraway;
    struct account account;
    struct external_key key;
    struct authorization authorization;
    struct order order;
};

static struct stored stored_good(struct store *store)
{
    static struct acme_identifier name = { IDENTIFIER_DNS, "a.test" };
    static const char *names[] = { "a.test" }, *ids[] = { "z" };
    static struct challenge proof = { .type = "http-01", .state = CHALLENGE_VALID };
    return (struct stored) {
        .caraway = { .store = store },
        .account = { .id = "a", .state = ACCOUNT_VALID, .external_key = "k", .owner = "team a", .created_ms = 1 },
        .key = { .id = "k", .names = { names, 1 }, .lifetime_ms = DAY_MS, .created_ms = 1 },
        .authorization = { .id = "z",
                           .account = "a",
                           .state = AUTHORIZATION_VALID,
                           .identifier = { IDENTIFIER_DNS, "a.test" },
                           .challenges = { &proof, 1 } },
        .order = { .id = "o",
                   .account = "a",
                   .identifiers = { &name, 1 },
                   .authorizations = { ids, 1 },
                   .profile = "classic" },
    };
}

static void put_stored(struct store_txn *txn, void *arg)
{
    const struct stored *stored = arg;
    store_put_account(txn, &stored->account);
    if (stored->key.id != NULL)
        store_put_external_key(txn, &stored->key);
    store_put_authorization(txn, &stored->authorization);
}

static struct store *open_memory(void)
{
    struct store *store;
    char why[STORE_WHY_SIZE];
    assert_int_equal(store_open(&(struct store_options) { .driver = "memory" }, &store, why), STORE_OK);
    return store;
}

/* "-", or the problem; the text of `out_detail` holds its detail. */
static const char *confirm(struct stored *stored, struct buf *out_detail)
{
    AUTO(arena) arena = arena_create(1 << 16);
    struct acme_problem problem = { 0 };
    const char *owner = NULL;
    stored->caraway.settings = &stored->settings;
    assert_int_equal(store_write(stored->caraway.store, put_stored, stored), STORE_OK);
    AUTO(store_txn) txn = store_begin_read(stored->caraway.store);
    buf_clear(out_detail);
    if (!policy_confirm(&stored->caraway, txn, arena, &stored->order, &owner, &problem)) {
        buf_text(out_detail, problem.detail);
        return problem_type_text(problem.type);
    }
    buf_text(out_detail, owner != NULL ? owner : "");
    return ALLOWED;
}

static void what_is_as_it_was_is_confirmed(void **state)
{
    (void)state;
    AUTO(store) store = open_memory();
    AUTO_BUF(text, 4096);
    struct stored stored = stored_good(store);
    assert_string_equal(confirm(&stored, &text), ALLOWED);
    assert_string_equal(buf_str(&text), "team a");
    assert_int_equal(stored.order.lifetime_ms, DAY_MS);
}

static void whatever_was_narrowed_meanwhile_counts(void **state)
{
    (void)state;
    static const char *others[] = { "other" };
    AUTO(store) store = open_memory();
    AUTO_BUF(text, 4096);
    const struct texts other = { others, 1 };
    struct stored suspended = stored_good(store), revoked = suspended, names = suspended, challenges = suspended,
                  given = suspended, profiles = suspended;
    suspended.account.state = ACCOUNT_SUSPENDED;
    assert_string_equal(confirm(&suspended, &text), "unauthorized");
    assert_non_null(strstr(buf_str(&text), "suspended"));
    revoked.key.revoked_ms = 5;
    assert_string_equal(confirm(&revoked, &text), "unauthorized");
    assert_non_null(strstr(buf_str(&text), "revoked"));
    names.key.names = other;
    assert_string_equal(confirm(&names, &text), "rejectedIdentifier");
    profiles.key.profiles = other;
    assert_string_equal(confirm(&profiles, &text), "invalidProfile");
    challenges.key.challenges = other;
    assert_string_equal(confirm(&challenges, &text), "unauthorized");
    given.authorization.allowed_by = "external account key k";
    assert_string_equal(confirm(&given, &text), "unauthorized");
    given.key.pre_authorized = true;
    assert_string_equal(confirm(&given, &text), ALLOWED);
}

static void a_deactivated_account_gets_nothing(void **state)
{
    (void)state;
    AUTO(store) store = open_memory();
    AUTO_BUF(text, 4096);
    struct stored stored = stored_good(store);
    stored.account.state = ACCOUNT_DEACTIVATED;
    assert_string_equal(confirm(&stored, &text), "unauthorized");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_decides_as_it_says),      cmocka_unit_test(several_refusals_are_subproblems),
        cmocka_unit_test(a_proof_in_advance_is_asked_too),    cmocka_unit_test(proofs_count_by_how_they_came_about),
        cmocka_unit_test(what_is_as_it_was_is_confirmed),     cmocka_unit_test(whatever_was_narrowed_meanwhile_counts),
        cmocka_unit_test(a_deactivated_account_gets_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
