#include "server/management/external_admin.h"

#include "base/clock_text.h"
#include "base/encode.h"
#include "server/caraway.h"
#include "server/limits/limit.h"
#include "server/management/objects.h"
#include "server/policy/external.h"
#include "server/policy/name_pattern.h"
#include "server/web/payload.h"
#include "server/protocol/profile.h"
#include "server/settings/settings_row.h"

#include <stdio.h>

enum {
    SECRET_BYTES = 32,
    SECRET_LEAST_BYTES = 16,
    SECRET_MOST_BYTES = 256,
    OWNED_PER_PAGE = 500,
    OWNED_MAX_BYTES = 64 << 20,
    LIST_MOST = 1000,
    TEXT_MOST_BYTES = 200,
};
#define EXPIRES_MOST_MS (100 * 365 * SETTING_DAY)

/* ---- showing */

static void write_texts(struct json_out *out, const char *name, const struct texts *list)
{
    json_out_array(out, name);
    for (size_t i = 0; i < list->count; i++)
        json_out_text(out, NULL, list->items[i]);
    json_out_end_array(out);
}

static void write_optional(struct json_out *out, const char *name, const char *text)
{
    if (text != NULL)
        json_out_text(out, name, text);
}

static void write_lifetime(struct json_out *out, int64_t lifetime_ms)
{
    AUTO_BUF(text, 32);
    if (lifetime_ms == 0)
        return;
    setting_format_number(SETTING_KIND_DURATION, lifetime_ms, &text);
    json_out_text(out, "lifetime", buf_str(&text));
}

void external_key_write(struct json_out *out, const void *record, int64_t now_ms)
{
    const struct external_key *key = record;
    json_out_text(out, "id", key->id);
    json_out_text(out, "status", external_key_status(key, now_ms));
    write_optional(out, "owner", key->owner);
    write_optional(out, "comment", key->comment);
    json_out_time(out, "created", key->created_ms);
    if (key->expires_ms != 0)
        json_out_time(out, "expires", key->expires_ms);
    if (key->revoked_ms != 0)
        json_out_time(out, "revoked", key->revoked_ms);
    if (key->uses != 0)
        json_out_int(out, "uses", key->uses);
    write_texts(out, "names", &key->names);
    write_texts(out, "types", &key->types);
    write_texts(out, "profiles", &key->profiles);
    write_texts(out, "challenges", &key->challenges);
    json_out_bool(out, "wildcards", key->wildcards || key->names.count == 0);
    json_out_bool(out, "pre_authorized", key->pre_authorized);
    write_lifetime(out, key->lifetime_ms);
    write_optional(out, "limits", key->limits);
    json_out_int(out, "bound", key->bound);
}

static bool load_key(struct store_txn *txn, struct request *rq, struct external_key *out)
{
    if (store_get_external_key(txn, rq->arena, rq->params[0], out))
        return true;
    if (store_txn_status(txn) != STORE_OK)
        return problem_from_store(&rq->problem, store_txn_status(txn), "reading an external account key");
    return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no key \"%s\"", rq->params[0]);
}

bool external_key_get(struct request *rq)
{
    struct external_key key;
    struct store_page page;
    size_t limit;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an external account key");
    TRY(objects_limit(rq, &limit) && load_key(txn, rq, &key));
    if (!store_list(txn, rq->arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, key.id, request_argument(rq, "after"), limit, true,
                    &page))
        return problem_from_list(rq, txn);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    external_key_write(&out, &key, rq->now_ms);
    write_texts(&out, "accounts", &page.ids);
    write_optional(&out, "next", page.next);
    json_out_end_object(&out);
    return true;
}

static bool reply_key(struct request *rq, const struct external_key *key, int status, const char *secret)
{
    struct json_out out = reply_json(rq, status);
    json_out_object(&out, NULL);
    external_key_write(&out, key, rq->now_ms);
    write_optional(&out, "secret", secret);
    json_out_end_object(&out);
    return true;
}

