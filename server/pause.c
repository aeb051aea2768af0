#include "server/pause.h"

#include "base/encode.h"
#include "server/caraway.h"
#include "server/limit.h"

#define DAY_MS INT64_C(86400000)

enum { TOKEN_DAYS = 14, GRACE_DAYS = 14, MAC_BYTES = 16, RESUME_PAGE = 1000 };

static const char *pause_id(struct arena *arena, const char *account, const char *name)
{
    uint8_t digest[SHA256_BYTES];
    const char *text = arena_printf(arena, "%s/%s", account, name);
    if (text == NULL)
        return NULL;
    crypto_digest_sha256(bytes_text(text), digest);
    return arena_hex(arena, bytes_of(digest, SHA256_BYTES / 2));
}

void pause_name(struct store_txn *txn, struct arena *arena, const struct authorization *authorization, int64_t now_ms)
{
    struct pause pause;
    const char *id = pause_id(arena, authorization->account, authorization->identifier.value);
    if (id == NULL) {
        store_txn_fail(txn, STORE_NO_MEMORY);
        return;
    }
    if (store_get_pause(txn, arena, id, &pause) && now_ms < pause.grace_until_ms)
        return;
    pause = (struct pause) {
        .id = id, .account = authorization->account, .name = authorization->identifier.value, .paused_ms = now_ms
    };
    store_put_pause(txn, &pause);
}

/* ---- tokens: account "." expiry "." MAC, under a key of this process's start; an old page says to order again */

static void token_mac(const struct caraway *caraway, const char *text, uint8_t out[static SHA256_BYTES])
{
    crypto_hmac_sha256(bytes_of(caraway->page_key, sizeof caraway->page_key), bytes_text(text), out);
}

static const char *token_make(struct request *rq)
{
    uint8_t mac[SHA256_BYTES];
    const char *text =
        arena_printf(rq->arena, "%s.%lld", rq->account.id, (long long)(rq->now_ms + TOKEN_DAYS * DAY_MS));
    if (text == NULL)
        return NULL;
    token_mac(rq->caraway, text, mac);
    const char *seal = arena_b64url(rq->arena, bytes_of(mac, MAC_BYTES));
    return seal != NULL ? arena_printf(rq->arena, "%s.%s", text, seal) : NULL;
}

static bool token_read(struct request *rq, const char *token, const char **out_account)
{
    char *text = arena_text(rq->arena, token);
    struct bytes sealed;
    uint8_t mac[SHA256_BYTES];
    char *seal = text != NULL ? strrchr(text, '.') : NULL;
    if (seal != NULL)
        *seal++ = '\0';
    char *expiry = seal != NULL ? strchr(text, '.') : NULL;
    bool ok = expiry != NULL && b64url_decode(rq->arena, bytes_text(seal), &sealed) && sealed.len == MAC_BYTES;
    if (ok)
        token_mac(rq->caraway, text, mac);
    ok = ok && CRYPTO_memcmp(mac, sealed.data, MAC_BYTES) == 0 && strtoll(expiry + 1, NULL, 10) > rq->now_ms;
    if (!ok)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404,
                                   "This page is no longer good; the next refused order names a new one");
    *expiry = '\0';
    *out_account = text;
    return true;
}

bool pause_check(struct store_txn *txn, struct request *rq, const struct acme_identifier *identifier)
{
    struct pause pause;
    const char *id = pause_id(rq->arena, rq->account.id, identifier_base(identifier));
    if (id == NULL)
        return problem_out_of_memory(&rq->problem);
    if (!store_get_pause(txn, rq->arena, id, &pause) || pause.paused_ms == 0)
        return true;
    const char *token = token_make(rq);
    if (token == NULL)
        return problem_out_of_memory(&rq->problem);
    problem_fail(&rq->problem, PROBLEM_RATE_LIMITED,
                 "Orders for %s, and perhaps for other names, are paused for this account after too many failed "
                 "authorizations in a row. When the cause is mended, resume them at %s/unpause/%s",
                 identifier_base(identifier), rq->base_url, token);
    rq->problem.help = rq->caraway->settings->limits_help_url;
    return false;
}

/* ---- the page */

static const char page_head[] = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Paused names</title>"
                                "<meta name=\"viewport\" content=\"width=device-width\"><style>body{font:1.1em/1.5 "
                                "system-ui,sans-serif;max-width:38em;margin:3em auto;padding:0 1em}button{font:inherit;"
                                "padding:.5em 1.2em}</style>";

bool pause_page_get(struct request *rq)
{
    const char *account;
    TRY(token_read(rq, rq->params[0], &account));
    reply_text(rq, 200, "text/html; charset=utf-8", page_head);
    buf_printf(
        &rq->reply.body,
        "<h1>Paused names</h1><p>Account <code>%s</code> kept asking for certificates that it could not prove, so "
        "its orders for those names are refused. Mend the cause first: the failed authorizations say what it "
        "is.</p><form method=\"post\"><button>It is mended, resume my orders</button></form>\n",
        account);
    return true;
}

struct resume {
    const char *account;
    size_t count;
};

static bool store_resume(struct store_txn *txn, struct request *rq)
{
    struct resume *state = rq->state;
    struct store_page page;
    state->count = 0;
    if (!store_list(txn, rq->arena, STORE_PAUSE_BY_ACCOUNT, state->account, NULL, RESUME_PAGE, false, &page))
        return problem_from_list(rq, txn);
    for (size_t i = 0; i < page.ids.count; i++) {
        struct pause pause;
        if (!store_get_pause(txn, rq->arena, page.ids.items[i], &pause))
            continue;
        const char *subject = arena_printf(rq->arena, "%s/%s", pause.account, pause.name);
        const char *bucket = subject != NULL ? limit_bucket_id(rq->arena, LIMIT_FAILURES_BEFORE_PAUSE, subject) : NULL;
        if (bucket == NULL)
            return problem_out_of_memory(&rq->problem);
        pause.paused_ms = 0;
        pause.grace_until_ms = rq->now_ms + GRACE_DAYS * DAY_MS;
        store_put_pause(txn, &pause);
        store_delete_rate_bucket(txn, bucket);
        state->count++;
    }
    return true;
}

static bool after_resume(struct request *rq)
{
    const struct resume *state = rq->state;
    reply_text(rq, 200, "text/html; charset=utf-8", page_head);
    buf_printf(&rq->reply.body, "<h1>Resumed</h1><p>%zu name%s of account <code>%s</code> can be ordered again.</p>\n",
               state->count, state->count == 1 ? "" : "s", state->account);
    return true;
}

bool pause_page_post(struct request *rq)
{
    struct resume *state = arena_alloc(rq->arena, sizeof *state);
    if (state == NULL)
        return problem_out_of_memory(&rq->problem);
    TRY(token_read(rq, rq->params[0], &state->account));
    rq->state = state;
    request_submit(rq, store_resume, after_resume);
    return true;
}
