#include "test-client/challtestsrv/answers.h"

#include "base/json.h"
#include "test-client/dns_rdata.h"
#include "test-client/tls_hello.h"

#include <stdio.h>
#include <strings.h>

enum { HISTORY_MAX_BYTES = 64 << 20, EVENT_MAX = 1 << 18, REDIRECTS_MAX = 65536, ASCII_END = 0x80 };

static bool is_on(const struct cts_flags *flags, enum cts_flag flag)
{
    return *flags->values[flag] != '\0';
}

static bool set_default(struct cts_answers *answers, enum dns_type type, enum cts_flag flag,
                        char why[static CTS_WHY_SIZE])
{
    const char *text = answers->flags->values[flag];
    AUTO_BUF(rdata, 16);
    if (*text == '\0')
        return true;
    if (dns_rdata_address(type, text, &rdata) && mock_zone_set_default(answers->zone, type, buf_bytes(&rdata)))
        return true;
    snprintf(why, CTS_WHY_SIZE, "-%s: \"%.100s\" is no %s address", cts_flag_text(flag), text,
             type == DNS_A ? "IPv4" : "IPv6");
    return false;
}

static bool sign_zones(struct cts_answers *answers, char why[static CTS_WHY_SIZE])
{
    AUTO_TYPE(char) list = strdup(answers->flags->values[CTS_SIGNED_ZONES]);
    char *rest;
    snprintf(why, CTS_WHY_SIZE, "out of memory");
    TRY(list != NULL);
    for (char *name = strtok_r(list, ", ", &rest); name != NULL; name = strtok_r(NULL, ", ", &rest)) {
        snprintf(why, CTS_WHY_SIZE, "-%s: \"%.200s\" is no DNS name", cts_flag_text(CTS_SIGNED_ZONES), name);
        TRY(mock_zone_sign(answers->zone, name));
    }
    return true;
}

static bool begin_zone(struct cts_answers *answers, char why[static CTS_WHY_SIZE])
{
    return answers->zone == NULL || (set_default(answers, DNS_A, CTS_DEFAULT_IPV4, why) &&
                                     set_default(answers, DNS_AAAA, CTS_DEFAULT_IPV6, why) && sign_zones(answers, why));
}

static bool watch_hello(void *owner, const struct tls_alpn01_hello *hello);

static bool create(struct cts_answers *answers)
{
    const struct cts_flags *flags = answers->flags;
    answers->history = cts_history_create(HISTORY_MAX_BYTES);
    answers->faults = cts_faults_create();
    TRY(answers->history != NULL && answers->faults != NULL);
    if (is_on(flags, CTS_DNSSERVER) || is_on(flags, CTS_DOH)) {
        answers->zone = mock_zone_create();
        TRY(answers->zone != NULL);
    }
    if (is_on(flags, CTS_HTTP01) || is_on(flags, CTS_HTTPS01)) {
        answers->http = http01_create(200); /* any other path is a page, if an empty one */
        answers->redirects = text_map_create(REDIRECTS_MAX, free);
        TRY(answers->http != NULL && answers->redirects != NULL);
    }
    if (is_on(flags, CTS_TLSALPN01)) {
        answers->tls = tls_alpn01_create();
        TRY(answers->tls != NULL);
        tls_alpn01_set_watch(answers->tls, watch_hello, answers);
    }
    return true;
}

bool cts_answers_init(struct cts_answers *answers, const struct cts_flags *flags, char why[static CTS_WHY_SIZE])
{
    *answers = (struct cts_answers) { .flags = flags };
    snprintf(why, CTS_WHY_SIZE, "out of memory");
    if (create(answers) && begin_zone(answers, why))
        return true;
    cts_answers_clear(answers);
    return false;
}

void cts_answers_clear(struct cts_answers *answers)
{
    mock_zone_drop(answers->zone);
    http01_drop(answers->http);
    text_map_drop(answers->redirects);
    tls_alpn01_drop(answers->tls);
    cts_history_drop(answers->history);
    cts_faults_drop(answers->faults);
    *answers = (struct cts_answers) { 0 };
}

bool cts_answers_reset(struct cts_answers *answers)
{
    char why[CTS_WHY_SIZE];
    cts_history_reset(answers->history);
    cts_faults_reset(answers->faults);
    if (answers->tls != NULL)
        tls_alpn01_clear(answers->tls);
    if (answers->http != NULL) {
        http01_clear(answers->http);
        text_map_clear(answers->redirects);
    }
    if (answers->zone != NULL)
        mock_zone_reset(answers->zone);
    return begin_zone(answers, why);
}

/* ---- histories */

/* What a client sent may be no UTF-8, which JSON must be: then what is not ASCII is shown as U+FFFD. */
static void out_foreign(struct json_out *json, const char *key, struct bytes text)
{
    AUTO_BUF(shown, EVENT_MAX);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < ASCII_END)
            buf_char(&shown, (char)text.data[i]);
        else
            buf_text(&shown, "\xef\xbf\xbd");
    }
    json_out_bytes(json, key, buf_bytes(&shown));
}

static void record(struct cts_answers *answers, enum cts_event kind, const char *host, const struct buf *json)
{
    if (!json->failed)
        cts_history_add(answers->history, kind, host, buf_bytes(json));
}

