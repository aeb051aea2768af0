/* RFC 9444: authorizations that cover the names below theirs. */
#include "test-client/conformance/check.h"

#include <openssl/x509v3.h>

static bool new_authz(struct cf *cf, struct tc_session *session, const char *name, const char *more)
{
    const char *payload = cf_print(cf, "{\"identifier\":{\"type\":\"dns\",\"value\":\"%s\"}%s}", name, more);
    return cf_call(cf, session, cf_resource(cf, "newAuthz"), payload);
}

static bool allows_subdomains(const struct cf *cf)
{
    return json_is_true(json_object_get(cf->body, "subdomainAuthAllowed"));
}

static const char with_subdomains[] = ",\"subdomainAuthAllowed\":true";

static bool granted(struct cf *cf)
{
    TRY(new_authz(cf, cf->first, cf_name(cf), with_subdomains) && cf_expect(cf, 201));
    return allows_subdomains(cf) || cf_fail(cf, "the authorization has not subdomainAuthAllowed: true");
}

static bool not_asked_for(struct cf *cf)
{
    TRY(new_authz(cf, cf->first, cf_name(cf), cf->check->text) && cf_expect(cf, 201));
    return !allows_subdomains(cf) || cf_fail(cf, "the authorization has subdomainAuthAllowed, which was not asked for");
}

static bool flag_no_boolean(struct cf *cf)
{
    return new_authz(cf, cf->first, cf_name(cf), ",\"subdomainAuthAllowed\":\"yes\"") && cf_refused(cf, 0, NULL);
}

static bool meta_flag(struct cf *cf)
{
    return json_is_true(json_object_get(cf->meta, "subdomainAuthAllowed")) ||
           cf_fail(cf, "meta.subdomainAuthAllowed is not true");
}

/* A name whose authorization is valid and covers the names below it. */
static bool prove(struct cf *cf, struct tc_session *session, const char *name, const char *more, const char **out_url)
{
    const char *location;
    TRY(new_authz(cf, session, name, more) && cf_expect(cf, 201) && cf_has_header(cf, "Location", &location));
    *out_url = cf_print(cf, "%s", location);
    return cf_solve(cf, session, *out_url);
}

static bool order_is(struct cf *cf, struct tc_session *session, const char *name, const char *status)
{
    struct cf_order order;
    TRY(cf_order_names(cf, session, (const char *const[]) { name, NULL }, NULL, &order));
    return cf_status_is(cf, status) || cf_fail(cf, "the order for %s is not %s", name, status);
}

/* Names made of the proven one, %s. */
static bool covered(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url));
    return order_is(cf, cf->first, cf_print(cf, "%s%s", cf->check->text, base), "ready");
}

static bool lists_ancestor(struct cf *cf)
{
    struct cf_order order;
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url));
    const char *name = cf_print(cf, "a.%s", base);
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { name, NULL }, NULL, &order));
    return strcmp(order.authorizations[0], url) == 0 || cf_fail(cf, "the order lists another authorization");
}

static bool not_covered(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, cf_print(cf, "b.%s", base), with_subdomains, &url));
    return order_is(cf, cf->first, cf_print(cf, "%s%s", cf->check->text, base), "pending");
}

static bool not_without_flag(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, "", &url));
    return order_is(cf, cf->first, cf_print(cf, "a.%s", base), "pending");
}

static bool not_for_another(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url));
    return order_is(cf, cf->second, cf_print(cf, "a.%s", base), "pending");
}

static bool not_after_deactivation(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url));
    TRY(cf_call(cf, cf->first, url, "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    return order_is(cf, cf->first, cf_print(cf, "a.%s", base), "pending");
}

static bool wildcard_flag(struct cf *cf)
{
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url) && cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
    bool says = json_is_true(json_object_get(cf->body, "wildcard"));
    struct cf_order order;
    const char *wildcard = cf_print(cf, "*.%s", base);
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { wildcard, NULL }, NULL, &order));
    bool ready = cf_status_is(cf, "ready");
    return says == ready || cf_fail(cf, "the authorization says wildcard: %s, and the wildcard's order is %s",
                                    says ? "true" : "false", ready ? "ready" : "not ready");
}

static bool issued(struct cf *cf)
{
    struct cf_certificate certificate;
    const char *url, *base = cf_name(cf);
    TRY(prove(cf, cf->first, base, with_subdomains, &url));
    const char *const names[] = { cf_print(cf, "a.%s", base), cf_print(cf, "b.c.%s", base), NULL };
    TRY(cf_issue(cf, cf->first, names, NULL, &certificate));
    return X509_check_host(certificate.leaf, names[1], 0, 0, NULL) == 1 ||
           cf_fail(cf, "the certificate is not for %s", names[1]);
}

/* --- ancestorDomain --- */

static bool order_below(struct cf *cf, const char *name, const char *ancestor)
{
    return cf_call(
        cf, cf->first, cf_resource(cf, "newOrder"),
        cf_print(cf, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\",\"ancestorDomain\":%s}]}", name, ancestor));
}

static bool quoted_below(struct cf *cf, const char *name, const char *ancestor)
{
    return order_below(cf, name, cf_print(cf, "\"%s\"", ancestor));
}

