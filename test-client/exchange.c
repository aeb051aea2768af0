#include "test-client/exchange.h"

#include <stdio.h>
#include <strings.h>

enum { CONTENT_TYPE_MAX = 256 };

const char *const tc_connections_names[TC_CONNECTIONS_KINDS + 1] = {
#define X(name, text) [TC_CONNECTIONS_##name] = text,
    TC_CONNECTIONS_TABLE(X)
#undef X
};

struct tc_exchange {
    CURL *curl;
    struct curl_slist *headers;
    bool plain; /* `headers` holds nothing but a content type, in its first line */
    struct tc_answer answer;
    char error[CURL_ERROR_SIZE];
};

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct tc_exchange *exchange = arg;
    tc_answer_take_header(&exchange->answer, bytes_of(data, size * count));
    return exchange->answer.headers.failed ? 0 : size * count;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct tc_exchange *exchange = arg;
    buf_append(&exchange->answer.body, data, size * count);
    return exchange->answer.body.failed ? 0 : size * count;
}

static bool set_options(struct tc_exchange *exchange, const struct tc_exchange_options *options)
{
    CURL *curl = exchange->curl;
    CURLcode failed = CURLE_OK;
    failed |= curl_easy_setopt(curl, CURLOPT_PRIVATE, exchange);
    failed |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, exchange->error);
    failed |= curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    failed |= curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    failed |= curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    failed |= curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    failed |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, options->protocols);
    failed |= curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    failed |= curl_easy_setopt(curl, CURLOPT_TIMEOUT, options->timeout_s);
    failed |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    failed |= curl_easy_setopt(curl, CURLOPT_PROXY, "");
    failed |= curl_easy_setopt(curl, CURLOPT_USERAGENT, "caraway-client/" CARAWAY_VERSION);
    if (options->connections != TC_CONNECTIONS_KEEP)
        failed |= curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    if (options->connections == TC_CONNECTIONS_NEW)
        failed |= curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    if (options->ca_file != NULL)
        failed |= curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    return failed == CURLE_OK;
}

struct tc_exchange *tc_exchange_create(const struct tc_exchange_options *options)
{
    AUTO(tc_exchange) exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->answer = TC_ANSWER_INIT;
    exchange->curl = curl_easy_init();
    if (exchange->curl == NULL || !set_options(exchange, options))
        return NULL;
    return TAKE(exchange);
}

void tc_exchange_drop(struct tc_exchange *exchange)
{
    if (exchange == NULL)
        return;
    curl_easy_cleanup(exchange->curl);
    curl_slist_free_all(exchange->headers);
    tc_answer_free(&exchange->answer);
    free(exchange);
}

static bool add_header(struct tc_exchange *exchange, const char *line)
{
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (longer != NULL)
        exchange->headers = longer;
    return longer != NULL;
}

static bool make_headers(struct tc_exchange *exchange, const struct tc_exchange_request *request, const char *first)
{
    curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(TAKE(exchange->headers));
    exchange->plain = false;
    TRY(add_header(exchange, first) && add_header(exchange, "Expect:"));
    for (const char *const *header = request->headers; header != NULL && *header != NULL; header++)
        TRY(add_header(exchange, *header));
    exchange->plain = request->headers == NULL;
    return curl_easy_setopt(exchange->curl, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

/* Most exchanges of a flow send the same headers as the one before. */
static bool set_headers(struct tc_exchange *exchange, const struct tc_exchange_request *request)
{
    char first[CONTENT_TYPE_MAX];
    int len = snprintf(first, sizeof first, "Content-Type:%s%s", request->content_type != NULL ? " " : "",
                       request->content_type != NULL ? request->content_type : "");
    TRY(len < (int)sizeof first);
    if (exchange->plain && request->headers == NULL && strcmp(exchange->headers->data, first) == 0)
        return true;
    return make_headers(exchange, request, first);
}

static bool set_method(struct tc_exchange *exchange, const struct tc_exchange_request *request)
{
    CURL *curl = exchange->curl;
    bool head = strcmp(request->method, "HEAD") == 0,
         body = request->body.len > 0 || strcmp(request->method, "POST") == 0;
    CURLcode failed = curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    failed |= curl_easy_setopt(curl, CURLOPT_NOBODY, head ? 1L : 0L);
    if (body) {
        failed |= curl_easy_setopt(curl, CURLOPT_POST, 1L);
        failed |= curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        failed |=
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.len > 0 ? (const char *)request->body.data : "");
    }
    failed |= curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, head ? NULL : request->method);
    return failed == CURLE_OK;
}

bool tc_exchange_prepare(struct tc_exchange *exchange, const struct tc_exchange_request *request)
{
    tc_answer_clear(&exchange->answer);
    exchange->error[0] = '\0';
    return set_method(exchange, request) && set_headers(exchange, request) &&
           curl_easy_setopt(exchange->curl, CURLOPT_URL, request->url) == CURLE_OK;
}

bool tc_exchange_finish(struct tc_exchange *exchange, CURLcode result, char why[static TC_WHY_SIZE])
{
    long status = 0;
    if (exchange->answer.body.failed)
        snprintf(why, TC_WHY_SIZE, "the answer is longer than %d bytes", TC_BODY_MAX);
    else if (exchange->answer.headers.failed)
        snprintf(why, TC_WHY_SIZE, "the answer's headers are longer than %d bytes", TC_HEADERS_MAX);
    else if (result != CURLE_OK)
        snprintf(why, TC_WHY_SIZE, "%s", exchange->error[0] != '\0' ? exchange->error : curl_easy_strerror(result));
    else
        curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    exchange->answer.status = (int)status;
    return status != 0;
}

bool tc_exchange_run(struct tc_exchange *exchange, const struct tc_exchange_request *request,
                     char why[static TC_WHY_SIZE])
{
    if (!tc_exchange_prepare(exchange, request)) {
        snprintf(why, TC_WHY_SIZE, "out of memory");
        return false;
    }
    return tc_exchange_finish(exchange, curl_easy_perform(exchange->curl), why);
}

const struct tc_answer *tc_exchange_answer(const struct tc_exchange *exchange)
{
    return &exchange->answer;
}

uint64_t tc_exchange_answered_us(const struct tc_exchange *exchange)
{
    curl_off_t sending_us = 0, total_us = 0;
    curl_easy_getinfo(exchange->curl, CURLINFO_PRETRANSFER_TIME_T, &sending_us);
    curl_easy_getinfo(exchange->curl, CURLINFO_TOTAL_TIME_T, &total_us);
    return total_us > sending_us ? (uint64_t)(total_us - sending_us) : 0;
}

CURL *tc_exchange_curl(struct tc_exchange *exchange)
{
    return exchange->curl;
}
