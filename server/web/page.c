#include "server/web/page.h"

#include "base/encode.h"
#include "server/caraway.h"

#include <stdarg.h>

#define DAY_MS INT64_C(86400000)

enum { TOKEN_DAYS = 14, MAC_BYTES = 16 };

/* A token is account "." expiry "." MAC over purpose and both, under a key made at start. */
static const char *seal(struct request *rq, const char *purpose, const char *text)
{
    uint8_t mac[SHA256_BYTES];
    const char *sealed = arena_printf(rq->arena, "%s.%s", purpose, text);
    if (sealed == NULL)
        return NULL;
    crypto_hmac_sha256(bytes_of(rq->caraway->page_key, sizeof rq->caraway->page_key), bytes_text(sealed), mac);
    return arena_b64url(rq->arena, bytes_of(mac, MAC_BYTES));
}

const char *page_url(struct request *rq, const char *purpose)
{
    const char *text =
        arena_printf(rq->arena, "%s.%lld", rq->account.id, (long long)(rq->now_ms + TOKEN_DAYS * DAY_MS));
    const char *mac = text != NULL ? seal(rq, purpose, text) : NULL;
    return mac != NULL ? request_url(rq, "/%s/%s.%s", purpose, text, mac) : NULL;
}

bool page_account(struct request *rq, const char *purpose, const char **out_account)
{
    char *text = arena_text(rq->arena, rq->params[0]);
    char *mac = text != NULL ? strrchr(text, '.') : NULL;
    if (mac != NULL)
        *mac++ = '\0';
    char *expiry = mac != NULL ? strchr(text, '.') : NULL;
    const char *expected = expiry != NULL ? seal(rq, purpose, text) : NULL;
    bool ok = expected != NULL && strlen(mac) == strlen(expected) &&
              CRYPTO_memcmp(mac, expected, strlen(expected)) == 0 && strtoll(expiry + 1, NULL, 10) > rq->now_ms;
    if (!ok)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404,
                                   "This page is no longer good; the next refusal names a new one");
    *expiry = '\0';
    *out_account = text;
    return true;
}

void page_reply(struct request *rq, const char *title, const char *format, ...)
{
    static const char head[] =
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\">"
        "<style>body{font:1.1em/1.5 system-ui,sans-serif;max-width:38em;margin:3em auto;padding:0 1em}"
        "button{font:inherit;padding:.5em 1.2em}</style>";
    struct buf *body = &rq->reply.body;
    reply_text(rq, 200, "text/html; charset=utf-8", head);
    buf_printf(body, "<title>%s</title><h1>%s</h1>", title, title);
    va_list args;
    va_start(args, format);
    buf_vprintf(body, format, args);
    va_end(args);
    buf_char(body, '\n');
}