static bool ancestor_authorization(struct cf *cf)
{
    struct cf_order order = { .owner = cf->first };
    const char *base = cf_name(cf);
    TRY(quoted_below(cf, cf_print(cf, "a.%s", base), base) && cf_expect(cf, 201) && cf_read_order(cf, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    const char *value = json_member_text(json_object_get(cf->body, "identifier"), "value");
    if (value == NULL || strcmp(value, base) != 0)
        return cf_fail(cf, "the authorization is not for the ancestor");
    return allows_subdomains(cf) || cf_fail(cf, "the authorization has not subdomainAuthAllowed: true");
}

static bool ancestor_issued(struct cf *cf)
{
    struct cf_order order = { .owner = cf->first };
    struct cf_certificate certificate;
    const char *base = cf_name(cf), *location;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    order.name = cf_print(cf, "a.b.%s", base);
    TRY(quoted_below(cf, order.name, base) && cf_expect(cf, 201) && cf_has_header(cf, "Location", &location));
    order.url = cf_print(cf, "%s", location);
    TRY(cf_read_order(cf, &order) && cf_authorize(cf, &order));
    TRY(cf_finalize(cf, &order, cf_csr_for(cf, key, order.name)) && cf_expect(cf, 200));
    return cf_collect(cf, &order, key, &certificate) &&
           (X509_check_host(certificate.leaf, order.name, 0, 0, NULL) == 1 ||
            cf_fail(cf, "the certificate is for another name"));
}

static bool no_ancestor(struct cf *cf)
{
    const char *base = cf_name(cf);
    const char *name = cf_print(cf, "a.%s", base);
    const char *const ancestors[] = { "elsewhere.example.test", base + 1, name, cf_print(cf, "b.%s", name) };
    return quoted_below(cf, name, ancestors[cf->check->arg]) && cf_refused(cf, 0, NULL);
}

static bool ancestor_no_text(struct cf *cf)
{
    return order_below(cf, cf_name(cf), "7") && cf_refused(cf, 0, NULL);
}

#define PRE (CF_FIRST | CF_SUBDOMAINS | CF_NEW_AUTHZ)
#define SUB (CF_FIRST | CF_SUBDOMAINS)

static const struct cf_check subdomain_checks[] = {
    { "9444/4.4.meta", "[9444-4.4-1]", "meta.subdomainAuthAllowed is true.", meta_flag, CF_SUBDOMAINS },
    { "9444/4.2.granted", "[9444-4.2-1]", "newAuthz for subdomains gives subdomainAuthAllowed: true.", granted, PRE },
    { "9444/4.2.not-asked", "[9444-4.2-2]", "newAuthz that does not ask gives none.", not_asked_for, PRE, .text = "" },
    { "9444/4.2.asked-false", "[9444-4.2-2]", "newAuthz with subdomainAuthAllowed: false gives none.", not_asked_for,
      PRE, .text = ",\"subdomainAuthAllowed\":false" },
    { "9444/4.2.no-boolean", "", "A subdomainAuthAllowed that is a text is refused.", flag_no_boolean, PRE },
    { "9444/5.child", "[9444-5-1] [9444-4.1-1]", "A name below a proven one needs no challenge.", covered, PRE,
      .text = "a." },
    { "9444/5.grandchild", "[9444-5-1] [9444-4.1-1]", "Nor does a name two labels below.", covered, PRE,
      .text = "a.b." },
    { "9444/5.itself", "[9444-5-1]", "Nor does the name itself.", covered, PRE, .text = "" },
    { "9444/5.lists", "[9444-5-1]", "The order lists the ancestor's authorization.", lists_ancestor, PRE },
    { "9444/5.issued", "[9444-5-1]", "Two names below it come into one certificate.", issued, PRE },
    { "9444/7.2.sibling", "[9444-7.2-1]", "A sibling of the proven name is not covered.", not_covered, PRE,
      .text = "c." },
    { "9444/7.2.parent", "[9444-7.2-1]", "The parent of the proven name is not covered.", not_covered, PRE,
      .text = "" },
    { "9444/7.2.label", "[9444-7.2-1]", "A name that only ends with the same letters is not covered.", not_covered, PRE,
      .text = "ab." },
    { "9444/5.without-flag", "[9444-4.2-2]", "A name below one that was proved alone needs a challenge.",
      not_without_flag, PRE },
    { "9444/5.another-account", "", "One account's proof covers nothing for another.", not_for_another,
      PRE | CF_SECOND },
    { "9444/5.deactivated", "[8555-7.5.2-3]", "Once deactivated, it covers nothing any more.", not_after_deactivation,
      PRE },
    { "9444/4.1.wildcard", "[9444-4.1-2]", "The authorization should say whether it covers the wildcard.",
      wildcard_flag, PRE },
    { "9444/4.3.ancestor", "[9444-4.3-1]", "An order with ancestorDomain has the ancestor's authorization.",
      ancestor_authorization, SUB },
    { "9444/4.3.issued", "[9444-4.3-1] [9444-5-1]", "Such an order can be completed.", ancestor_issued, SUB },
    { "9444/4.3.elsewhere", "[9444-7.2-1]", "An ancestorDomain elsewhere is refused.", no_ancestor, SUB, 0 },
    { "9444/4.3.part-of-label", "[9444-7.2-1]", "An ancestorDomain that cuts a label is refused.", no_ancestor, SUB,
      1 },
    { "9444/4.3.below", "[9444-7.2-1]", "An ancestorDomain below the name is refused.", no_ancestor, SUB, 3 },
    { "9444/4.3.no-text", "", "An ancestorDomain that is a number is refused.", ancestor_no_text, SUB },
};

CF_GROUP(subdomain, "RFC 9444", "4-7", "subdomains");
