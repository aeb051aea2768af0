#include "server/policy/external.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/web/payload.h"

const char *external_key_status(const struct external_key *key, int64_t now_ms)
{
    if (key->revoked_ms != 0)
        return "revoked";
    if (key->expires_ms != 0 && now_ms >= key->expires_ms)
        return "expired";
    return key->uses != 0 && key->bound >= key->uses ? "used up" : EXTERNAL_KEY_VALID;
}

static bool check_status(struct request *rq, const struct external_key *key)
{
    const char *status = external_key_status(key, rq->now_ms);
    return strcmp(status, EXTERNAL_KEY_VALID) == 0 ||
           problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                        "externalAccountBinding: the key \"%.100s\" is %s; ask the operator for another", key->id,
                        status);
}

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
    TRY(check_status(rq, &key));
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

bool external_note(struct store_txn *txn, struct request *rq, struct account *account)
{
    struct external_key key;
    if (account->external_key == NULL)
        return true;
    if (!store_get_external_key(txn, rq->arena, account->external_key, &key))
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "externalAccountBinding: the key was removed");
    TRY(check_status(rq, &key));
    key.bound++;
    account->owner = key.owner;
    store_put_external_key(txn, &key);
    return true;
}
