#include "server/web/request.h"

#include "base/memory.h"
#include "server/protocol/account.h"
#include "server/caraway.h"
#include "server/web/key_cache.h"
#include "server/web/nonce.h"

/* ---- routes */

static size_t segment_len(const char *text)
{
    return strcspn(text, "/");
}

/* Both begin with a slash. A "{}" takes one non-empty segment; its place in the path goes to `taken`. */
static bool pattern_matches(const char *pattern, const char *path, struct bytes taken[static REQUEST_PARAMS])
{
    size_t params = 0;
    while (*pattern == '/' && *path == '/') {
        pattern++;
        path++;
        size_t want = segment_len(pattern);
        size_t have = segment_len(path);
        bool param = want == 2 && pattern[0] == '{';
        if (param)
            taken[params++] = bytes_of(path, have);
        TRY(param ? have > 0 : want == have && memcmp(pattern, path, want) == 0);
        pattern += want;
        path += have;
    }
    return *pattern == '\0' && *path == '\0';
}

static bool method_refused(struct request *rq, unsigned allowed)
{
    AUTO_BUF(list, 64);
    static const struct {
        unsigned method;
        const char *text;
    } names[] = {
        { METHOD_GET, "GET" }, { METHOD_HEAD, "HEAD" }, { METHOD_POST, "POST" }, { METHOD_DELETE, "DELETE" }
    };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (allowed & names[i].method)
            buf_printf(&list, "%s%s", list.len > 0 ? ", " : "", names[i].text);
    }
    reply_header(rq, "Allow", arena_text(rq->arena, buf_str(&list)));
    return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 405, "%s takes %s only%s", rq->path, buf_str(&list),
                               allowed & METHOD_GET ? "" : " (read it with POST-as-GET, RFC 8555 section 6.3)");
}

/* A browser asks before a script's POST; any origin may speak ACME (RFC 8555 §6.1), for nothing rides on cookies. */
static bool preflight(struct request *rq)
{
    reply_header(rq, "Access-Control-Allow-Methods", "GET, HEAD, POST");
    reply_header(rq, "Access-Control-Allow-Headers", "Content-Type");
    reply_header(rq, "Access-Control-Max-Age", "86400");
    reply_empty(rq, 204);
    return true;
}

static const struct route preflight_route = { .methods = METHOD_OPTIONS, .handler = preflight };

bool request_route(struct request *rq)
{
    unsigned allowed = 0;
    for (size_t i = 0; i < rq->routes->count; i++) {
        const struct route *row = &rq->routes->rows[i];
        struct bytes taken[REQUEST_PARAMS] = { 0 };
        if (!pattern_matches(row->pattern, rq->path, taken))
            continue;
        unsigned methods = row->methods | (row->methods & METHOD_GET ? METHOD_HEAD : 0);
        allowed |= methods;
        if (!(methods & rq->method))
            continue;
        for (size_t k = 0; k < REQUEST_PARAMS && taken[k].data != NULL; k++) {
            rq->params[k] = arena_text_of(rq->arena, taken[k]);
            if (rq->params[k] == NULL)
                return problem_out_of_memory(&rq->problem);
        }
        rq->route = row;
        return true;
    }
    if (allowed != 0 && rq->method == METHOD_OPTIONS && rq->routes->acme) {
        rq->route = &preflight_route;
        return true;
    }
    if (allowed != 0)
        return method_refused(rq, allowed);
    return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404, "There is nothing at %s; start from %s/directory",
                               rq->path, rq->base_url);
}

/* ---- who signed (RFC 8555 §6.2 to §6.5) */

static bool content_type_is_jose(const char *content_type)
{
    static const char jose[] = "application/jose+json";
    if (content_type == NULL || strncasecmp(content_type, jose, sizeof jose - 1) != 0)
        return false;
    char next = content_type[sizeof jose - 1];
    return next == '\0' || next == ';' || next == ' ';
}

static bool load_account(struct request *rq, const char *id)
{
    AUTO(store_txn) txn = store_begin_read(rq->caraway->store);
    if (txn == NULL)
        return problem_from_store(&rq->problem, STORE_NO_MEMORY, "reading an account");
    if (store_get_account(txn, rq->arena, id, &rq->account))
        return true;
    if (store_txn_status(txn) != STORE_OK)
        return problem_from_store(&rq->problem, store_txn_status(txn), "reading an account");
    return problem_fail(&rq->problem, PROBLEM_ACCOUNT_DOES_NOT_EXIST,
                        "There is no account %s here; make one with new-account", rq->jws.kid);
}

static bool signer_is_account(struct request *rq)
{
    const char *prefix = request_url(rq, "/account/");
    if (prefix == NULL)
        return problem_out_of_memory(&rq->problem);
    if (rq->jws.kid == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "%s must be signed by an account: put its URL into \"kid\" instead of \"jwk\"", rq->path);
    size_t len = strlen(prefix);
    if (strncmp(rq->jws.kid, prefix, len) != 0 || strchr(rq->jws.kid + len, '/') != NULL)
        return problem_fail(&rq->problem, PROBLEM_ACCOUNT_DOES_NOT_EXIST,
                            "\"kid\" is %s, which is not the URL of an account here (%s…)", rq->jws.kid, prefix);
    TRY(load_account(rq, rq->jws.kid + len));
    TRY(key_cache_get(rq->caraway->keys, rq->account.thumbprint, rq->account.key, &rq->key, &rq->problem));
    TRY(jws_verify(&rq->jws, rq->key, &rq->problem));
    return account_may_act(&rq->account, &rq->problem);
}

