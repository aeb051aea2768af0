/* Orders about what goes wrong, what was asked, and everything at once. */
#include "test-client/challtestsrv/dump.h"
#include "test-client/challtestsrv/order.h"

static bool change_trouble(struct cts_order *order, unsigned value)
{
    const char *host;
    TRY(cts_host_member(order, &host));
    if (mock_zone_set_trouble(order->answers->zone, host, (enum mock_trouble)order->about, value))
        return true;
    return cts_refuse(order, "there is no room for another name");
}

bool cts_set_trouble(struct cts_order *order)
{
    return change_trouble(order, true);
}

bool cts_clear_trouble(struct cts_order *order)
{
    return change_trouble(order, 0);
}

bool cts_set_bogus(struct cts_order *order)
{
    const char *how = "signature";
    enum dns_flaw flaw;
    if (cts_member(order->body, "how") != NULL)
        TRY(cts_text_member(order, order->body, "how", &how));
    if (!dns_flaw_from_text(how, &flaw) || flaw == DNS_FLAW_NONE)
        return cts_refuse(order, "\"how\" must be \"signature\", \"expired\" or \"missing\"");
    return change_trouble(order, flaw);
}

/* The root, too, can be signed. */
bool cts_sign_zone(struct cts_order *order)
{
    const char *host;
    TRY(cts_name_member(order, order->body, "host", &host));
    AUTO_BUF(anchor, CTS_RDATA_MAX);
    if (!mock_zone_sign(order->answers->zone, host) || !mock_zone_trust_anchor(order->answers->zone, host, &anchor))
        return cts_refuse(order, "there is no room for another signed zone");
    struct json_out json = JSON_OUT(order->response->body, 0);
    json_out_object(&json, NULL);
    json_out_text(&json, "ds", buf_str(&anchor));
    json_out_end_object(&json);
    order->response->content_type = "application/json";
    return true;
}

bool cts_unsign_zone(struct cts_order *order)
{
    const char *host;
    TRY(cts_name_member(order, order->body, "host", &host));
    mock_zone_unsign(order->answers->zone, host);
    return true;
}

/* Any host, an IP address as well; a name in its canonical spelling. */
static bool key_member(struct cts_order *order, char out[static DNS_NAME_SIZE])
{
    const char *host;
    TRY(cts_text_member(order, order->body, "host", &host));
    if (strlen(host) > DNS_NAME_WIRE_MAX)
        return cts_refuse(order, "\"host\" is too long");
    cts_host_key(bytes_text(host), out);
    return true;
}

/* From the first to the last protocol that is meant. */
static bool read_protocols(struct cts_order *order, enum cts_protocol *out_first, enum cts_protocol *out_last)
{
    const char *text;
    *out_first = 0;
    *out_last = CTS_PROTOCOLS - 1;
    if (cts_member(order->body, "protocol") == NULL)
        return true;
    TRY(cts_text_member(order, order->body, "protocol", &text));
    if (!cts_protocol_from_text(text, out_first))
        return cts_refuse(order, "\"protocol\" must be \"dns\", \"http\", \"https\" or \"tlsalpn\"");
    *out_last = *out_first;
    return true;
}

static bool change_fault(struct cts_order *order, const char *name, int64_t max, size_t offset)
{
    char host[DNS_NAME_SIZE];
    int64_t value;
    enum cts_protocol first, last;
    TRY(key_member(order, host) && cts_number_member(order, order->body, name, -1, max, &value) &&
        read_protocols(order, &first, &last));
    for (enum cts_protocol protocol = first; protocol <= last; protocol++) {
        struct cts_fault *fault = cts_faults_of(order->answers->faults, host, protocol);
        if (fault == NULL)
            return cts_refuse(order, "there is no room for another host");
        *(unsigned *)((char *)fault + offset) = (unsigned)value;
    }
    return true;
}

bool cts_set_delay(struct cts_order *order)
{
    return change_fault(order, "ms", CTS_DELAY_MAX_MS, offsetof(struct cts_fault, delay_ms));
}

bool cts_set_failures(struct cts_order *order)
{
    return change_fault(order, "count", CTS_FAILURES_MAX, offsetof(struct cts_fault, failures));
}

bool cts_show_history(struct cts_order *order)
{
    char host[DNS_NAME_SIZE];
    TRY(key_member(order, host));
    cts_history_write(order->answers->history, (enum cts_event)order->about, host, order->response->body);
    order->response->content_type = "application/json";
    if (!order->response->body->failed)
        return true;
    return cts_refuse(order, "there is too much to tell");
}

bool cts_clear_history(struct cts_order *order)
{
    char host[DNS_NAME_SIZE];
    const char *type;
    enum cts_event kind;
    TRY(key_member(order, host) && cts_text_member(order, order->body, "type", &type));
    if (!cts_event_from_text(type, &kind))
        return cts_refuse(order, "\"type\" must be \"http\", \"dns\" or \"tlsalpn\"");
    cts_history_clear(order->answers->history, kind, host);
    return true;
}

bool cts_dump(struct cts_order *order)
{
    order->response->content_type = "application/json";
    if (cts_dump_write(order->answers, order->response->body))
        return true;
    return cts_refuse(order, "there is too much to tell");
}

bool cts_reset(struct cts_order *order)
{
    return cts_answers_reset(order->answers) || cts_refuse(order, "out of memory");
}
