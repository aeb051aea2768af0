/* RFC 8738: IP identifiers. The address is the one where challenges are answered. */
#include "test-client/conformance/check.h"

#include <openssl/x509v3.h>

static const char *address(const struct cf *cf)
{
    return cf->settings->address;
}

static bool order_address(struct cf *cf, struct tc_session *session, struct cf_order *out)
{
    const char *const names[] = { address(cf), NULL };
    TRY(cf_call(cf, session, cf_resource(cf, "newOrder"), cf_order_payload(cf, names, NULL)));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, "unsupportedIdentifier|rejectedIdentifier|malformed") &&
               cf_skip(cf, "the server does not issue for IP addresses, or not for this one");
    return cf_order_names(cf, session, names, NULL, out);
}

/* Does the server have IP identifiers at all? */
static bool has_addresses(struct cf *cf)
{
    struct cf_order order;
    return order_address(cf, cf->first, &order);
}

static bool ordered(struct cf *cf)
{
    struct cf_order order;
    TRY(order_address(cf, cf->first, &order));
    const json_t *identifier = json_array_get(json_object_get(cf->body, "identifiers"), 0);
    const char *type = json_member_text(identifier, "type"), *value = json_member_text(identifier, "value");
    return (type != NULL && value != NULL && strcmp(type, "ip") == 0 && strcmp(value, address(cf)) == 0) ||
           cf_fail(cf, "the order's identifier is not the address with type \"ip\"");
}

static bool authorization(struct cf *cf)
{
    struct cf_order order;
    TRY(order_address(cf, cf->first, &order) && cf_call(cf, cf->first, order.authorizations[0], NULL));
    const json_t *identifier = json_object_get(cf->body, "identifier");
    const char *type = json_member_text(identifier, "type"), *value = json_member_text(identifier, "value");
    return (type != NULL && value != NULL && strcmp(type, "ip") == 0 && strcmp(value, address(cf)) == 0) ||
           cf_fail(cf, "the authorization's identifier is not the address with type \"ip\"");
}

/* A fresh account has no valid authorization yet. */
static bool fresh_challenge(struct cf *cf, const char *type, struct cf_order *order, struct cf_challenge *out)
{
    struct tc_session *session;
    TRY(cf_account(cf, &session) && order_address(cf, session, order));
    return cf_challenge(cf, session, order->authorizations[0], type, out);
}

static bool no_dns(struct cf *cf)
{
    struct tc_session *session;
    struct cf_order order;
    size_t i;
    json_t *challenge;
    TRY(cf_account(cf, &session) && order_address(cf, session, &order));
    TRY(cf_call(cf, session, order.authorizations[0], NULL) && cf_expect(cf, 200));
    json_array_foreach (json_object_get(cf->body, "challenges"), i, challenge) {
        const char *type = json_member_text(challenge, "type");
        if (type != NULL && strncmp(type, "dns-", 4) == 0)
            return cf_fail(cf, "%.40s is offered for an address", type);
    }
    return true;
}

