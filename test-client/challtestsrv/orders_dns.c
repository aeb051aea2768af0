/* Orders about records. */
#include "test-client/challtestsrv/order.h"
#include "test-client/dns_rdata.h"

enum { TTL_MAX = INT32_MAX, SOA_REFRESH_S = 3600, SOA_RETRY_S = 600, SOA_EXPIRE_S = 86400 };

/* Makes the data of one record out of one element of an order's list. */
typedef bool read_element(struct cts_order *order, json_t *element, struct buf *out);

static bool add_record(struct cts_order *order, const char *host, const struct buf *rdata)
{
    if (mock_zone_add(order->answers->zone, host, (enum dns_type)order->about, buf_bytes(rdata)))
        return true;
    return cts_refuse(order, "there is no room for another record of \"%.200s\"", host);
}

static bool read_ttl(struct cts_order *order, int64_t *out)
{
    return cts_number_member(order, order->body, "ttl", 0, TTL_MAX, out);
}

/* A TTL is of all records of that name and type. */
static void set_ttl(const struct cts_order *order, const char *host, int64_t ttl)
{
    if (cts_member(order->body, "ttl") != NULL)
        mock_zone_set_ttl(order->answers->zone, host, (enum dns_type)order->about, (uint32_t)ttl);
}

/* All elements are looked at before the first is added. */
static bool add_list(struct cts_order *order, const char *name, read_element *read)
{
    const char *host;
    json_t *list;
    int64_t ttl;
    TRY(cts_host_member(order, &host) && cts_list_member(order, name, &list) && read_ttl(order, &ttl));
    for (int adding = 0; adding <= 1; adding++) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            AUTO_BUF(rdata, CTS_RDATA_MAX);
            TRY(read(order, json_array_get(list, i), &rdata));
            TRY(!adding || add_record(order, host, &rdata));
        }
    }
    set_ttl(order, host, ttl);
    return true;
}

static bool add_one(struct cts_order *order, const struct buf *rdata)
{
    const char *host;
    int64_t ttl;
    TRY(cts_host_member(order, &host) && read_ttl(order, &ttl) && add_record(order, host, rdata));
    set_ttl(order, host, ttl);
    return true;
}

static const char *family_of(const struct cts_order *order)
{
    return order->about == DNS_A ? "IPv4" : "IPv6";
}

static bool read_address_text(struct cts_order *order, const char *text, struct buf *out)
{
    if (text != NULL && dns_rdata_address((enum dns_type)order->about, text, out))
        return true;
    return cts_refuse(order, "\"%.100s\" is no %s address", text != NULL ? text : "", family_of(order));
}

static bool read_address(struct cts_order *order, json_t *element, struct buf *out)
{
    return read_address_text(order, json_string_value(element), out);
}

bool cts_set_default_address(struct cts_order *order)
{
    const char *text = json_string_value(cts_member(order->body, "ip"));
    AUTO_BUF(rdata, CTS_RDATA_MAX);
    if (text == NULL)
        return cts_refuse(order, "\"ip\" must be an %s address, or \"\" for none", family_of(order));
    if (*text != '\0')
        TRY(read_address_text(order, text, &rdata));
    if (mock_zone_set_default(order->answers->zone, (enum dns_type)order->about, buf_bytes(&rdata)))
        return true;
    return cts_refuse(order, "out of memory");
}

bool cts_add_addresses(struct cts_order *order)
{
    return add_list(order, "addresses", read_address);
}

static bool read_policy(struct cts_order *order, json_t *policy, struct buf *out)
{
    const char *tag, *value;
    TRY(cts_text_member(order, policy, "tag", &tag) && cts_text_member(order, policy, "value", &value));
    if (dns_rdata_caa(tag, value, out))
        return true;
    return cts_refuse(order, "\"%.100s\" is no CAA tag: letters and digits, up to 255", tag);
}

bool cts_add_caa(struct cts_order *order)
{
    return add_list(order, "policies", read_policy);
}