static bool signer_is_key(struct request *rq)
{
    if (rq->jws.jwk == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "%s must be signed by the key itself: put it into \"jwk\" instead of \"kid\"", rq->path);
    rq->key = jwk_ref(rq->jws.jwk);
    return jws_verify(&rq->jws, rq->key, &rq->problem);
}

static bool check_url(struct request *rq)
{
    size_t len = strlen(rq->base_url);
    if (strncmp(rq->jws.url, rq->base_url, len) == 0 && strcmp(rq->jws.url + len, rq->target) == 0)
        return true;
    return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED,
                        "The signed \"url\" is %s, but the request was sent to %s%s", rq->jws.url, rq->base_url,
                        rq->target);
}

static bool check_nonce(struct request *rq)
{
    if (rq->jws.nonce == NULL)
        return problem_fail(&rq->problem, PROBLEM_BAD_NONCE,
                            "The protected header has no \"nonce\"; use the Replay-Nonce of this answer");
    if (!nonce_redeem(rq->caraway->nonces, rq->jws.nonce))
        return problem_fail(&rq->problem, PROBLEM_BAD_NONCE,
                            "This nonce was used before or is not one of ours; use the Replay-Nonce of this answer");
    return true;
}

static bool read_payload(struct request *rq)
{
    char why[JSON_WHY_SIZE];
    enum payload expected = rq->route->payload;
    bool empty = rq->jws.payload.len == 0;
    rq->payload_bytes = rq->jws.payload;
    if (!empty && expected == PAYLOAD_NONE)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "%s is only read here: send an empty payload (POST-as-GET, RFC 8555 section 6.3)",
                            rq->path);
    if (empty && expected == PAYLOAD_OBJECT)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED,
                            "The payload is empty (POST-as-GET); %s needs a JSON object, at least {}", rq->path);
    if (empty)
        return true;
    rq->payload = json_read_object(rq->jws.payload, why);
    if (rq->payload == NULL)
        return problem_fail(&rq->problem, PROBLEM_MALFORMED, "The payload is not a JSON object: %s", why);
    return true;
}

static bool authenticate(struct request *rq)
{
    if (!content_type_is_jose(rq->content_type))
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 415,
                                   "The Content-Type is \"%.100s\"; it must be application/jose+json",
                                   rq->content_type != NULL ? rq->content_type : "");
    TRY(jws_parse(rq->arena, buf_bytes(&rq->body), &rq->jws, &rq->problem));
    TRY(check_nonce(rq)); /* first: it is spent by what it stands in, whoever signed that */
    bool by_key = rq->route->proof == PROOF_JWK || (rq->route->proof == PROOF_ANY && rq->jws.jwk != NULL);
    TRY(by_key ? signer_is_key(rq) : signer_is_account(rq));
    return check_url(rq) && read_payload(rq);
}

/* A step that returned true may have given the request away, and what it is refused for is then another thread's. */
static void run(struct request *rq, request_handler *step)
{
    (void)memory_was_out();
    if (step(rq))
        return;
    if (memory_was_out()) /* whatever it found wrong then, nobody can tell whose fault it is */
        problem_out_of_memory(&rq->problem);
    rq->refused = true;
}

static bool begin(struct request *rq)
{
    return (rq->route->proof == PROOF_NONE || authenticate(rq)) && rq->route->handler(rq);
}

void request_dispatch(struct request *rq)
{
    run(rq, begin);
}

/* ---- waiting for the store */

/* What was committed since the signature was checked counts: an account that was closed or suspended does nothing more,
 * and neither does a key that it gave up. */
static bool signer_may_still_act(struct store_txn *txn, struct request *rq)
{
    struct account now;
    if (rq->account.id == NULL)
        return true;
    if (!store_get_account(txn, rq->arena, rq->account.id, &now))
        return problem_fail(&rq->problem, PROBLEM_ACCOUNT_DOES_NOT_EXIST, "The account has been removed meanwhile");
    if (strcmp(now.thumbprint, rq->account.thumbprint) != 0)
        return problem_fail(&rq->problem, PROBLEM_UNAUTHORIZED, "The account's key has been changed meanwhile");
    return account_may_act(&now, &rq->problem);
}

static void job_work(struct store_txn *txn, void *arg)
{
    struct request *rq = arg;
    rq->refused = !signer_may_still_act(txn, rq) || !rq->work(txn, rq);
}

static void job_done(void *arg, enum store_status status)
{
    struct request *rq = arg;
    rq->store_status = status;
    request_resume(rq);
}

void request_submit(struct request *rq, bool (*work)(struct store_txn *, struct request *), request_handler *after)
{
    request_wait(rq, after);
    rq->work = work;
    rq->job = (struct store_job) { .work = job_work, .done = job_done, .arg = rq };
    store_submit(rq->caraway->store, &rq->job);
}

void request_continue(struct request *rq)
{
    if (rq->store_status != STORE_OK)
        rq->refused = !problem_from_store(&rq->problem, rq->store_status, rq->path);
    else if (!rq->refused)
        run(rq, rq->after);
}
