/* RFC 8555 §7.3: accounts are made, found, changed and given up. */
#include "test-client/conformance/check.h"

static bool is_new_account(struct cf *cf)
{
    const char *location, *orders;
    TRY(cf_expect(cf, 201) && cf_media_type(cf, "application/json") && cf_has_header(cf, "Location", &location));
    if (!cf_is_url(location))
        return cf_fail(cf, "the Location is no URL: %.200s", location);
    if (!cf_status_is(cf, "valid"))
        return cf_fail(cf, "the account's \"status\" is not \"valid\"");
    return cf_has_text(cf, "orders", &orders) && (cf_is_url(orders) || cf_fail(cf, "\"orders\" is no URL"));
}

static bool created(struct cf *cf)
{
    struct tc_session *session;
    return cf_open(cf, NULL, &session) && cf_register(cf, session, "") && is_new_account(cf);
}

static bool kid_works(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_account(cf, &session) && cf_call(cf, session, tc_session_kid(session), NULL) && cf_expect(cf, 200));
    return cf_status_is(cf, "valid") || cf_fail(cf, "the account's \"status\" is not \"valid\"");
}

/* newAccount with just these members. */
static bool post_account(struct cf *cf, struct tc_session *session, const char *payload)
{
    struct tc_post post = { .url = cf_resource(cf, "newAccount"), .payload = payload, .embed_key = true };
    return cf_post(cf, session, &post);
}

static bool is_unknown(struct cf *cf, struct tc_session *session)
{
    return post_account(cf, session, "{\"onlyReturnExisting\":true}") && cf_refused(cf, 400, "accountDoesNotExist");
}

static bool only_return_existing(struct cf *cf)
{
    struct tc_session *session;
    return cf_open(cf, NULL, &session) && is_unknown(cf, session);
}

static bool returns_and_creates_nothing(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && is_unknown(cf, session) && is_unknown(cf, session));
    return cf_register(cf, session, "") && cf_expect(cf, 201);
}

static bool member_ignored(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && cf_register(cf, session, cf->check->text) && is_new_account(cf));
    const char *body = buf_str(&cf->answer->body);
    if (strstr(body, "made-up") != NULL || json_object_get(cf->body, "onlyReturnExisting") != NULL)
        return cf_fail(cf, "the account object has what should have been ignored");
    return true;
}

static bool terms_not_agreed(struct cf *cf)
{
    struct tc_session *session;
    if (json_object_get(cf->meta, "termsOfService") == NULL)
        return cf_skip(cf, "the server has no terms of service");
    TRY(cf_open(cf, NULL, &session) && post_account(cf, session, cf->check->text));
    if (cf->answer->status == 201)
        return cf_skip(cf, "the server does not insist on its terms of service");
    return cf_refused(cf, 0, "userActionRequired|externalAccountRequired|malformed");
}

static bool found_again(struct cf *cf)
{
    const char *location;
    TRY(cf_register(cf, cf->first, "") && cf_expect(cf, 200) && cf_has_header(cf, "Location", &location));
    return strcmp(location, tc_session_kid(cf->first)) == 0 ||
           cf_fail(cf, "the Location is %.200s instead of the account's URL", location);
}

static bool found_by(struct cf *cf)
{
    const char *location, *status;
    TRY(post_account(cf, cf->first, cf->check->text) && cf_expect(cf, 200));
    TRY(cf_has_header(cf, "Location", &location) && cf_has_text(cf, "status", &status));
    return strcmp(location, tc_session_kid(cf->first)) == 0 ||
           cf_fail(cf, "the Location is %.200s instead of the account's URL", location);
}

static const char contacts[] = "\"contact\":[\"mailto:first@example.com\"]";

static bool has_contact(struct cf *cf, const char *address)
{
    const json_t *list = json_object_get(cf->body, "contact");
    size_t i;
    json_t *item;
    json_array_foreach (list, i, item) {
        if (json_is_string(item) && strcmp(json_string_value(item), address) == 0)
            return true;
    }
    return false;
}

static bool account_with_contact(struct cf *cf, struct tc_session **out)
{
    TRY(cf_open(cf, NULL, out) && cf_register(cf, *out, contacts) && is_new_account(cf));
    return has_contact(cf, "mailto:first@example.com") || cf_skip(cf, "the server keeps no contacts");
}

static bool found_unchanged(struct cf *cf)
{
    struct tc_session *session;
    TRY(account_with_contact(cf, &session));
    TRY(cf_register(cf, session, "\"contact\":[\"mailto:second@example.com\"]") && cf_expect(cf, 200));
    if (has_contact(cf, "mailto:second@example.com"))
        return cf_fail(cf, "the account took the contact of the second newAccount");
    return has_contact(cf, "mailto:first@example.com") || cf_fail(cf, "the account lost its contact");
}

