#include "test-client/challtestsrv_api.h"

#include "base/json.h"
#include "test-client/dns_rdata.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

enum { ADDRESSES_MAX = 256, RDATA_MAX = UINT16_MAX, WHY_SIZE = 400 };

/* One order while it is carried out. */
struct order {
    const struct cts_answers *answers;
    enum dns_type type; /* what the path is about, for those that are about DNS records */
    json_t *body;
    char why[WHY_SIZE];
};

static bool refuse(struct order *order, const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(struct order *order, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(order->why, sizeof order->why, format, args);
    va_end(args);
    return false;
}

/* Scripts written for pebble-challtestsrv spell members as they like, as Go's JSON allows. */
static json_t *member(json_t *object, const char *name)
{
    const char *key;
    json_t *value, *found = NULL;
    json_object_foreach (object, key, value) {
        if (strcasecmp(key, name) == 0)
            found = value;
    }
    return found;
}

static bool text_member(struct order *order, json_t *object, const char *name, const char **out)
{
    const char *text = json_string_value(member(object, name));
    if (text == NULL || *text == '\0')
        return refuse(order, "\"%s\" must be a text that is not empty", name);
    *out = text;
    return true;
}

static bool host_member(struct order *order, const char **out)
{
    char canonical[DNS_NAME_SIZE];
    const char *host;
    TRY(text_member(order, order->body, "host", &host));
    if (!dns_name_canonical(host, canonical) || canonical[0] == '\0')
        return refuse(order, "\"host\" is no DNS name: \"%.200s\"", host);
    *out = host;
    return true;
}

static bool list_member(struct order *order, const char *name, json_t **out)
{
    json_t *list = member(order->body, name);
    if (json_array_size(list) == 0 || json_array_size(list) > ADDRESSES_MAX)
        return refuse(order, "\"%s\" must be a list of 1 to %d", name, ADDRESSES_MAX);
    *out = list;
    return true;
}

static bool add_record(struct order *order, const char *host, const struct buf *rdata)
{
    if (mock_zone_add(order->answers->zone, host, order->type, buf_bytes(rdata)))
        return true;
    return refuse(order, "there is no room for another record of \"%.200s\"", host);
}

static const char *family_of(const struct order *order)
{
    return order->type == DNS_A ? "IPv4" : "IPv6";
}

static bool read_address(struct order *order, const char *text, struct buf *out)
{
    if (text != NULL && dns_rdata_address(order->type, text, out))
        return true;
    return refuse(order, "\"%.100s\" is no %s address", text != NULL ? text : "", family_of(order));
}

static bool set_default_address(struct order *order)
{
    const char *text = json_string_value(member(order->body, "ip"));
    AUTO_BUF(rdata, RDATA_MAX);
    if (text == NULL)
        return refuse(order, "\"ip\" must be an %s address, or \"\" for none", family_of(order));
    if (*text != '\0')
        TRY(read_address(order, text, &rdata));
    if (mock_zone_set_default(order->answers->zone, order->type, buf_bytes(&rdata)))
        return true;
    return refuse(order, "out of memory");
}

/* All addresses are looked at before the first is added. */
static bool add_addresses(struct order *order)
{
    const char *host;
    json_t *addresses;
    TRY(host_member(order, &host) && list_member(order, "addresses", &addresses));
    for (int adding = 0; adding <= 1; adding++) {
        for (size_t i = 0; i < json_array_size(addresses); i++) {
            AUTO_BUF(rdata, RDATA_MAX);
            TRY(read_address(order, json_string_value(json_array_get(addresses, i)), &rdata));
            TRY(!adding || add_record(order, host, &rdata));
        }
    }
    return true;
}

static bool add_policies(struct order *order)
{
    const char *host, *tag, *value;
    json_t *policies;
    TRY(host_member(order, &host) && list_member(order, "policies", &policies));
    for (int adding = 0; adding <= 1; adding++) {
        for (size_t i = 0; i < json_array_size(policies); i++) {
            AUTO_BUF(rdata, RDATA_MAX);
            json_t *policy = json_array_get(policies, i);
            TRY(text_member(order, policy, "tag", &tag) && text_member(order, policy, "value", &value));
            if (!dns_rdata_caa(tag, value, &rdata))
                return refuse(order, "\"%.100s\" is no CAA tag: letters and digits, up to 255", tag);
            TRY(!adding || add_record(order, host, &rdata));
        }
    }
    return true;
}

static bool add_txt(struct order *order)
{
    const char *host, *value;
    TRY(host_member(order, &host) && text_member(order, order->body, "value", &value));
    AUTO_BUF(rdata, RDATA_MAX);
    if (!dns_rdata_txt(bytes_text(value), &rdata))
        return refuse(order, "\"value\" is too long for one record");
    return add_record(order, host, &rdata);
}

static bool set_cname(struct order *order)
{
    const char *host, *target;
    TRY(host_member(order, &host) && text_member(order, order->body, "target", &target));
    AUTO_BUF(rdata, RDATA_MAX);
    if (!dns_rdata_name(target, &rdata))
        return refuse(order, "\"target\" is no DNS name: \"%.200s\"", target);
    mock_zone_clear(order->answers->zone, host, DNS_CNAME);
    return add_record(order, host, &rdata);
}

static bool clear_records(struct order *order)
{
    const char *host;
    TRY(host_member(order, &host));
    mock_zone_clear(order->answers->zone, host, order->type);
    return true;
}

static bool change_servfail(struct order *order, bool servfail)
{
    const char *host;
    TRY(host_member(order, &host));
    if (mock_zone_set_trouble(order->answers->zone, host, MOCK_SERVFAIL, servfail))
        return true;
    return refuse(order, "there is no room for another name");
}

static bool set_servfail(struct order *order)
{
    return change_servfail(order, true);
}

static bool clear_servfail(struct order *order)
{
    return change_servfail(order, false);
}

static bool add_http01(struct order *order)
{
    const char *token, *content;
    TRY(text_member(order, order->body, "token", &token) && text_member(order, order->body, "content", &content));
    if (http01_put(order->answers->http, token, content))
        return true;
    return refuse(order, "there is no room for another answer");
}

static bool del_http01(struct order *order)
{
    const char *token;
    TRY(text_member(order, order->body, "token", &token));
    http01_remove(order->answers->http, token);
    return true;
}

static bool add_tlsalpn01(struct order *order)
{
    const char *host, *content;
    TRY(host_member(order, &host) && text_member(order, order->body, "content", &content));
    if (tls_alpn01_put(order->answers->tls, host, content))
        return true;
    return refuse(order, "there is no room for another answer");
}

static bool del_tlsalpn01(struct order *order)
{
    const char *host;
    TRY(host_member(order, &host));
    tls_alpn01_remove(order->answers->tls, host);
    return true;
}

enum group { GROUP_DNS, GROUP_HTTP, GROUP_TLS };

static const struct endpoint {
    const char *path;
    enum group group;
    bool (*carry_out)(struct order *order);
    enum dns_type type;
} endpoints[] = {
    { "/set-default-ipv4", GROUP_DNS, set_default_address, DNS_A },
    { "/set-default-ipv6", GROUP_DNS, set_default_address, DNS_AAAA },
    { "/add-a", GROUP_DNS, add_addresses, DNS_A },
    { "/add-aaaa", GROUP_DNS, add_addresses, DNS_AAAA },
    { "/add-caa", GROUP_DNS, add_policies, DNS_CAA },
    { "/set-txt", GROUP_DNS, add_txt, DNS_TXT },
    { "/set-cname", GROUP_DNS, set_cname, DNS_CNAME },
    { "/clear-a", GROUP_DNS, clear_records, DNS_A },
    { "/clear-aaaa", GROUP_DNS, clear_records, DNS_AAAA },
    { "/clear-caa", GROUP_DNS, clear_records, DNS_CAA },
    { "/clear-txt", GROUP_DNS, clear_records, DNS_TXT },
    { "/clear-cname", GROUP_DNS, clear_records, DNS_CNAME },
    { "/set-servfail", GROUP_DNS, set_servfail, 0 },
    { "/clear-servfail", GROUP_DNS, clear_servfail, 0 },
    { "/add-http01", GROUP_HTTP, add_http01, 0 },
    { "/del-http01", GROUP_HTTP, del_http01, 0 },
    { "/add-tlsalpn01", GROUP_TLS, add_tlsalpn01, 0 },
    { "/del-tlsalpn01", GROUP_TLS, del_tlsalpn01, 0 },
};

static const struct endpoint *find_endpoint(const struct cts_answers *answers, struct bytes path)
{
    const bool on[] = {
        [GROUP_DNS] = answers->zone != NULL,
        [GROUP_HTTP] = answers->http != NULL,
        [GROUP_TLS] = answers->tls != NULL,
    };
    for (size_t i = 0; i < ARRAY_SIZE(endpoints); i++) {
        if (bytes_equal_text(path, endpoints[i].path) && on[endpoints[i].group])
            return &endpoints[i];
    }
    return NULL;
}

static void say(struct http_response *response, int status, const char *why)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    buf_printf(response->body, "%s\n", why);
}

void cts_api_answer(void *owner, const struct http_request *request, struct http_response *response)
{
    const struct cts_answers *answers = owner;
    const struct endpoint *endpoint = find_endpoint(answers, request->path);
    if (endpoint == NULL) {
        say(response, 404, "no such path, or the server it is for is switched off");
        return;
    }
    char why[JSON_WHY_SIZE];
    AUTO_TYPE(json_t) body = json_read_object(request->body, why);
    if (body == NULL) {
        say(response, 400, request->body.len == 0 ? "the body is empty; a JSON object is expected" : why);
        return;
    }
    struct order order = { .answers = answers, .type = endpoint->type, .body = body };
    if (!endpoint->carry_out(&order))
        say(response, 400, order.why);
}