/* ---- reading rules */

static bool refuse(struct request *rq, const char *member, const char *value, const char *wanted)
{
    return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%s\": \"%.80s\" is %s", member, value, wanted);
}

static bool read_names(struct request *rq, struct external_key *key)
{
    char why[NAME_PATTERN_WHY_SIZE];
    TRY(payload_texts(rq, "names", LIST_MOST, &key->names));
    for (size_t i = 0; i < key->names.count; i++) {
        if (!name_pattern_read(rq->arena, key->names.items[i], &key->names.items[i], why))
            return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"names\": %s", why);
    }
    return true;
}

static bool read_words(struct request *rq, struct external_key *key)
{
    enum acme_identifier_type type;
    enum acme_challenge_type challenge;
    TRY(payload_texts(rq, "types", LIST_MOST, &key->types));
    TRY(payload_texts(rq, "profiles", LIST_MOST, &key->profiles));
    TRY(payload_texts(rq, "challenges", LIST_MOST, &key->challenges));
    for (size_t i = 0; i < key->types.count; i++) {
        if (!identifier_type_from_text(key->types.items[i], &type))
            return refuse(rq, "types", key->types.items[i], "no identifier type; use dns or ip");
    }
    for (size_t i = 0; i < key->profiles.count; i++) {
        if (profile_find(key->profiles.items[i]) == NULL)
            return refuse(rq, "profiles", key->profiles.items[i], "no profile of this server");
    }
    for (size_t i = 0; i < key->challenges.count; i++) {
        if (!challenge_type_from_text(key->challenges.items[i], &challenge))
            return refuse(rq, "challenges", key->challenges.items[i], "no challenge type");
    }
    return true;
}

/* "" takes it away. */
static bool read_text(struct request *rq, const char *name, const char **out)
{
    TRY(payload_text(rq, name, out));
    if (*out != NULL && strlen(*out) > TEXT_MOST_BYTES)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"%s\" has more than %d bytes", name, TEXT_MOST_BYTES);
    if (*out != NULL && **out == '\0')
        *out = NULL;
    return true;
}

static bool read_lifetime(struct request *rq, int64_t *out_ms)
{
    const char *text = NULL;
    TRY(payload_text(rq, "lifetime", &text));
    if (text == NULL)
        return true;
    *out_ms = 0;
    if (*text == '\0')
        return true;
    if (!duration_parse(text, out_ms))
        return refuse(rq, "lifetime", text, "no duration like 12h or 7d");
    /* a certificate's life begins that much before it is signed */
    return *out_ms > rq->caraway->settings->ca_backdate_ms ||
           problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"lifetime\" must be longer than ca.backdate");
}

static bool read_expires(struct request *rq, int64_t *out_ms)
{
    const char *text = NULL;
    int64_t ms = 0;
    TRY(payload_text(rq, "expires", &text));
    if (text == NULL)
        return true;
    if (*text != '\0' && duration_parse(text, &ms))
        ms = ms <= EXPIRES_MOST_MS ? rq->now_ms + ms : 0;
    else if (*text != '\0' && !time_parse(text, &ms))
        ms = 0;
    if (*text != '\0' && ms <= 0)
        return refuse(rq, "expires", text, "neither a duration like 7d nor a time like 2027-01-31T12:00:00Z");
    *out_ms = ms;
    return true;
}

static bool read_uses(struct request *rq, int64_t *out)
{
    const json_t *value = json_object_get(rq->payload, "uses");
    if (value == NULL)
        return true;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "\"uses\" must be the number of accounts that the key binds at most; 0: any number");
    *out = json_integer_value(value);
    return true;
}

