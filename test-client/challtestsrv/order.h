/* The orders of the management port: one row of the table a path, carried out by one function. They are those of
 * pebble-challtestsrv, whose scripts spell members as they like (Go's JSON allows it), and more. */
#pragma once

#include "test-client/challtestsrv/answers.h"

#include "base/json.h"

/* path, which server must be on, function, what it is about, members as --help shows them; "(…": it takes no body */
#define CTS_ENDPOINT_TABLE(X)                                                                                          \
    X("/set-default-ipv4", DNS, set_default_address, DNS_A, "ip")                                                      \
    X("/set-default-ipv6", DNS, set_default_address, DNS_AAAA, "ip")                                                   \
    X("/add-a", DNS, add_addresses, DNS_A, "host, addresses [, ttl]")                                                  \
    X("/add-aaaa", DNS, add_addresses, DNS_AAAA, "host, addresses [, ttl]")                                            \
    X("/add-caa", DNS, add_caa, DNS_CAA, "host, policies: {tag, value} [, ttl]")                                       \
    X("/add-mx", DNS, add_mx, DNS_MX, "host, exchanges: {preference, exchange} [, ttl]")                               \
    X("/add-srv", DNS, add_srv, DNS_SRV, "host, services: {priority, weight, port, target} [, ttl]")                   \
    X("/add-ns", DNS, add_targets, DNS_NS, "host, targets [, ttl]")                                                    \
    X("/add-ptr", DNS, add_targets, DNS_PTR, "host, targets [, ttl]")                                                  \
    X("/set-txt", DNS, add_txt, DNS_TXT, "host, value [, ttl]; adds to those that are there")                          \
    X("/set-cname", DNS, set_cname, DNS_CNAME, "host, target [, ttl]")                                                 \
    X("/set-soa", DNS, set_soa, DNS_SOA, "host, mname, rname [, serial, refresh, retry, expire, minimum, ttl]")        \
    X("/clear-a", DNS, clear_records, DNS_A, "host")                                                                   \
    X("/clear-aaaa", DNS, clear_records, DNS_AAAA, "host")                                                             \
    X("/clear-caa", DNS, clear_records, DNS_CAA, "host")                                                               \
    X("/clear-mx", DNS, clear_records, DNS_MX, "host")                                                                 \
    X("/clear-srv", DNS, clear_records, DNS_SRV, "host")                                                               \
    X("/clear-ns", DNS, clear_records, DNS_NS, "host")                                                                 \
    X("/clear-ptr", DNS, clear_records, DNS_PTR, "host")                                                               \
    X("/clear-txt", DNS, clear_records, DNS_TXT, "host")                                                               \
    X("/clear-cname", DNS, clear_records, DNS_CNAME, "host")                                                           \
    X("/clear-soa", DNS, clear_records, DNS_SOA, "host")                                                               \
    X("/set-servfail", DNS, set_trouble, MOCK_SERVFAIL, "host")                                                        \
    X("/clear-servfail", DNS, clear_trouble, MOCK_SERVFAIL, "host")                                                    \
    X("/set-nxdomain", DNS, set_trouble, MOCK_NXDOMAIN, "host")                                                        \
    X("/clear-nxdomain", DNS, clear_trouble, MOCK_NXDOMAIN, "host")                                                    \
    X("/sign-zone", DNS, sign_zone, 0, "host; answers with its DS record")                                             \
    X("/unsign-zone", DNS, unsign_zone, 0, "host")                                                                     \
    X("/set-bogus", DNS, set_bogus, MOCK_FLAW, "host [, how: signature, expired or missing]")                          \
    X("/clear-bogus", DNS, clear_trouble, MOCK_FLAW, "host")                                                           \
    X("/add-http01", HTTP, add_http01, 0, "token, content")                                                            \
    X("/del-http01", HTTP, del_http01, 0, "token")                                                                     \
    X("/add-redirect", HTTP, add_redirect, 0, "path, targetURL")                                                       \
    X("/del-redirect", HTTP, del_redirect, 0, "path")                                                                  \
    X("/add-tlsalpn01", TLS, add_tlsalpn01, 0, "host, content")                                                        \
    X("/del-tlsalpn01", TLS, del_tlsalpn01, 0, "host")                                                                 \
    X("/set-delay", ANY, set_delay, 0, "host, ms [, protocol: dns, http, https or tlsalpn]")                           \
    X("/set-failures", ANY, set_failures, 0, "host, count [, protocol]; that many are to come")                        \
    X("/http-request-history", ANY, show_history, CTS_EVENT_HTTP, "host; answers with a list")                         \
    X("/dns-request-history", ANY, show_history, CTS_EVENT_DNS, "host; answers with a list")                           \
    X("/tlsalpn01-request-history", ANY, show_history, CTS_EVENT_TLSALPN, "host; answers with a list")                 \
    X("/clear-request-history", ANY, clear_history, 0, "host, type: http, dns or tlsalpn")                             \
    X("/dump", ANY, dump, 0, "(no body); answers with all that was said")                                              \
    X("/reset", ANY, reset, 0, "(no body); back to what the flags say")

enum { CTS_ORDER_WHY_SIZE = 400, CTS_LIST_MAX = 256, CTS_RDATA_MAX = UINT16_MAX };

/* One order while it is carried out. */
struct cts_order {
    struct cts_answers *answers;
    int about; /* the row's: a dns_type, a mock_trouble, a cts_event */
    json_t *body;
    struct http_response *response;
    char why[CTS_ORDER_WHY_SIZE];
};

/* Members, or false with the order refused. */
bool cts_refuse(struct cts_order *order, const char *format, ...) PRINTF_LIKE(2, 3); /* always false */
json_t *cts_member(json_t *object, const char *name);
MUST_USE bool cts_text_member(struct cts_order *order, json_t *object, const char *name, const char **out);
MUST_USE bool cts_host_member(struct cts_order *order, const char **out); /* a DNS name */
MUST_USE bool cts_name_member(struct cts_order *order, json_t *object, const char *name, const char **out);
MUST_USE bool cts_list_member(struct cts_order *order, const char *name, json_t **out); /* 1 to CTS_LIST_MAX */
/* `otherwise` when it is absent; below 0: it must be there. */
MUST_USE bool cts_number_member(struct cts_order *order, json_t *object, const char *name, int64_t otherwise,
                                int64_t max, int64_t *out);

/* The functions of the table. */
#define X(path, group, function, about, members) bool cts_##function(struct cts_order *order);
CTS_ENDPOINT_TABLE(X)
#undef X
