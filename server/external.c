#include "server/external.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/payload.h"

enum { SECRET_BYTES = 32, SECRET_LEAST_BYTES = 16, SECRET_MOST_BYTES = 256, KEYS_PER_PAGE = 1000 };

/* ---- checking a binding */

static bool find_key(struct request *rq, const char *id, struct external_key *out)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an external account key");
    if (store_get_external_key(txn, rq->arena, id, out))
        return true;
    if (store_txn_status(txn) != STORE_OK)
        return problem_from_store(&rq->problem, store_txn_status(txn), "reading an external account key");
    return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                        "externalAccountBinding: the key \"%.100s\" is not known here", id);
}

static bool check_bound_key(struct request *rq, const struct jws *binding)
{
    char why[JSON_WHY_SIZE];
    AUTO(jwk) bound = NULL;
    AUTO_TYPE(json_t) jwk = json_read_object(binding->payload, why);
    if (jwk == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "externalAccountBinding: the payload must be the "
                            "account's key as JWK: %s",
                            why);
    TRY(jwk_parse(jwk, &bound, &rq->problem));
    if (strcmp(jwk_thumbprint(bound), jwk_thumbprint(rq->key)) != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "externalAccountBinding: the payload is not the key that signed the request");
    return true;
}

static bool check_binding(struct request *rq, const json_t *object, struct account *account)
{
    struct jws binding = { 0 };
    struct external_key key;
    TRY(jws_parse_hmac(rq->arena, object, &binding, &rq->problem));
    if (strcmp(binding.url, rq->jws.url) != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "externalAccountBinding: its url is %s, the request's %s",
                            binding.url, rq->jws.url);
    TRY(find_key(rq, binding.kid, &key));
    TRY(jws_verify_hmac(&binding, key.secret, &rq->problem));
    TRY(check_bound_key(rq, &binding));
    AUTO_TYPE(char) text = json_dumps(object, JSON_COMPACT);
    account->external_key = key.id;
    account->external_binding = text != NULL ? arena_text(rq->arena, text) : NULL;
    return account->external_binding != NULL || problem_out_of_memory(&rq->problem);
}

bool external_check(struct request *rq, struct account *account)
{
    const json_t *object = json_object_get(rq->payload, "externalAccountBinding");
    if (object == NULL && !rq->caraway->settings->external_account_required)
        return true;
    if (object == NULL)
        return problem_fail(&rq->problem, PROBLEM_EXTERNAL_ACCOUNT_REQUIRED,
                            "New accounts need an \"externalAccountBinding\"; ask the operator for a key");
    if (!json_is_object(object))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"externalAccountBinding\" must be a JWS object");
    return check_binding(rq, object, account);
}

bool external_note(struct store_txn *txn, struct request *rq, const struct account *account)
{
    struct external_key key;
    if (account->external_key == NULL)
        return true;
    if (!store_get_external_key(txn, rq->arena, account->external_key, &key))
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "externalAccountBinding: the key was removed");
    const char **accounts = arena_array(rq->arena, key.accounts.count + 1, sizeof *accounts);
    if (accounts == NULL)
        return problem_out_of_memory(&rq->problem);
    if (key.accounts.count > 0)
        memcpy(accounts, key.accounts.items, key.accounts.count * sizeof *accounts);
    accounts[key.accounts.count] = account->id;
    key.accounts = (struct texts) { accounts, key.accounts.count + 1 };
    store_put_external_key(txn, &key);
    return true;
}

/* ---- the operator's side */

static void write_key(struct json_out *out, const struct external_key *key)
{
    json_out_text(out, "id", key->id);
    json_out_time(out, "created", key->created_ms);
    json_out_array(out, "accounts");
    for (size_t i = 0; i < key->accounts.count; i++)
        json_out_text(out, NULL, key->accounts.items[i]);
    json_out_end_array(out);
}

bool external_keys_get(struct request *rq)
{
    struct store_page page;
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "listing");
    if (!store_list_all(txn, rq->arena, RECORD_external_key, request_argument(rq, "after"), KEYS_PER_PAGE, false,
                        &page))
        return problem_from_list(rq, txn);
    struct json_out out = reply_json(rq, 200);
    json_out_object(&out, NULL);
    json_out_array(&out, "external-keys");
    for (size_t i = 0; i < page.ids.count; i++) {
        struct external_key key;
        if (!store_get_external_key(txn, rq->arena, page.ids.items[i], &key))
            continue;
        json_out_object(&out, NULL);
        write_key(&out, &key);
        json_out_end_object(&out);
    }
    json_out_end_array(&out);
    if (page.next != NULL)
        json_out_text(&out, "next", page.next);
    json_out_end_object(&out);
    return true;
}

static bool id_is_plain(const char *id)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
    return id[0] != '\0' && id[strspn(id, allowed)] == '\0' && strlen(id) <= 100;
}

static bool read_key(struct request *rq, struct external_key *key)
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
                            "The id must be 1 to 100 letters, digits, dots, dashes and underscores");
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
    if (secret == NULL)
        return problem_out_of_memory(&rq->problem);
    struct json_out out = reply_json(rq, 201);
    json_out_object(&out, NULL);
    write_key(&out, key);
    json_out_text(&out, "secret", secret);
    json_out_end_object(&out);
    return true;
}

bool external_key_post(struct request *rq)
{
    struct external_key *key = arena_alloc(rq->arena, sizeof *key);
    char why[JSON_WHY_SIZE];
    if (key == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->payload = json_read_object(buf_bytes(&rq->body), why);
    if (rq->payload == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The body must be a JSON object: %s", why);
    TRY(read_key(rq, key));
    rq->state = key;
    request_submit(rq, store_key, after_key);
    return true;
}

static bool store_removal(struct store_txn *txn, struct request *rq)
{
    struct external_key key;
    if (!store_get_external_key(txn, rq->arena, rq->params[0], &key))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is no key \"%s\"", rq->params[0]);
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
