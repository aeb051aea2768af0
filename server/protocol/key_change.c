#include "server/protocol/key_change.h"

#include "server/protocol/account.h"
#include "server/caraway.h"
#include "server/web/payload.h"
#include "server/protocol/persist.h"

struct key_change {
    struct jws inner;       /* owned */
    struct account account; /* as it will be */
    const char *conflict;   /* the account that has the new key already */
};

static void key_change_release(struct request *rq)
{
    jws_clear(&((struct key_change *)rq->state)->inner);
}

static bool check_inner(struct request *rq, const struct jws *inner)
{
    if (inner->jwk == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The inner JWS must carry the new key in \"jwk\"");
    if (inner->nonce != NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The inner JWS must not have a \"nonce\"");
    if (strcmp(inner->url, rq->jws.url) != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The inner JWS names the url %s, the outer one %s",
                            inner->url, rq->jws.url);
    return jws_verify(inner, inner->jwk, &rq->problem);
}

static bool check_inner_payload(struct request *rq, const struct jws *inner)
{
    char why[JSON_WHY_SIZE];
    AUTO(jwk) old = NULL;
    AUTO_TYPE(json_t) payload = json_read_object(inner->payload, why);
    if (payload == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The inner payload is not a JSON object: %s", why);
    const char *account = json_member_text(payload, "account");
    if (account == NULL || strcmp(account, rq->jws.kid) != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "\"account\" in the inner payload must be %s, the outer \"kid\"", rq->jws.kid);
    if (!json_is_object(json_object_get(payload, "oldKey")))
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The inner payload needs \"oldKey\": the account's present key as JWK");
    TRY(jwk_parse(json_object_get(payload, "oldKey"), &old, &rq->problem));
    if (strcmp(jwk_thumbprint(old), rq->account.thumbprint) != 0)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "\"oldKey\" in the inner payload is not the account's present key");
    return true;
}

static bool store_key(struct store_txn *txn, struct request *rq)
{
    struct key_change *state = rq->state;
    TRY(store_get_account(txn, rq->arena, rq->account.id, &state->account));
    const char *thumbprint = jwk_thumbprint(state->inner.jwk);
    state->conflict = store_find(txn, rq->arena, STORE_ACCOUNT_BY_KEY, thumbprint);
    if (state->conflict != NULL)
        return true;
    TRY(persist_keep_key(rq, &state->account));
    state->account.key = jwk_json(state->inner.jwk);
    state->account.thumbprint = thumbprint;
    store_put_account(txn, &state->account);
    return true;
}

static bool after_key(struct request *rq)
{
    const struct key_change *state = rq->state;
    if (state->conflict != NULL) {
        reply_header(rq, "Location", request_url(rq, "/account/%s", state->conflict));
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 409,
                                   "The new key belongs to an account already; see Location");
    }
    log_event(rq->caraway->log, LOG_ACCOUNT_UPDATED, LOG_TEXT("account", state->account.id),
              LOG_TEXT("key", state->account.thumbprint));
    return account_reply(rq, &state->account, 200);
}

bool key_change_post(struct request *rq)
{
    struct key_change *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    rq->state = state;
    rq->release = key_change_release;
    TRY(jws_parse(rq->arena, rq->payload_bytes, &state->inner, &rq->problem));
    TRY(check_inner(rq, &state->inner));
    TRY(check_inner_payload(rq, &state->inner));
    request_submit(rq, store_key, after_key);
    return true;
}