static bool contact_kept(struct cf *cf)
{
    struct tc_session *session;
    return account_with_contact(cf, &session) && cf_call(cf, session, tc_session_kid(session), NULL) &&
           cf_expect(cf, 200) && (has_contact(cf, "mailto:first@example.com") || cf_fail(cf, "the contact is lost"));
}

static bool contact_changed(struct cf *cf)
{
    struct tc_session *session;
    TRY(account_with_contact(cf, &session));
    const char *url = tc_session_kid(session);
    TRY(cf_call(cf, session, url, "{\"contact\":[\"mailto:second@example.com\"]}") && cf_expect(cf, 200));
    if (!has_contact(cf, "mailto:second@example.com") || has_contact(cf, "mailto:first@example.com"))
        return cf_fail(cf, "the answer has not the new contact alone");
    TRY(cf_call(cf, session, url, NULL) && cf_expect(cf, 200));
    return has_contact(cf, "mailto:second@example.com") || cf_fail(cf, "the new contact was not kept");
}

static bool contact_removed(struct cf *cf)
{
    struct tc_session *session;
    TRY(account_with_contact(cf, &session));
    TRY(cf_call(cf, session, tc_session_kid(session), "{\"contact\":[]}") && cf_expect(cf, 200));
    return json_array_size(json_object_get(cf->body, "contact")) == 0 || cf_fail(cf, "the contact is still there");
}

static bool bad_change_changes_nothing(struct cf *cf)
{
    struct tc_session *session;
    TRY(account_with_contact(cf, &session));
    const char *url = tc_session_kid(session);
    TRY(cf_call(cf, session, url, "{\"contact\":[\"gopher:x\"]}"));
    if (cf->answer->status == 200)
        return cf_skip(cf, "the server does not check contacts");
    TRY(cf_refused(cf, 0, "unsupportedContact|invalidContact") && cf_call(cf, session, url, NULL) &&
        cf_expect(cf, 200));
    return has_contact(cf, "mailto:first@example.com") || cf_fail(cf, "the refused change was carried out");
}

/* A change that must be ignored: the row's payload. */
static bool change_ignored(struct cf *cf)
{
    struct tc_session *session;
    TRY(cf_account(cf, &session));
    const char *orders = cf_print(cf, "%s", cf_member(cf, "orders") != NULL ? cf_member(cf, "orders") : "");
    TRY(cf_call(cf, session, tc_session_kid(session), cf->check->text) && cf_expect(cf, 200));
    if (!cf_status_is(cf, "valid"))
        return cf_fail(cf, "the account is no longer valid");
    if (strstr(buf_str(&cf->answer->body), "made-up") != NULL)
        return cf_fail(cf, "the account object has what should have been ignored");
    const char *now = cf_member(cf, "orders");
    return strcmp(now != NULL ? now : "", orders) == 0 || cf_fail(cf, "\"orders\" has changed");
}

static bool contact_refused(struct cf *cf)
{
    static const char *const types[] = { "unsupportedContact", "invalidContact", "unsupportedContact|invalidContact",
                                         "malformed|invalidContact" };
    struct tc_session *session;
    TRY(cf_open(cf, NULL, &session) && cf_register(cf, session, cf->check->text));
    if (cf->answer->status == 201)
        return cf_skip(cf, "the server does not check contacts");
    return cf_refused(cf, 0, types[cf->check->arg]);
}

static bool names_schemes(struct cf *cf)
{
    const char *detail;
    TRY(contact_refused(cf) && cf_has_text(cf, "detail", &detail));
    return strstr(detail, "mailto") != NULL || cf_fail(cf, "the detail does not say that mailto is taken");
}