static bool read_rules(struct request *rq, struct external_key *key)
{
    enum limit_class unused;
    TRY(read_names(rq, key) && read_words(rq, key));
    TRY(payload_flag(rq, "wildcards", &key->wildcards));
    TRY(payload_flag(rq, "pre_authorized", &key->pre_authorized));
    TRY(read_lifetime(rq, &key->lifetime_ms) && read_expires(rq, &key->expires_ms) && read_uses(rq, &key->uses));
    TRY(read_text(rq, "owner", &key->owner) && read_text(rq, "comment", &key->comment));
    TRY(read_text(rq, "limits", &key->limits));
    if (!limit_class_from_text(key->limits, &unused))
        return refuse(rq, "limits", key->limits,
                      "no class of rate limits; use letsencrypt, letsencrypt-staging, private or off");
    return true;
}

/* Who needs no proof must at least be told which names are his. */
static bool check_rules(struct request *rq, const struct external_key *key)
{
    return !key->pre_authorized || key->names.count > 0 ||
           problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"pre_authorized\" needs \"names\"");
}

/* ---- add */

static bool id_is_plain(const char *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return id[0] != '\0' && id[strspn(id, allowed)] == '\0' && strlen(id) <= STORE_ID_MAX_BYTES;
}

static bool read_identity(struct request *rq, struct external_key *key)
{
    char id[ID_SIZE];
    uint8_t *secret = arena_alloc(rq->arena, SECRET_BYTES);
    world_make_id(rq->caraway->world, id);
    key->id = arena_text(rq->arena, id);
    if (secret == NULL || key->id == NULL)
        return problem_out_of_memory(&rq->problem);
    world_random(rq->caraway->world, secret, SECRET_BYTES);
    key->secret = bytes_of(secret, SECRET_BYTES);
    key->created_ms = rq->now_ms;
    TRY(payload_text(rq, "id", &key->id));
    TRY(payload_b64url(rq, "secret", SECRET_MOST_BYTES, &key->secret));
    if (!id_is_plain(key->id))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The id must be 1 to %d letters, digits, dots, dashes and underscores", STORE_ID_MAX_BYTES);
    return key->secret.len >= SECRET_LEAST_BYTES ||
           problem_fail(&rq->problem, PROBLEM_MALFORMED, "The secret must have at least %d bytes", SECRET_LEAST_BYTES);
}

static bool store_key(struct store_txn *txn, struct request *rq)
{
    const struct external_key *key = rq->state;
    struct external_key existing;
    if (store_get_external_key(txn, rq->arena, key->id, &existing))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 409, "There is a key \"%s\" already", key->id);
    store_put_external_key(txn, key);
    return true;
}

static bool after_key(struct request *rq)
{
    const struct external_key *key = rq->state;
    const char *secret = arena_b64url(rq->arena, key->secret);
    return secret != NULL ? reply_key(rq, key, 201, secret) : problem_out_of_memory(&rq->problem);
}