static void record_http(struct cts_answers *answers, const char *host, const struct http_request *request)
{
    AUTO_BUF(text, EVENT_MAX);
    AUTO_BUF(url, EVENT_MAX);
    struct json_out json = JSON_OUT(&text, 0);
    buf_append(&url, request->path.data, request->path.len);
    if (request->query.len > 0) {
        buf_char(&url, '?');
        buf_append(&url, request->query.data, request->query.len);
    }
    json_out_object(&json, NULL);
    out_foreign(&json, "URL", buf_bytes(&url));
    out_foreign(&json, "Host", request->host);
    json_out_bool(&json, "HTTPS", request->tls);
    out_foreign(&json, "ServerName", bytes_text(request->server_name != NULL ? request->server_name : ""));
    out_foreign(&json, "UserAgent", request->user_agent);
    json_out_end_object(&json);
    record(answers, CTS_EVENT_HTTP, host, &text);
}

static void record_dns(struct cts_answers *answers, const char *host, const struct dns_question *question,
                       struct bytes user_agent)
{
    AUTO_BUF(text, EVENT_MAX);
    AUTO_BUF(name, DNS_NAME_SIZE + 1);
    struct json_out json = JSON_OUT(&text, 0);
    buf_printf(&name, "%s.", question->name);
    json_out_object(&json, NULL);
    json_out_object(&json, "Question");
    json_out_text(&json, "Name", buf_str(&name));
    json_out_int(&json, "Qtype", question->type);
    json_out_int(&json, "Qclass", question->klass);
    json_out_end_object(&json);
    out_foreign(&json, "UserAgent", user_agent);
    json_out_end_object(&json);
    record(answers, CTS_EVENT_DNS, host, &text);
}

static void record_hello(struct cts_answers *answers, const char *host, const struct tls_alpn01_hello *hello)
{
    AUTO_BUF(text, EVENT_MAX);
    struct json_out json = JSON_OUT(&text, 0);
    struct bytes list = hello->protocols, protocol;
    json_out_object(&json, NULL);
    out_foreign(&json, "ServerName", hello->server_name);
    json_out_array(&json, "SupportedProtos");
    while (tls_hello_next_protocol(&list, &protocol))
        out_foreign(&json, NULL, protocol);
    json_out_end_array(&json);
    json_out_end_object(&json);
    record(answers, CTS_EVENT_TLSALPN, host, &text);
}

/* ---- HTTP */

/* The one that stands for this path; NULL: none, or there is TLS, for which the original has none either. */
static const char *redirect_of(const struct cts_answers *answers, const struct http_request *request)
{
    return request->tls ? NULL : text_map_get(answers->redirects, request->path);
}

void cts_answer_http(void *owner, const struct http_request *request, struct http_response *response)
{
    struct cts_answers *answers = owner;
    char host[DNS_NAME_SIZE];
    cts_host_key(cts_host_without_port(request->host), host);
    record_http(answers, host, request);
    struct cts_fault fault =
        cts_faults_meet(answers->faults, host, request->tls ? CTS_PROTOCOL_HTTPS : CTS_PROTOCOL_HTTP);
    response->delay_ms = fault.delay_ms;
    if (fault.failures > 0) {
        response->status = 500;
        return;
    }
    response->location = redirect_of(answers, request);
    if (response->location != NULL)
        response->status = 302;
    else
        http01_answer(answers->http, request, response);
}

/* ---- DNS */

static unsigned answer_query(struct cts_answers *answers, struct bytes message, enum dns_transport transport,
                             struct bytes user_agent, struct buf *out)
{
    struct dns_query query;
    char host[DNS_NAME_SIZE];
    if (!dns_query_parse(message, &query) || query.rcode != DNS_NOERROR) {
        mock_zone_answer(answers->zone, message, transport, out);
        return 0;
    }
    CHECK(dns_name_canonical(query.question.name, host));
    record_dns(answers, host, &query.question, user_agent);
    struct cts_fault fault = cts_faults_meet(answers->faults, host, CTS_PROTOCOL_DNS);
    if (fault.failures > 0)
        mock_zone_refuse(message, DNS_SERVFAIL, out);
    else
        mock_zone_answer(answers->zone, message, transport, out);
    return fault.delay_ms;
}

unsigned cts_answer_dns(void *answers, struct bytes query, enum dns_transport transport, struct buf *out)
{
    return answer_query(answers, query, transport, bytes_of(NULL, 0), out);
}

/* RFC 8484 §4.1, of which POST is served. A sender that names no type is taken at its word. */
void cts_answer_doh(void *answers, const struct http_request *request, struct http_response *response)
{
    static const char type[] = "application/dns-message";
    bool other_type = request->content_type.len != 0 &&
                      (request->content_type.len != sizeof type - 1 ||
                       strncasecmp((const char *)request->content_type.data, type, sizeof type - 1) != 0);
    if (!bytes_equal_text(request->method, "POST")) {
        response->status = 405;
        return;
    }
    if (other_type) {
        response->status = 415;
        return;
    }
    response->delay_ms = answer_query(answers, request->body, DNS_OVER_STREAM, request->user_agent, response->body);
    response->content_type = type;
    if (response->body->len > 0)
        return;
    response->status = 400;
    response->content_type = NULL;
}

/* ---- tls-alpn-01 */

static bool watch_hello(void *owner, const struct tls_alpn01_hello *hello)
{
    struct cts_answers *answers = owner;
    char host[DNS_NAME_SIZE];
    cts_host_key(hello->server_name, host);
    record_hello(answers, host, hello);
    struct cts_fault fault = cts_faults_meet(answers->faults, host, CTS_PROTOCOL_TLSALPN);
    tls_stream_delay(hello->ssl, fault.delay_ms);
    return fault.failures == 0;
}