static bool deactivate(struct cf *cf, struct tc_session *session)
{
    TRY(cf_call(cf, session, tc_session_kid(session), "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    return cf_status_is(cf, "deactivated") || cf_fail(cf, "the account's \"status\" is not \"deactivated\"");
}

static bool deactivated(struct cf *cf)
{
    struct tc_session *session;
    return cf_account(cf, &session) && deactivate(cf, session);
}

enum afterwards {
    LOOKS,
    CHANGES,
    ORDERS,
    LOOKS_AT_ORDER,
    RESPONDS,
    FINALIZES,
    REGISTERS,
    CHANGES_KEY,
    FETCHES,
    REVOKES
};

static bool act(struct cf *cf, struct tc_session *session, const struct cf_order *order)
{
    const char *kid = tc_session_kid(session);
    const char *csr = cf_csr_for(cf, cf_key(cf, TC_KEY_P256), order->name);
    switch ((enum afterwards)cf->check->arg) {
    case CHANGES:
        return cf_call(cf, session, kid, "{\"contact\":[]}");
    case ORDERS:
        return cf_call(cf, session, cf_resource(cf, "newOrder"),
                       cf_order_payload(cf, (const char *const[]) { cf_name(cf), NULL }, NULL));
    case LOOKS_AT_ORDER:
        return cf_call(cf, session, order->url, NULL);
    case RESPONDS:
        return cf_call(cf, session, order->authorizations[0], NULL);
    case FINALIZES:
        return cf_finalize(cf, order, csr);
    case REGISTERS:
        return post_account(cf, session, "{\"termsOfServiceAgreed\":true}");
    case CHANGES_KEY:
        return cf_call(cf, session, cf_resource(cf, "keyChange"), "{}");
    default:
        return cf_call(cf, session, kid, NULL);
    }
}

static bool shut_out(struct cf *cf)
{
    struct tc_session *session;
    struct cf_order order;
    TRY(cf_account(cf, &session) && cf_order(cf, session, &order));
    TRY(cf->check->arg != FINALIZES || cf_authorize(cf, &order));
    return deactivate(cf, session) && act(cf, session, &order) && cf_refused(cf, 401, "unauthorized");
}

static bool shut_out_from_certificate(struct cf *cf)
{
    struct tc_session *session;
    struct cf_certificate issued;
    TRY(cf_account(cf, &session) && cf_issue_one(cf, session, &issued) && deactivate(cf, session));
    if (cf->check->arg == REVOKES) {
        const char *der = cf_certificate_b64(cf, issued.leaf);
        TRY(cf_call(cf, session, cf_resource(cf, "revokeCert"), cf_print(cf, "{\"certificate\":\"%s\"}", der)));
    } else {
        TRY(cf_call(cf, session, issued.order.certificate, NULL));
    }
    return cf_refused(cf, 401, "unauthorized");
}

static const struct cf_check account_checks[] = {
    { "7.3.created", "[8555-7.3-1] [8555-7.1.2-1]", "A new account is answered 201 with its object and its URL.",
      created },
    { "7.3.kid-works", "[8555-7.3-1]", "The Location of a new account is good as a kid.", kid_works },
    { "7.3.only-return-existing", "[8555-7.3.1-3]", "onlyReturnExisting with an unknown key: accountDoesNotExist.",
      only_return_existing },
    { "7.3.creates-nothing", "[8555-7.3-2]", "onlyReturnExisting makes no account.", returns_and_creates_nothing },
    { "7.3.orders-ignored", "[8555-7.3-3]", "An \"orders\" from the client is ignored.", member_ignored,
      .text = "\"orders\":\"https://elsewhere.example/made-up\"" },
    { "7.3.unknown-ignored", "[8555-7.3-4] [8555-7.3-5]", "An unknown member is ignored and does not come back.",
      member_ignored, .text = "\"made-up\":{\"a\":[1]}" },
    { "7.3.option-not-kept", "[8555-7.3-5]", "onlyReturnExisting does not come back in the account object.",
      member_ignored, .text = "\"onlyReturnExisting\":false" },
    { "7.3.terms-not-mentioned", "[8555-7.3-13]", "Terms of service that are not agreed to make newAccount fail.",
      terms_not_agreed, .text = "{}" },
    { "7.3.terms-refused", "[8555-7.3-13]", "termsOfServiceAgreed: false makes newAccount fail.", terms_not_agreed,
      .text = "{\"termsOfServiceAgreed\":false}" },
    { "7.3.mailto", "[8555-7.3-7]", "A mailto contact is taken and kept.", contact_kept },
    { "7.3.contact-of-another-scheme", "[8555-7.3-6] [8555-7.3-9]", "A contact with tel: is unsupportedContact.",
      contact_refused, .arg = 0, .text = "\"contact\":[\"tel:+12025551212\"]" },
    { "7.3.names-schemes", "[8555-7.3-10]", "That problem names the schemes that are taken.", names_schemes, .arg = 0,
      .text = "\"contact\":[\"tel:+12025551212\"]" },
    { "7.3.contact-bad-address", "[8555-7.3-6] [8555-7.3-11]", "A mailto without an address is invalidContact.",
      contact_refused, .arg = 1, .text = "\"contact\":[\"mailto:nobody\"]" },
    { "7.3.contact-header-fields", "[8555-7.3-8]", "A mailto with header fields should be invalidContact.",
      contact_refused, .arg = 1, .text = "\"contact\":[\"mailto:a@example.com?subject=x\"]" },
    { "7.3.contact-two-addresses", "[8555-7.3-8]", "A mailto with two addresses should be invalidContact.",
      contact_refused, .arg = 1, .text = "\"contact\":[\"mailto:a@example.com,b@example.com\"]" },
    { "7.3.contact-no-url", "[8555-7.3-6]", "A contact that is no URL is refused.", contact_refused, .arg = 2,
      .text = "\"contact\":[\"someone@example.com\"]" },
    { "7.3.contact-no-text", "[8555-7.3-6]", "A contact that is a number is refused.", contact_refused, .arg = 3,
      .text = "\"contact\":[7]" },
    { "7.3.contact-no-list", "[8555-7.3-6]", "A \"contact\" that is no list is refused.", contact_refused, .arg = 3,
      .text = "\"contact\":\"mailto:a@example.com\"" },
    { "7.3.1.found-again", "[8555-7.3.1-1] [8555-11.1-3]", "newAccount with a known key gives that account, 200.",
      found_again, CF_FIRST },
    { "7.3.1.only-return-existing", "[8555-7.3.1-1]", "onlyReturnExisting with a known key gives its account.",
      found_by, CF_FIRST, .text = "{\"onlyReturnExisting\":true}" },
    { "7.3.1.without-terms", "[8555-7.3.1-1] [8555-7.3.1-2]", "An account is found without agreeing to terms again.",
      found_by, CF_FIRST, .text = "{}" },
    { "7.3.1.unchanged", "[8555-7.3.1-2]", "newAccount with a known key changes no contact.", found_unchanged },
    { "7.3.2.contact-changed", "[8555-7.3.2-2]", "An account's contacts can be changed.", contact_changed },
    { "7.3.2.contact-removed", "[8555-7.3.2-2]", "An account's contacts can be removed.", contact_removed },
    { "7.3.2.bad-change", "[8555-7.3-9]", "A change that is refused changes nothing.", bad_change_changes_nothing },
    { "7.3.2.orders-ignored", "[8555-7.3.2-1]", "A change of \"orders\" is ignored.", change_ignored,
      .text = "{\"orders\":\"https://elsewhere.example/made-up\"}" },
    { "7.3.2.terms-ignored", "[8555-7.3.2-1]", "A change of termsOfServiceAgreed is ignored.", change_ignored,
      .text = "{\"termsOfServiceAgreed\":false}" },
    { "7.3.2.status-ignored", "[8555-7.3.2-1]", "A status other than \"deactivated\" is ignored.", change_ignored,
      .text = "{\"status\":\"revoked\"}" },
    { "7.3.2.unknown-ignored", "[8555-7.3.2-1]", "An unknown member of a change is ignored.", change_ignored,
      .text = "{\"made-up\":true}" },
    { "7.3.6.deactivated", "[8555-7.3.6-3]", "A deactivation is answered 200 with the account.", deactivated },
    { "7.3.6.cannot-look", "[8555-7.3.6-1] [8555-7.1.6-7]", "A deactivated account cannot look at itself.", shut_out,
      .arg = LOOKS },
    { "7.3.6.cannot-change", "[8555-7.3.6-1]", "A deactivated account cannot be changed.", shut_out, .arg = CHANGES },
    { "7.3.6.cannot-order", "[8555-7.3.6-1]", "A deactivated account cannot order.", shut_out, .arg = ORDERS },
    { "7.3.6.cannot-look-at-orders", "[8555-7.3.6-1]", "A deactivated account cannot look at its orders.", shut_out,
      .arg = LOOKS_AT_ORDER },
    { "7.3.6.cannot-look-at-authorizations", "[8555-7.3.6-1]", "… nor at its authorizations.", shut_out,
      .arg = RESPONDS },
    { "7.3.6.cannot-finalize", "[8555-7.3.6-1] [8555-7.3.6-5]", "… nor finalize an order that was ready.", shut_out,
      .arg = FINALIZES },
    { "7.3.6.cannot-change-key", "[8555-7.3.6-1] [8555-7.3.5-6]", "… nor change its key.", shut_out, CF_KEY_CHANGE,
      CHANGES_KEY },
    { "7.3.6.cannot-register", "[8555-7.3.6-4]", "Its key makes no new account.", shut_out, .arg = REGISTERS },
    { "7.3.6.cannot-fetch", "[8555-7.3.6-1]", "A deactivated account cannot fetch its certificates.",
      shut_out_from_certificate, .arg = FETCHES },
    { "7.3.6.cannot-revoke", "[8555-7.3.6-1]", "A deactivated account cannot revoke its certificates.",
      shut_out_from_certificate, CF_REVOKE, REVOKES },
};

CF_GROUP(account, "RFC 8555", "7.3", "accounts");
