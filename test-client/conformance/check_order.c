/* RFC 8555 §7.4 up to finalize, and what §7.1.3 and §7.1.6 say of an order. */
#include "test-client/conformance/check.h"

#include "base/clock_text.h"
#include "base/world.h"

static bool is_future(struct cf *cf, const char *member)
{
    int64_t at_ms;
    const char *text;
    TRY(cf_has_text(cf, member, &text));
    if (!time_parse(text, &at_ms))
        return cf_fail(cf, "\"%s\" is no RFC 3339 time: \"%.100s\"", member, text);
    return at_ms > world_now_ms(world_real()) || cf_fail(cf, "\"%s\" is over: %.100s", member, text);
}

static bool has_identifier(const struct cf *cf, const char *name)
{
    size_t i;
    json_t *item;
    json_array_foreach (json_object_get(cf->body, "identifiers"), i, item) {
        const char *value = json_member_text(item, "value"), *type = json_member_text(item, "type");
        if (value != NULL && type != NULL && strcmp(value, name) == 0)
            return true;
    }
    return false;
}

static bool is_order(struct cf *cf, const char *const *names)
{
    const char *finalize, *status;
    size_t count = 0;
    TRY(cf_has_text(cf, "status", &status) && cf_has_text(cf, "finalize", &finalize));
    for (; names[count] != NULL; count++) {
        if (!has_identifier(cf, names[count]))
            return cf_fail(cf, "\"identifiers\" lacks %s", names[count]);
    }
    if (json_array_size(json_object_get(cf->body, "identifiers")) != count)
        return cf_fail(cf, "\"identifiers\" has more than was asked for");
    return cf_is_url(finalize) || cf_fail(cf, "\"finalize\" is no URL");
}

static bool created(struct cf *cf)
{
    struct cf_order order;
    const char *const names[] = { cf_name(cf), NULL };
    TRY(cf_order_names(cf, cf->first, names, NULL, &order) && cf_media_type(cf, "application/json"));
    if (!cf_is_url(order.url))
        return cf_fail(cf, "the Location is no URL");
    return is_order(cf, names) && is_future(cf, "expires");
}

static bool shown(struct cf *cf)
{
    struct cf_order order, again;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    TRY(cf_order_names(cf, cf->first, names, NULL, &order) && cf_call(cf, cf->first, order.url, NULL));
    TRY(cf_expect(cf, 200) && is_order(cf, names) && is_future(cf, "expires") && cf_read_order(cf, &again));
    if (again.authorization_count != 2 || strcmp(again.authorizations[0], again.authorizations[1]) == 0)
        return cf_fail(cf, "two names have not two authorizations");
    return true;
}

static bool refused_payload(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), cf->check->text) && cf_refused(cf, 0, "malformed");
}

static bool refused_identifier(struct cf *cf)
{
    const char *payload = cf_print(cf, "{\"identifiers\":[%s]}", cf->check->text);
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload) && cf_refused(cf, 0, NULL);
}

static bool refused_name(struct cf *cf)
{
    const char *payload = cf_print(cf, "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"%s\"}]}", cf->check->text);
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload) && cf_refused(cf, 0, NULL);
}

static bool one_bad_name(struct cf *cf)
{
    const char *const names[] = { cf_name(cf), "a b.example.test", NULL };
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), cf_order_payload(cf, names, NULL)) &&
           cf_refused(cf, 0, NULL);
}

static bool wildcard_authorization(struct cf *cf)
{
    struct cf_order order;
    const char *base = cf_name(cf);
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { cf_print(cf, "*.%s", base), NULL }, NULL, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    const char *value = json_member_text(json_object_get(cf->body, "identifier"), "value");
    if (value == NULL || strcmp(value, base) != 0)
        return cf_fail(cf, "the authorization's identifier is not the name without \"*.\"");
    return json_is_true(json_object_get(cf->body, "wildcard")) ||
           cf_fail(cf, "the authorization has not \"wildcard\": true");
}

static bool no_wildcard_member(struct cf *cf)
{
    TRY(cf_call(cf, cf->first, cf->pending.authorizations[0], NULL) && cf_expect(cf, 200));
    return json_object_get(cf->body, "wildcard") == NULL || cf_fail(cf, "the authorization has \"wildcard\"");
}