static bool read_exchange(struct cts_order *order, json_t *element, struct buf *out)
{
    int64_t preference;
    const char *exchange;
    TRY(cts_number_member(order, element, "preference", 0, UINT16_MAX, &preference) &&
        cts_name_member(order, element, "exchange", &exchange));
    return dns_rdata_mx((uint16_t)preference, exchange, out);
}

bool cts_add_mx(struct cts_order *order)
{
    return add_list(order, "exchanges", read_exchange);
}

static bool read_service(struct cts_order *order, json_t *element, struct buf *out)
{
    int64_t priority, weight, port;
    struct dns_srv srv;
    TRY(cts_number_member(order, element, "priority", 0, UINT16_MAX, &priority) &&
        cts_number_member(order, element, "weight", 0, UINT16_MAX, &weight) &&
        cts_number_member(order, element, "port", -1, UINT16_MAX, &port) &&
        cts_name_member(order, element, "target", &srv.target));
    srv.priority = (uint16_t)priority;
    srv.weight = (uint16_t)weight;
    srv.port = (uint16_t)port;
    return dns_rdata_srv(&srv, out);
}

bool cts_add_srv(struct cts_order *order)
{
    return add_list(order, "services", read_service);
}

static bool read_target(struct cts_order *order, json_t *element, struct buf *out)
{
    const char *target = json_string_value(element);
    if (target != NULL && *target != '\0' && dns_rdata_name(target, out))
        return true;
    return cts_refuse(order, "\"%.200s\" is no DNS name", target != NULL ? target : "");
}

bool cts_add_targets(struct cts_order *order)
{
    return add_list(order, "targets", read_target);
}

bool cts_add_txt(struct cts_order *order)
{
    const char *host, *value;
    TRY(cts_host_member(order, &host) && cts_text_member(order, order->body, "value", &value));
    AUTO_BUF(rdata, CTS_RDATA_MAX);
    if (!dns_rdata_txt(bytes_text(value), &rdata))
        return cts_refuse(order, "\"value\" is too long for one record");
    return add_one(order, &rdata);
}

bool cts_set_cname(struct cts_order *order)
{
    const char *host, *target;
    int64_t ttl;
    TRY(cts_host_member(order, &host) && cts_name_member(order, order->body, "target", &target) &&
        read_ttl(order, &ttl));
    AUTO_BUF(rdata, CTS_RDATA_MAX);
    TRY(dns_rdata_name(target, &rdata));
    mock_zone_clear(order->answers->zone, host, DNS_CNAME);
    return add_one(order, &rdata);
}

static bool read_soa(struct cts_order *order, struct dns_soa *out)
{
    struct {
        const char *name;
        uint32_t *place;
        int64_t otherwise;
    } numbers[] = {
        { "serial", &out->serial, 1 },         { "refresh", &out->refresh, SOA_REFRESH_S },
        { "retry", &out->retry, SOA_RETRY_S }, { "expire", &out->expire, SOA_EXPIRE_S },
        { "minimum", &out->minimum, 0 },
    };
    TRY(cts_name_member(order, order->body, "mname", &out->mname) &&
        cts_name_member(order, order->body, "rname", &out->rname));
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        int64_t value;
        TRY(cts_number_member(order, order->body, numbers[i].name, numbers[i].otherwise, UINT32_MAX, &value));
        *numbers[i].place = (uint32_t)value;
    }
    return true;
}

bool cts_set_soa(struct cts_order *order)
{
    const char *host;
    struct dns_soa soa;
    int64_t ttl;
    TRY(cts_host_member(order, &host) && read_soa(order, &soa) && read_ttl(order, &ttl));
    AUTO_BUF(rdata, CTS_RDATA_MAX);
    TRY(dns_rdata_soa(&soa, &rdata));
    mock_zone_clear(order->answers->zone, host, DNS_SOA);
    return add_one(order, &rdata);
}

bool cts_clear_records(struct cts_order *order)
{
    const char *host;
    TRY(cts_host_member(order, &host));
    mock_zone_clear(order->answers->zone, host, (enum dns_type)order->about);
    return true;
}