bool external_key_post(struct request *rq)
{
    struct external_key *key = arena_alloc(rq->arena, sizeof *key);
    if (key == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(payload_read(rq) && read_identity(rq, key) && read_rules(rq, key) && check_rules(rq, key));
    rq->state = key;
    request_submit(rq, store_key, after_key);
    return true;
}

/* ---- change, revoke, remove */

/* Its accounts are shown with its owner, whoever that becomes: all of them or, when this fails, none. */
static void pass_owner_on(struct store_txn *txn, const struct external_key *key)
{
    AUTO(arena) arena = arena_create(OWNED_MAX_BYTES);
    char after[STORE_ID_MAX_BYTES + 1] = "";
    struct store_page page;
    if (arena == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    do {
        if (!store_list(txn, arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, key->id, after[0] != '\0' ? after : NULL,
                        OWNED_PER_PAGE, false, &page))
            return;
        for (size_t i = 0; i < page.ids.count; i++) {
            struct account account;
            if (store_read(txn, arena, RECORD_account, page.ids.items[i], &account) != STORE_OK)
                continue;
            account.owner = key->owner;
            store_put_account(txn, &account);
        }
        snprintf(after, sizeof after, "%s", page.next != NULL ? page.next : "");
        arena_reset(arena);
    } while (after[0] != '\0');
}

/* What a change may give: the member of the payload, and its place in the record. */
static const struct {
    const char *member;
    size_t offset, size;
} rules[] = {
#define RULE(member, field)                                                                                            \
    {                                                                                                                  \
        member, offsetof(struct external_key, field), sizeof((struct external_key *)0)->field                          \
    }
    RULE("names", names),          RULE("types", types),
    RULE("profiles", profiles),    RULE("challenges", challenges),
    RULE("wildcards", wildcards),  RULE("pre_authorized", pre_authorized),
    RULE("lifetime", lifetime_ms), RULE("limits", limits),
    RULE("expires", expires_ms),   RULE("uses", uses),
    RULE("owner", owner),          RULE("comment", comment),
#undef RULE
};

struct key_change {
    struct external_key given; /* what the payload says */
    struct external_key key;   /* with it, as stored */
};

/* Into the key as it is now: another change, a revocation or a new account may have come between. */
static bool store_change(struct store_txn *txn, struct request *rq)
{
    struct key_change *change = rq->state;
    TRY(load_key(txn, rq, &change->key));
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        if (json_object_get(rq->payload, rules[i].member) != NULL)
            memcpy((char *)&change->key + rules[i].offset, (const char *)&change->given + rules[i].offset,
                   rules[i].size);
    }
    TRY(check_rules(rq, &change->key));
    store_put_external_key(txn, &change->key);
    if (json_object_get(rq->payload, "owner") != NULL)
        pass_owner_on(txn, &change->key);
    return true;
}

static bool after_change(struct request *rq)
{
    return reply_key(rq, &((struct key_change *)rq->state)->key, 200, NULL);
}

bool external_key_change(struct request *rq)
{
    struct key_change *change = arena_alloc(rq->arena, sizeof *change);
    if (change == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(payload_read(rq));
    if (json_object_get(rq->payload, "id") != NULL || json_object_get(rq->payload, "secret") != NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "A key's id and secret cannot be changed; add another key");
    TRY(read_rules(rq, &change->given));
    rq->state = change;
    request_submit(rq, store_change, after_change);
    return true;
}

static bool store_revocation(struct store_txn *txn, struct request *rq)
{
    struct external_key *key = rq->state;
    TRY(load_key(txn, rq, key));
    if (key->revoked_ms == 0)
        key->revoked_ms = rq->now_ms;
    store_put_external_key(txn, key);
    return true;
}

static bool after_revocation(struct request *rq)
{
    return reply_key(rq, rq->state, 200, NULL);
}

bool external_key_revoke(struct request *rq)
{
    rq->state = arena_alloc(rq->arena, sizeof(struct external_key));
    if (rq->state == NULL)
        return problem_out_of_memory(&rq->problem);
    request_submit(rq, store_revocation, after_revocation);
    return true;
}

static bool has_rules(const struct external_key *key)
{
    return key->names.count > 0 || key->types.count > 0 || key->profiles.count > 0 || key->challenges.count > 0 ||
           key->lifetime_ms != 0 || key->revoked_ms != 0;
}

static bool store_removal(struct store_txn *txn, struct request *rq)
{
    struct external_key key;
    TRY(load_key(txn, rq, &key));
    if (has_rules(&key) && store_find(txn, rq->arena, STORE_ACCOUNT_BY_EXTERNAL_KEY, key.id) != NULL)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 409,
                                   "The key \"%s\" rules what its accounts may have; revoke it instead", key.id);
    store_delete_external_key(txn, rq->params[0]);
    return true;
}

static bool after_removal(struct request *rq)
{
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_text(&out, "removed", rq->params[0]);
    json_out_end_object(&out);
    return true;
}

bool external_key_delete(struct request *rq)
{
    request_submit(rq, store_removal, after_removal);
    return true;
}