/* `days` from now; the row may ask for seconds' fractions or other offsets in text. */
static const char *time_in(struct cf *cf, int days)
{
    char text[TIME_TEXT_SIZE];
    time_text(world_now_ms(world_real()) + (int64_t)days * 86400000, text);
    return cf_print(cf, "%s", text);
}

static bool times_kept(struct cf *cf)
{
    struct cf_certificate issued;
    const char *until = time_in(cf, 2), *name = cf_name(cf);
    const char *more = cf_print(cf, ",\"notAfter\":\"%s\"", until);
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newOrder"),
                cf_order_payload(cf, (const char *const[]) { name, NULL }, more)));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, NULL); /* as good: it says that it cannot */
    TRY(cf_issue(cf, cf->first, (const char *const[]) { cf_name(cf), NULL }, more, &issued));
    struct tm parts;
    char is[TIME_TEXT_SIZE];
    CHECK(ASN1_TIME_to_tm(X509_get0_notAfter(issued.leaf), &parts) == 1);
    time_text((int64_t)timegm(&parts) * 1000, is);
    return strcmp(is, until) == 0 || cf_fail(cf, "the certificate ends at %s although the order said %s", is, until);
}

static bool times_refused(struct cf *cf)
{
    const char *payload = cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, cf->check->text);
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload) && cf_refused(cf, 0, NULL);
}

static bool times_shown(struct cf *cf)
{
    const char *from = time_in(cf, 0), *until = time_in(cf, 3);
    const char *more = cf_print(cf, ",\"notBefore\":\"%s\",\"notAfter\":\"%s\"", from, until);
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newOrder"),
                cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, more)));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, NULL) && cf_skip(cf, "the server takes no notBefore or no notAfter");
    int64_t asked_ms, is_ms;
    const char *text;
    TRY(cf_has_text(cf, "notAfter", &text));
    CHECK(time_parse(until, &asked_ms));
    return (time_parse(text, &is_ms) && is_ms == asked_ms) || cf_fail(cf, "the order's notAfter is not what was asked");
}

/* Sorts nothing: every text of the one list is in the other, and they are as long. */
static bool same_texts(const struct cf_order *a, const struct cf_order *b)
{
    TRY(a->authorization_count == b->authorization_count);
    for (size_t i = 0; i < a->authorization_count; i++) {
        bool found = false;
        for (size_t k = 0; k < b->authorization_count; k++)
            found = found || strcmp(a->authorizations[i], b->authorizations[k]) == 0;
        TRY(found);
    }
    return true;
}

static bool look(struct cf *cf, const struct cf_order *order, const char *const *names, const char *status)
{
    struct cf_order now;
    TRY(cf_call(cf, order->owner, order->url, NULL) && cf_expect(cf, 200) && is_order(cf, names));
    if (!cf_status_is(cf, status))
        return cf_fail(cf, "the order is not %s", status);
    return cf_read_order(cf, &now) &&
           (same_texts(order, &now) || cf_fail(cf, "the order's authorizations have changed"));
}

static bool never_changes(struct cf *cf)
{
    struct cf_order order;
    struct cf_certificate issued;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_order_names(cf, cf->first, names, NULL, &order) && look(cf, &order, names, "pending"));
    TRY(cf_authorize(cf, &order) && look(cf, &order, names, "ready"));
    TRY(cf_finalize(cf, &order, cf_make_csr(cf, &(struct cf_csr) { .key = key, .names = names })));
    return cf_expect(cf, 200) && cf_collect(cf, &order, key, &issued) && look(cf, &order, names, "valid");
}

static bool pending_until_all_are_valid(struct cf *cf)
{
    struct cf_order order;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    TRY(cf_order_names(cf, cf->first, names, NULL, &order));
    TRY(order.authorization_count == 2 || cf_fail(cf, "two names have not two authorizations"));
    TRY(cf_solve(cf, cf->first, order.authorizations[0]) && look(cf, &order, names, "pending"));
    return cf_solve(cf, cf->first, order.authorizations[1]) && look(cf, &order, names, "ready");
}

static bool valid_has_certificate(struct cf *cf)
{
    const char *url;
    TRY(cf_call(cf, cf->first, cf->issued.order.url, NULL) && cf_expect(cf, 200) &&
        cf_has_text(cf, "certificate", &url));
    return cf_is_url(url) || cf_fail(cf, "\"certificate\" is no URL");
}

