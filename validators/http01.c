/* http-01 (RFC 8555 §8.3, RFC 8738 §4): the key authorization under /.well-known/acme-challenge/ on port 80. */
#include "validators/locate.h"
#include "validators/printable.h"
#include "validators/redirect.h"
#include "validators/worker.h"

#include "base/crypto.h"

enum { REDIRECTS_MAX = 10, SHOWN_URL_BYTES = 200, TRACED_URL_SIZE = 512, STATUS_SEE_OTHER = 303 };

struct http01 {
    struct val_attempt attempt;
    struct val_target target;
    struct val_location location;
    struct val_fetch fetch;
    uint64_t began_ms;
    unsigned redirects;
    uint64_t visited[REDIRECTS_MAX]; /* digests of URLs */
    char endpoint[VAL_ENDPOINT_SIZE];
};

static val_step connect_next, judge;

static struct http01 *of(struct val_attempt *attempt)
{
    CHECK(attempt->method == &val_http01);
    return (struct http01 *)attempt;
}

static enum val_turn locate(struct val_attempt *attempt)
{
    struct http01 *http = of(attempt);
    return val_locate(attempt, &http->location, http->target.host, connect_next);
}

static enum val_turn first(struct val_attempt *attempt)
{
    struct http01 *http = of(attempt);
    const struct validation *validation = attempt->validation;
    val_target_first(&http->target, &validation->identifier, attempt->worker->shared->options.http_port,
                     validation->token);
    return val_attempt_then(attempt, locate, VAL_NEXT);
}

static void on_fetched(struct val_fetch *fetch)
{
    val_attempt_run(fetch->arg);
}

static enum val_turn fetch(struct val_attempt *attempt, const struct val_address *address)
{
    struct http01 *http = of(attempt);
    val_fetch_clear(&http->fetch);
    val_endpoint_text(address, http->target.port, http->endpoint);
    http->began_ms = val_attempt_now(attempt);
    http->fetch.url = http->target.url;
    http->fetch.address = *address;
    http->fetch.port = http->target.port;
    http->fetch.done = on_fetched;
    http->fetch.arg = attempt;
    if (!val_fetch_start(attempt->worker->fetcher, &http->fetch))
        return val_attempt_internal(attempt, "http-01: the request cannot be made");
    return val_attempt_then(attempt, judge, VAL_WAIT);
}

static enum val_turn connect_next(struct val_attempt *attempt)
{
    struct val_address address;
    struct http01 *http = of(attempt);
    if (!val_located(attempt, &http->location))
        return VAL_DONE;
    CHECK(val_location_take(&http->location, &address));
    return fetch(attempt, &address);
}

static void trace_hop(struct http01 *http)
{
    char text[VAL_SHOWN_SIZE], url[TRACED_URL_SIZE];
    const struct val_fetch *fetch = &http->fetch;
    struct json_out *out =
        val_trace_step(&http->attempt.trace, "http", http->began_ms, val_attempt_now(&http->attempt));
    val_printable_long(bytes_text(http->target.url), url, sizeof url);
    json_out_text(out, "url", url);
    json_out_text(out, "address", http->endpoint);
    if (fetch->outcome == VAL_FETCH_ANSWERED) {
        json_out_int(out, "status", fetch->status);
        if (fetch->location != NULL)
            json_out_text(out, "location", val_printable(bytes_text(fetch->location), text));
        json_out_text(out, "body", val_printable(bytes_of(fetch->body, fetch->body_len), text));
    } else {
        json_out_text(out, "error", val_fetch_rows[fetch->outcome].phrase);
        if (fetch->why[0] != '\0')
            json_out_text(out, "why", val_printable(bytes_text(fetch->why), text));
    }
    val_trace_end(&http->attempt.trace);
}

static enum val_turn unanswered(struct http01 *http)
{
    struct val_address other;
    char begin[VAL_SHOWN_SIZE];
    const struct val_fetch_row *row = &val_fetch_rows[http->fetch.outcome];
    if (http->fetch.outcome == VAL_FETCH_INTERNAL)
        return val_attempt_internal(&http->attempt, http->fetch.why);
    if (row->unconnected && !http->attempt.timed_out && val_location_take(&http->location, &other))
        return fetch(&http->attempt, &other);
    if (http->fetch.outcome == VAL_FETCH_NOT_HTTP && http->fetch.body_len > 0)
        return val_attempt_fail(&http->attempt, row->type, "%s: %s while fetching %.*s: it begins with \"%s\"",
                                http->endpoint, row->phrase, SHOWN_URL_BYTES, http->target.url,
                                val_printable(bytes_of(http->fetch.body, http->fetch.body_len), begin));
    return val_attempt_fail(&http->attempt, row->type, "%s: %s while fetching %.*s: %s", http->endpoint, row->phrase,
                            SHOWN_URL_BYTES, http->target.url, row->hint);
}

