#include "server/web/page.h"

#include "base/encode.h"
#include "server/caraway.h"

#include <stdarg.h>

#define DAY_MS INT64_C(86400000)

enum { TOKEN_DAYS = 14, MAC_BYTES = 16, SHOWN_MAX_BYTES = 64 * 1024 };

static const char *const paths[] = {
#define X(name, path) path,
    PAGE_TABLE(X)
#undef X
};

/* A token is account "." expiry "." MAC over path and both, under the key of pages. */
static const char *seal(struct request *rq, enum page page, const char *text)
{
    uint8_t mac[SHA256_BYTES];
    const char *sealed = arena_printf(rq->arena, "%s%s", paths[page], text);
    if (sealed == NULL)
        return NULL;
    crypto_hmac_sha256(bytes_of(rq->caraway->page_key, sizeof rq->caraway->page_key), bytes_text(sealed), mac);
    return arena_b64url(rq->arena, bytes_of(mac, MAC_BYTES));
}

const char *page_url(struct request *rq, enum page page)
{
    const char *text =
        arena_printf(rq->arena, "%s.%lld", rq->account.id, (long long)(rq->now_ms + TOKEN_DAYS * DAY_MS));
    const char *mac = text != NULL ? seal(rq, page, text) : NULL;
    return mac != NULL ? request_url(rq, "%s%s.%s", paths[page], text, mac) : NULL;
}

bool page_account(struct request *rq, enum page page, const char **out_account)
{
    char *text = arena_text(rq->arena, rq->params[0]);
    char *mac = text != NULL ? strrchr(text, '.') : NULL;
    if (mac != NULL)
        *mac++ = '\0';
    char *expiry = mac != NULL ? strchr(text, '.') : NULL;
    const char *expected = expiry != NULL ? seal(rq, page, text) : NULL;
    bool ok = expected != NULL && strlen(mac) == strlen(expected) &&
              CRYPTO_memcmp(mac, expected, strlen(expected)) == 0 && strtoll(expiry + 1, NULL, 10) > rq->now_ms;
    if (!ok)
        return problem_fail_status(&rq->problem, PROBLEM_MALFORMED, 404,
                                   "This page is no longer good; the next refusal names a new one");
    *expiry = '\0';
    *out_account = text;
    return true;
}

/* The first path of a page in the text, behind it; NULL when there is none. */
static const char *find_token(const char *text)
{
    const char *first = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        const char *found = strstr(text, paths[i]);
        if (found != NULL && (first == NULL || found + strlen(paths[i]) < first))
            first = found + strlen(paths[i]);
    }
    return first;
}

const char *page_hide_tokens(struct arena *arena, const char *text)
{
    AUTO_BUF(shown, SHOWN_MAX_BYTES);
    const char *token = text != NULL ? find_token(text) : NULL;
    if (token == NULL)
        return text;
    for (; token != NULL; token = find_token(text)) {
        buf_append(&shown, text, (size_t)(token - text));
        buf_text(&shown, "{}");
        text = token + strcspn(token, "/ \"");
    }
    buf_text(&shown, text);
    return !shown.failed ? arena_text(arena, buf_str(&shown)) : NULL;
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