static bool valid_has_expires(struct cf *cf)
{
    const char *text;
    int64_t at_ms;
    TRY(cf_call(cf, cf->first, cf->issued.order.url, NULL) && cf_expect(cf, 200) && cf_has_text(cf, "expires", &text));
    return time_parse(text, &at_ms) || cf_fail(cf, "\"expires\" is no RFC 3339 time");
}

static bool authorization_of_two_orders(struct cf *cf)
{
    struct cf_order order;
    const char *const names[] = { cf->issued.order.name, NULL };
    TRY(cf_order_names(cf, cf->first, names, NULL, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    const char *value = json_member_text(json_object_get(cf->body, "identifier"), "value");
    return (value != NULL && strcmp(value, names[0]) == 0) ||
           cf_fail(cf, "the order's authorization is for another name");
}

#define DNS_(value) "{\"type\":\"dns\",\"value\":" value "}"
#define LABEL_63    "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789"

static const struct cf_check order_checks[] = {
    { "7.4.created", "[8555-7.4-1] [8555-7.1.3-1] [8555-7.1.3-2] [8555-7.1.3-3]",
      "A new order is answered 201 with its object and its URL.", created, CF_FIRST },
    { "7.4.shown", "[8555-7.1.3-1] [8555-7.1.3-2]", "An order of two names has two authorizations.", shown, CF_FIRST },
    { "7.4.no-identifiers", "[8555-7.4-2]", "An order without identifiers is malformed.", refused_payload, CF_FIRST,
      .text = "{}" },
    { "7.4.empty-identifiers", "[8555-7.4-2]", "An order of an empty list is malformed.", refused_payload, CF_FIRST,
      .text = "{\"identifiers\":[]}" },
    { "7.4.identifiers-no-list", "[8555-7.4-2]", "An order whose identifiers are no list is malformed.",
      refused_payload, CF_FIRST, .text = "{\"identifiers\":" DNS_("\"a.example.test\"") "}" },
    { "7.4.identifier-no-object", "[8555-7.4-2]", "An identifier that is a text is refused.", refused_identifier,
      CF_FIRST, .text = "\"a.example.test\"" },
    { "7.4.identifier-without-type", "[8555-7.4-2]", "An identifier without type is refused.", refused_identifier,
      CF_FIRST, .text = "{\"value\":\"a.example.test\"}" },
    { "7.4.identifier-without-value", "[8555-7.4-2]", "An identifier without value is refused.", refused_identifier,
      CF_FIRST, .text = "{\"type\":\"dns\"}" },
    { "7.4.value-no-text", "[8555-7.4-2]", "An identifier whose value is a number is refused.", refused_identifier,
      CF_FIRST, .text = DNS_("12") },
    { "7.4.unknown-type", "[8555-7.4-2]", "An identifier of an unknown type is refused.", refused_identifier, CF_FIRST,
      .text = "{\"type\":\"planet\",\"value\":\"mars\"}" },
    { "7.4.empty-name", "[8555-7.4-2]", "An empty name is refused.", refused_name, CF_FIRST, .text = "" },
    { "7.4.empty-label", "[8555-7.1.4-6]", "A name with an empty label is refused.", refused_name, CF_FIRST,
      .text = "a..example.test" },
    { "7.4.leading-dot", "[8555-7.1.4-6]", "A name with a dot in front is refused.", refused_name, CF_FIRST,
      .text = ".example.test" },
    { "7.4.space", "[8555-7.1.4-6]", "A name with a space is refused.", refused_name, CF_FIRST,
      .text = "a b.example.test" },
    { "7.4.underscore", "[8555-7.1.4-6]", "A name with an underscore is refused.", refused_name, CF_FIRST,
      .text = "a_b.example.test" },
    { "7.4.hyphen", "[8555-7.1.4-6]", "A label that begins with a hyphen is refused.", refused_name, CF_FIRST,
      .text = "-a.example.test" },
    { "7.4.control-character", "[8555-7.1.4-6]", "A name with a line feed is refused.", refused_name, CF_FIRST,
      .text = "a\\n.example.test" },
    { "7.4.nul", "[8555-7.1.4-6]", "A name with a NUL is refused.", refused_name, CF_FIRST,
      .text = "a\\u0000.example.test" },
    { "7.4.url-as-name", "[8555-7.1.4-6]", "A URL as name is refused.", refused_name, CF_FIRST,
      .text = "https://a.example.test/" },
    { "7.4.name-with-port", "[8555-7.1.4-6]", "A name with a port is refused.", refused_name, CF_FIRST,
      .text = "a.example.test:443" },
    { "7.4.long-label", "[8555-7.1.4-6]", "A label of 64 bytes is refused.", refused_name, CF_FIRST,
      .text = LABEL_63 ".example.test" },
    { "7.4.long-name", "[8555-7.1.4-6]", "A name of more than 253 bytes is refused.", refused_name, CF_FIRST,
      .text = "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678."
              "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678."
              "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678."
              "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678.example.test" },
    { "7.4.u-label", "[8555-7.1.4-6]", "A name that is not in A-labels is refused.", refused_name, CF_FIRST,
      .text = "b\u00fccher.example.test" },
    { "7.4.bad-punycode", "[8555-7.1.4-7]", "A label \"xn--\" that is no Punycode is refused.", refused_name, CF_FIRST,
      .text = "xn--a-\\u007f.example.test" },
    { "7.4.overlong-punycode", "[8555-7.1.4-7]", "A label \"xn--\" whose Punycode does not decode is refused.",
      refused_name, CF_FIRST, .text = "xn--99999999999.example.test" },
    { "7.4.address-as-name", "[8555-7.1.4-6]", "An IP address as DNS name is refused.", refused_name, CF_FIRST,
      .text = "192.0.2.7" },
    { "7.4.bare-wildcard", "[8555-7.1.4-6]", "The name \"*\" is refused.", refused_name, CF_FIRST, .text = "*" },
    { "7.4.wildcard-inside", "[8555-7.1.4-6]", "A wildcard that is not the first label is refused.", refused_name,
      CF_FIRST, .text = "a.*.example.test" },
    { "7.4.two-wildcards", "[8555-7.1.4-6]", "A name with two wildcards is refused.", refused_name, CF_FIRST,
      .text = "*.*.example.test" },
    { "7.4.partial-wildcard", "[8555-7.1.4-6]", "A wildcard that is only part of a label is refused.", refused_name,
      CF_FIRST, .text = "a*.example.test" },
    { "7.4.one-bad-name", "[8555-7.4-2]", "An order of a good and a bad name is refused.", one_bad_name, CF_FIRST },
    { "7.1.3.wildcard", "[8555-7.1.3-4] [8555-7.1.3-5] [8555-7.1.4-4] [8555-7.1.4-8]",
      "A wildcard's authorization has the name without \"*.\", and wildcard: true.", wildcard_authorization, CF_FIRST },
    { "7.1.4.no-wildcard", "[8555-7.1.4-5]", "Another authorization has no \"wildcard\".", no_wildcard_member,
      CF_PENDING },
    { "7.4.not-after", "[8555-7.4-2] [8555-7.4-3]", "A notAfter is kept to, or the order is refused.", times_kept,
      CF_FIRST },
    { "7.4.times-shown", "[8555-7.1.3-3]", "An order shows the notAfter that it was made with.", times_shown,
      CF_FIRST },
    { "7.4.bad-time", "[8555-7.4-2]", "A notAfter that is no time is refused.", times_refused, CF_FIRST,
      .text = ",\"notAfter\":\"tomorrow\"" },
    { "7.4.time-no-text", "[8555-7.4-2]", "A notAfter that is a number is refused.", times_refused, CF_FIRST,
      .text = ",\"notAfter\":1893456000" },
    { "7.4.end-before-start", "[8555-7.4-2]", "A notAfter before the notBefore is refused.", times_refused, CF_FIRST,
      .text = ",\"notBefore\":\"2048-01-02T00:00:00Z\",\"notAfter\":\"2048-01-01T00:00:00Z\"" },
    { "7.1.3.never-changes", "[8555-7.1.3-6] [8555-7.1.6-4] [8555-7.1.6-5]",
      "Identifiers and authorizations stay the same from pending to valid.", never_changes, CF_FIRST },
    { "7.1.6.pending-until-all-are-valid", "[8555-7.1.6-4]", "An order is pending until all authorizations are valid.",
      pending_until_all_are_valid, CF_FIRST },
    { "7.4.valid-has-certificate", "[8555-7.4-12]", "A valid order has its certificate's URL.", valid_has_certificate,
      CF_ISSUED },
    { "7.1.3.valid-has-expires", "[8555-7.1.3-2]", "A valid order has expires.", valid_has_expires, CF_ISSUED },
    { "7.1.3.second-order", "[8555-7.1.3-7]", "A second order for a name should list an authorization for it.",
      authorization_of_two_orders, CF_ISSUED },
};

CF_GROUP(order, "RFC 8555", "7.4", "orders");

static bool has_next(struct cf *cf, const char **url)
{
    *url = cf_link(cf, "next");
    return *url != NULL;
}

static int times_on_page(const struct cf *cf, const char *url)
{
    size_t i;
    json_t *item;
    int times = 0;
    json_array_foreach (json_object_get(cf->body, "orders"), i, item) {
        const char *text = json_string_value(item);
        times += text != NULL && strcmp(text, url) == 0;
    }
    return times;
}

enum { PAGES_MAX = 50 };

/* How often the account's list has this order, on all its pages. */
static bool count_in_list(struct cf *cf, struct tc_session *session, const char *url, int *out)
{
    TRY(cf_call(cf, session, tc_session_kid(session), NULL) && cf_expect(cf, 200));
    const char *page;
    if (cf_member(cf, "orders") == NULL)
        return cf_skip(cf, "the account has no \"orders\"");
    TRY(cf_has_text(cf, "orders", &page));
    *out = 0;
    for (int pages = 0; pages < PAGES_MAX; pages++) {
        TRY(cf_call(cf, session, page, NULL) && cf_expect(cf, 200));
        if (!json_is_array(json_object_get(cf->body, "orders")))
            return cf_fail(cf, "\"orders\" is no array");
        *out += times_on_page(cf, url);
        if (!has_next(cf, &page))
            return true;
    }
    return cf_fail(cf, "the list has no end");
}

static bool lists_pending(struct cf *cf)
{
    int times;
    TRY(count_in_list(cf, cf->first, cf->pending.url, &times));
    return times == 1 || cf_fail(cf, "the list has the pending order %d times", times);
}

static bool lists_own_only(struct cf *cf)
{
    int times;
    TRY(count_in_list(cf, cf->second, cf->pending.url, &times));
    return times == 0 || cf_fail(cf, "the list has another account's order");
}

enum { MANY = 7 };

static bool lists_many(struct cf *cf)
{
    struct tc_session *session;
    struct cf_order orders[MANY];
    TRY(cf_account(cf, &session));
    for (size_t i = 0; i < MANY; i++)
        TRY(cf_order(cf, session, &orders[i]));
    for (size_t i = 0; i < MANY; i++) {
        int times;
        TRY(count_in_list(cf, session, orders[i].url, &times));
        if (times != 1)
            return cf_fail(cf, "the list has order %zu of %d %d times", i + 1, MANY, times);
    }
    return true;
}

static bool leaves_invalid_out(struct cf *cf)
{
    struct tc_session *session;
    struct cf_order order;
    int times;
    TRY(cf_account(cf, &session) && cf_order(cf, session, &order));
    TRY(cf_call(cf, session, order.authorizations[0], "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    TRY(cf_call(cf, session, order.url, NULL) && cf_expect(cf, 200));
    if (!cf_status_is(cf, "invalid"))
        return cf_fail(cf, "the order is not invalid after its authorization was deactivated");
    TRY(count_in_list(cf, session, order.url, &times));
    return times == 0 || cf_fail(cf, "the list has an invalid order");
}

static const struct cf_check list_checks[] = {
    { "7.1.2.1.lists-pending", "[8555-7.1.2.1-1] [8555-7.1.2.1-2]", "The list should have the pending orders.",
      lists_pending, CF_PENDING },
    { "7.1.2.1.own-only", "[8555-7.1.2.1-1]", "The list has orders of its own account only.", lists_own_only,
      CF_PENDING | CF_SECOND },
    { "7.1.2.1.many", "[8555-7.1.2.1-2] [8555-7.1.2.1-4]", "Seven orders are listed once each, over all pages.",
      lists_many },
    { "7.1.2.1.no-invalid", "[8555-7.1.2.1-3]", "The list should leave invalid orders out.", leaves_invalid_out },
};

CF_GROUP(list, "RFC 8555", "7.1.2.1", "lists of orders");