static uint64_t digest_of(const char *url)
{
    uint8_t digest[SHA256_BYTES];
    uint64_t beginning;
    crypto_digest_sha256(bytes_text(url), digest);
    memcpy(&beginning, digest, sizeof beginning);
    return beginning;
}

/* A target met before leads where it led before: each is asked for without anything remembered of the last one. */
static bool is_loop(const struct http01 *http)
{
    uint64_t target = digest_of(http->target.url);
    for (unsigned i = 0; i < http->redirects; i++)
        if (http->visited[i] == target)
            return true;
    return false;
}

static enum val_turn redirect(struct http01 *http)
{
    char why[VAL_TARGET_WHY_SIZE], to[VAL_SHOWN_SIZE];
    const struct validators_options *options = &http->attempt.worker->shared->options;
    const char *location = http->fetch.location != NULL ? http->fetch.location : "";
    if (http->fetch.status == STATUS_SEE_OTHER)
        return val_attempt_fail(&http->attempt, PROBLEM_CONNECTION,
                                "%s: GET %.*s answered 303, which is not followed; 301, 302, 307 and 308 are",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url);
    if (http->redirects == REDIRECTS_MAX)
        return val_attempt_fail(&http->attempt, PROBLEM_CONNECTION,
                                "%s: GET %.*s redirects once more; %d redirects are followed at most", http->endpoint,
                                SHOWN_URL_BYTES, http->target.url, REDIRECTS_MAX);
    http->visited[http->redirects++] = digest_of(http->target.url);
    if (!val_target_follow(&http->target, location, options->http_port, options->tls_port, why))
        return val_attempt_fail(&http->attempt, PROBLEM_CONNECTION, "%s: GET %.*s redirects to \"%s\": %s",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url,
                                val_printable(bytes_text(location), to), why);
    if (is_loop(http))
        return val_attempt_fail(&http->attempt, PROBLEM_CONNECTION, "%s: the redirects lead back to %.*s",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url);
    return val_attempt_then(&http->attempt, locate, VAL_NEXT);
}

static struct bytes trimmed(const struct val_fetch *fetch)
{
    size_t len = fetch->body_len;
    while (len > 0 && strchr(" \t\r\n\v\f", fetch->body[len - 1]) != NULL && fetch->body[len - 1] != '\0')
        len--;
    return bytes_of(fetch->body, len);
}

/* gzip and zstd by their first bytes */
static const char *compression(struct bytes body)
{
    if (body.len >= 2 && memcmp(body.data, "\x1f\x8b", 2) == 0)
        return " (compressed with gzip, which was not asked for)";
    if (body.len >= 4 && memcmp(body.data, "\x28\xb5\x2f\xfd", 4) == 0)
        return " (compressed with zstd, which was not asked for)";
    return "";
}

static enum val_turn compare(struct http01 *http)
{
    char got[VAL_SHOWN_SIZE];
    const struct val_fetch *fetch = &http->fetch;
    struct bytes body = trimmed(fetch);
    val_printable(bytes_of(fetch->body, fetch->body_len), got);
    const char *expected = http->attempt.validation->key_authorization;
    if (fetch->status != 200)
        return val_attempt_fail(&http->attempt, PROBLEM_UNAUTHORIZED,
                                "%s: GET %.*s answered %ld \"%s\"; it should answer 200 with the key authorization",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url, fetch->status, got);
    if (fetch->body_over)
        return val_attempt_fail(&http->attempt, PROBLEM_UNAUTHORIZED,
                                "%s: GET %.*s answered 200 with more than %d bytes, \"%s\"; it should answer with the "
                                "key authorization only",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url, VAL_BODY_MAX_BYTES, got);
    if (!bytes_equal_text(body, expected))
        return val_attempt_fail(&http->attempt, PROBLEM_UNAUTHORIZED,
                                "%s: GET %.*s answered 200 with \"%s\"%s; it should answer with the key authorization "
                                "\"%.100s\"",
                                http->endpoint, SHOWN_URL_BYTES, http->target.url, got, compression(body), expected);
    return val_attempt_ok(&http->attempt);
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == STATUS_SEE_OTHER || status == 307 || status == 308;
}

static enum val_turn judge(struct val_attempt *attempt)
{
    struct http01 *http = of(attempt);
    if (attempt->timed_out)
        http->fetch.outcome = val_fetch_connected(&http->fetch) ? VAL_FETCH_SLOW : VAL_FETCH_NO_CONNECTION;
    trace_hop(http);
    if (http->fetch.outcome != VAL_FETCH_ANSWERED)
        return unanswered(http);
    return is_redirect(http->fetch.status) ? redirect(http) : compare(http);
}

static void drop(struct val_attempt *attempt)
{
    struct http01 *http = of(attempt);
    val_location_clear(&http->location);
    val_fetch_clear(&http->fetch);
}

const struct val_method val_http01 = { sizeof(struct http01), first, drop };
