#include "server/caraway.h"
#include "server/limits/limit_headers.h"
#include "server/web/nonce.h"
#include "server/web/page.h"
#include "server/web/request.h"
#include "server/webhook/webhook.h"

#include <stdarg.h>
#include <stdio.h>

void reply_header(struct request *rq, const char *name, const char *value)
{
    struct reply *reply = &rq->reply;
    CHECK(reply->header_count < REPLY_HEADERS);
    if (value == NULL) {
        reply->body.failed = true; /* the answer cannot be complete: the edge cuts the connection */
        return;
    }
    reply->headers[reply->header_count].name = name;
    reply->headers[reply->header_count++].value = value;
}

void reply_link(struct request *rq, const char *relation, const char *url)
{
    reply_header(rq, "Link", url != NULL ? arena_printf(rq->arena, "<%s>;rel=\"%s\"", url, relation) : NULL);
}

void reply_nonce(struct request *rq)
{
    char nonce[NONCE_SIZE];
    nonce_make(rq->caraway->nonces, nonce);
    reply_header(rq, "Replay-Nonce", arena_text(rq->arena, nonce));
}

struct json_out reply_json(struct request *rq, int status)
{
    rq->reply.status = status;
    rq->reply.content_type = "application/json";
    return JSON_OUT(&rq->reply.body, 2);
}

void reply_empty(struct request *rq, int status)
{
    rq->reply.status = status;
}

void reply_text(struct request *rq, int status, const char *content_type, const char *text)
{
    rq->reply.status = status;
    rq->reply.content_type = content_type;
    buf_text(&rq->reply.body, text);
}

const char *request_url(struct request *rq, const char *format, ...)
{
    AUTO_BUF(url, 2048);
    buf_text(&url, rq->base_url);
    va_list args;
    va_start(args, format);
    buf_vprintf(&url, format, args);
    va_end(args);
    return url.failed ? NULL : arena_text(rq->arena, buf_str(&url));
}

static void log_problem(struct request *rq)
{
    const struct acme_problem *problem = &rq->problem;
    const char *cause = problem->cause[0] != '\0' ? problem->cause : NULL;
    bool ours = problem->status >= 500 && problem->type != PROBLEM_RATE_LIMITED;
    enum log_event event = ours ? LOG_REQUEST_FAILED : LOG_REQUEST_REFUSED;
    log_event(rq->caraway->log, event, LOG_TEXT("path", page_hide_tokens(rq->arena, rq->path)),
              LOG_INT("status", problem->status), LOG_TEXT("problem", problem_type_text(problem->type)),
              LOG_TEXT("detail", page_hide_tokens(rq->arena, problem->detail)),
              LOG_TEXT("cause", page_hide_tokens(rq->arena, cause)), LOG_TEXT("account", rq->account.id),
              LOG_TEXT("owner", rq->account.owner), LOG_TEXT("peer", rq->peer));
}

static void answer_problem(struct request *rq)
{
    log_problem(rq);
    webhook_refused(rq);
    buf_clear(&rq->reply.body);
    struct json_out out = reply_json(rq, rq->problem.status);
    rq->reply.content_type = "application/problem+json";
    problem_write(&out, NULL, &rq->problem);
    if (rq->problem.help != NULL)
        reply_link(rq, "help", rq->problem.help);
    if (rq->problem.retry_after_s != 0)
        reply_header(rq, "Retry-After", arena_printf(rq->arena, "%lld", (long long)rq->problem.retry_after_s));
    else if (rq->problem.status == 503)
        reply_header(rq, "Retry-After", "10");
}

void request_finish(struct request *rq)
{
    if (rq->refused || rq->reply.status == 0)
        answer_problem(rq);
    else if (log_wants(rq->caraway->log, LOG_REQUEST))
        log_event(rq->caraway->log, LOG_REQUEST, LOG_TEXT("path", page_hide_tokens(rq->arena, rq->path)),
                  LOG_INT("status", rq->reply.status), LOG_TEXT("account", rq->account.id), LOG_TEXT("peer", rq->peer));
    if (!rq->routes->acme)
        return;
    limit_add_headers(rq);
    reply_header(rq, "Cache-Control", "no-store");
    if (rq->cross_origin) {
        reply_header(rq, "Access-Control-Allow-Origin", "*");
        reply_header(rq, "Access-Control-Expose-Headers", "Link, Location, Replay-Nonce, Retry-After");
    }
    bool directory = strcmp(rq->path, "/directory") == 0;
    if (!directory)
        reply_link(rq, "index", request_url(rq, "/directory"));
    if (rq->method == METHOD_POST)
        reply_nonce(rq);
}

bool problem_from_store(struct acme_problem *problem, enum store_status status, const char *doing)
{
    bool passing = status == STORE_FULL || status == STORE_IO || status == STORE_NO_MEMORY || status == STORE_CLOSED;
    problem_fail_status(problem, PROBLEM_SERVER_INTERNAL, passing ? 503 : 500,
                        "The server could not store this; nothing was changed. Try again later.");
    snprintf(problem->cause, sizeof problem->cause, "%s: %s%s", doing, store_status_text(status),
             status == STORE_CORRUPT ? "; run \"caraway check\", and restore a backup" : "");
    return false;
}

bool problem_from_list(struct request *rq, const struct store_txn *txn)
{
    enum store_status status = store_txn_status(txn);
    if (status != STORE_OK)
        return problem_from_store(&rq->problem, status, "listing");
    return problem_fail(&rq->problem, PROBLEM_MALFORMED, "\"after\" is not a position in this list");
}