static bool proved_by(struct cf *cf, const char *type)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(fresh_challenge(cf, type, &order, &challenge));
    TRY(cf_prover_can(cf->prover, challenge.type) || cf_skip(cf, "%s cannot be answered from here", type));
    TRY(cf_prover_answer(cf->prover, challenge.type, challenge.name, challenge.token, challenge.key_authorization) ||
        cf_skip(cf, "such an answer cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "valid");
}

static bool proved(struct cf *cf)
{
    return proved_by(cf, cf->check->text);
}

enum flaw { REVERSE_NAME, OTHER_ADDRESS, AS_TEXT };

static bool alpn_flawed(struct cf *cf)
{
    static const char *const names[] = {
        [REVERSE_NAME] = "DNS:1.0.0.127.in-addr.arpa", [OTHER_ADDRESS] = "IP:192.0.2.7", [AS_TEXT] = "DNS:127.0.0.1"
    };
    struct cf_order order;
    struct cf_challenge challenge;
    struct tls_alpn01_flaws flaws = { .names = names[cf->check->arg] };
    TRY(fresh_challenge(cf, "tls-alpn-01", &order, &challenge));
    TRY(cf_prover_flawed(cf->prover, challenge.name, challenge.key_authorization, &flaws) ||
        cf_skip(cf, "such an answer cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool refused_address(struct cf *cf)
{
    TRY(has_addresses(cf));
    const char *payload = cf_print(cf, "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"%s\"}]}", cf->check->text);
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload) && cf_refused(cf, 0, NULL);
}

/* Refused, or put into the one form that RFC 5952 has for it. */
static bool canonical(struct cf *cf)
{
    TRY(has_addresses(cf));
    const char *payload = cf_print(cf, "{\"identifiers\":[{\"type\":\"ip\",\"value\":\"%s\"}]}", cf->check->text);
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, NULL);
    const json_t *identifier = json_array_get(json_object_get(cf->body, "identifiers"), 0);
    const char *value = json_member_text(identifier, "value");
    return (value != NULL && strcmp(value, cf->check->text) != 0) ||
           cf_fail(cf, "the order has an address that is not in the form of RFC 5952");
}

static bool issue_address(struct cf *cf, struct cf_certificate *out)
{
    TRY(has_addresses(cf));
    return cf_issue(cf, cf->first, (const char *const[]) { address(cf), NULL }, NULL, out);
}

static bool in_certificate(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(issue_address(cf, &issued));
    GENERAL_NAMES *list = X509_get_ext_d2i(issued.leaf, NID_subject_alt_name, NULL, NULL);
    int count = list != NULL ? sk_GENERAL_NAME_num(list) : 0;
    bool as_address = count == 1 && sk_GENERAL_NAME_value(list, 0)->type == GEN_IPADD;
    GENERAL_NAMES_free(list);
    if (!as_address)
        return cf_fail(cf, "the certificate has not one iPAddress as its subjectAltName");
    return X509_check_ip_asc(issued.leaf, address(cf), 0) == 1 || cf_fail(cf, "the certificate is for another address");
}

static bool with_name(struct cf *cf)
{
    struct cf_certificate issued;
    const char *const names[] = { cf_name(cf), address(cf), NULL };
    TRY(has_addresses(cf) && cf_issue(cf, cf->first, names, NULL, &issued));
    return (X509_check_ip_asc(issued.leaf, names[1], 0) == 1 &&
            X509_check_host(issued.leaf, names[0], 0, 0, NULL) == 1) ||
           cf_fail(cf, "the certificate is not for the name and the address");
}

static bool wrong_csr(struct cf *cf)
{
    struct cf_order order;
    TRY(order_address(cf, cf->first, &order) && cf_authorize(cf, &order));
    return cf_finalize(cf, &order, cf_csr_for(cf, cf_key(cf, TC_KEY_P256), cf->check->text)) && cf_refused(cf, 0, NULL);
}

static const struct cf_check ip_checks[] = {
    { "8738/3.ordered", "[8738-3-1] [8738-3-2]", "An order for an address has an identifier of type ip.", ordered,
      CF_FIRST },
    { "8738/3.authorization", "[8738-3-1]", "Its authorization has that identifier.", authorization, CF_FIRST },
    { "8738/3.leading-zero", "[8738-3-2]", "127.0.0.01 is refused.", refused_address, CF_FIRST, .text = "127.0.0.01" },
    { "8738/3.short", "[8738-3-2]", "127.1 is refused.", refused_address, CF_FIRST, .text = "127.1" },
    { "8738/3.hexadecimal", "[8738-3-2]", "0x7f000001 is refused.", refused_address, CF_FIRST, .text = "0x7f000001" },
    { "8738/3.too-big", "[8738-3-2]", "127.0.0.256 is refused.", refused_address, CF_FIRST, .text = "127.0.0.256" },
    { "8738/3.with-bits", "[8738-3-2]", "A network is refused.", refused_address, CF_FIRST, .text = "127.0.0.1/32" },
    { "8738/3.with-port", "[8738-3-2]", "An address with a port is refused.", refused_address, CF_FIRST,
      .text = "127.0.0.1:80" },
    { "8738/3.brackets", "[8738-3-3]", "An IPv6 address in brackets is refused.", refused_address, CF_FIRST,
      .text = "[2001:db8::1]" },
    { "8738/3.zone", "[8738-3-3]", "An IPv6 address with a zone is refused.", refused_address, CF_FIRST,
      .text = "fe80::1%eth0" },
    { "8738/3.name", "[8738-3-1]", "A DNS name with type ip is refused.", refused_address, CF_FIRST,
      .text = "a.example.test" },
    { "8738/3.wildcard", "[8738-3-1]", "A wildcard with type ip is refused.", refused_address, CF_FIRST,
      .text = "*.127.0.0.1" },
    { "8738/3.long-form", "[8738-3-3]", "An IPv6 address in full length is refused or shortened.", canonical, CF_FIRST,
      .text = "0:0:0:0:0:0:0:1" },
    { "8738/3.capitals", "[8738-3-3]", "An IPv6 address in capitals is refused or put into small letters.", canonical,
      CF_FIRST, .text = "2001:DB8::1" },
    { "8738/3.zeros", "[8738-3-3]", "An IPv6 address with leading zeros is refused or put right.", canonical, CF_FIRST,
      .text = "2001:0db8::0001" },
    { "8738/7.no-dns", "[8738-7-1]", "No challenge by DNS is offered for an address.", no_dns, CF_FIRST },
    { "8738/5.http-01", "[8738-4-2]", "http-01 proves an address.", proved, CF_FIRST, .text = "http-01" },
    { "8738/6.tls-alpn-01", "[8738-4-2] [8738-6-1] [8738-6-2]",
      "tls-alpn-01 proves an address, asked for by its reverse name.", proved, CF_FIRST, .text = "tls-alpn-01" },
    { "8738/6.reverse-name", "[8738-6-1]", "tls-alpn-01 fails with the reverse name in the certificate.", alpn_flawed,
      CF_FIRST, REVERSE_NAME },
    { "8738/6.other-address", "[8738-6-1]", "tls-alpn-01 fails with another address.", alpn_flawed, CF_FIRST,
      OTHER_ADDRESS },
    { "8738/6.as-text", "[8738-6-1]", "tls-alpn-01 fails with the address as a DNS name.", alpn_flawed, CF_FIRST,
      AS_TEXT },
    { "8738/3.certificate", "", "The certificate has the address as iPAddress.", in_certificate, CF_FIRST },
    { "8738/3.with-name", "", "One certificate can have a name and an address.", with_name, CF_FIRST },
    { "8738/3.csr-with-name", "[8555-7.4-6]", "A CSR with a name instead of the address is refused.", wrong_csr,
      CF_FIRST, .text = "a.example.test" },
    { "8738/3.csr-other-address", "[8555-7.4-6]", "A CSR with another address is refused.", wrong_csr, CF_FIRST,
      .text = "192.0.2.7" },
};

CF_GROUP(ip, "RFC 8738", "3-7", "IP identifiers");
