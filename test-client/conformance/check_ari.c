/* RFC 9773: renewal information. */
#include "test-client/conformance/check.h"

#include "base/clock_text.h"

#include <openssl/x509v3.h>

/* The AKI's key identifier and the serial number's DER content, each in base64url (§4.1). */
static const char *certificate_id(struct cf *cf, const X509 *leaf)
{
    const ASN1_OCTET_STRING *aki = X509_get0_authority_key_id((X509 *)leaf);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(leaf);
    if (aki == NULL) {
        cf_fail(cf, "the certificate has no authority key identifier");
        return NULL;
    }
    uint8_t content[32] = { 0 };
    size_t len = (size_t)serial->length, lead = len > 0 && (serial->data[0] & 0x80) != 0 ? 1 : 0;
    CHECK(len + lead <= sizeof content);
    memcpy(content + lead, serial->data, len);
    return cf_print(cf, "%s.%s", cf_b64(cf, bytes_of(aki->data, (size_t)aki->length)),
                    cf_b64(cf, bytes_of(content, len + lead)));
}

static const char *url_of(struct cf *cf, const char *id)
{
    const char *base = cf_resource(cf, "renewalInfo");
    return cf_print(cf, "%s%s%s", base, base[strlen(base) - 1] == '/' ? "" : "/", id);
}

static bool fetch(struct cf *cf, const X509 *leaf)
{
    const char *id = certificate_id(cf, leaf);
    return id != NULL && cf_fetch(cf, "GET", url_of(cf, id), NULL) && cf_expect(cf, 200);
}

static bool is_url(struct cf *cf)
{
    return cf_is_url(cf_resource(cf, "renewalInfo")) || cf_fail(cf, "renewalInfo is no URL");
}

static bool read_window(struct cf *cf, int64_t *out_start_ms, int64_t *out_end_ms)
{
    const json_t *window = json_object_get(cf->body, "suggestedWindow");
    const char *start = json_member_text(window, "start"), *end = json_member_text(window, "end");
    if (start == NULL || end == NULL)
        return cf_fail(cf, "there is no suggestedWindow with start and end");
    return (time_parse(start, out_start_ms) && time_parse(end, out_end_ms)) ||
           cf_fail(cf, "the window's times are not those of RFC 3339");
}

static bool window(struct cf *cf)
{
    int64_t start_ms, end_ms;
    return fetch(cf, cf->issued.leaf) && cf_media_type(cf, "application/json") && read_window(cf, &start_ms, &end_ms);
}

static bool window_in_order(struct cf *cf)
{
    int64_t start_ms, end_ms;
    TRY(fetch(cf, cf->issued.leaf) && read_window(cf, &start_ms, &end_ms));
    return end_ms > start_ms || cf_fail(cf, "the window ends at or before its start");
}

static bool window_before_expiry(struct cf *cf)
{
    int64_t start_ms, end_ms;
    struct tm parts;
    TRY(fetch(cf, cf->issued.leaf) && read_window(cf, &start_ms, &end_ms));
    CHECK(ASN1_TIME_to_tm(X509_get0_notAfter(cf->issued.leaf), &parts) == 1);
    return end_ms <= (int64_t)timegm(&parts) * 1000 || cf_fail(cf, "the window ends behind the certificate's end");
}

static bool window_of_revoked(struct cf *cf)
{
    struct cf_certificate issued;
    int64_t start_ms, end_ms;
    TRY(cf_issue_one(cf, cf->first, &issued));
    TRY(cf_call(cf, cf->first, cf_resource(cf, "revokeCert"),
                cf_print(cf, "{\"certificate\":\"%s\"}", cf_certificate_b64(cf, issued.leaf))));
    TRY(cf_expect(cf, 200) && fetch(cf, issued.leaf) && read_window(cf, &start_ms, &end_ms));
    return end_ms > start_ms || cf_fail(cf, "the window ends at or before its start");
}

static bool retry_after(struct cf *cf)
{
    const char *value;
    int64_t wait_ms;
    TRY(fetch(cf, cf->issued.leaf) && cf_has_header(cf, "Retry-After", &value));
    return tc_retry_after(value, 0, &wait_ms) || cf_fail(cf, "the Retry-After is neither seconds nor a date");
}

static bool explanation(struct cf *cf)
{
    TRY(fetch(cf, cf->issued.leaf));
    const json_t *url = json_object_get(cf->body, "explanationURL");
    return url == NULL || cf_is_url(json_string_value(url)) || cf_fail(cf, "explanationURL is no URL");
}

static bool not_found(struct cf *cf, const char *id)
{
    TRY(id != NULL && cf_fetch(cf, "GET", url_of(cf, id), NULL));
    if (cf->answer->status >= 400 && cf->answer->status < 500)
        return true;
    return cf_fail(cf, "the HTTP status is %d instead of one from 400 to 499", cf->answer->status);
}

static bool made_up(struct cf *cf)
{
    return not_found(cf, cf->check->text);
}

static bool unknown_serial(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    TRY(id != NULL);
    return not_found(cf, cf_print(cf, "%.*s.AQIDBAUGBwg", (int)strcspn(id, "."), id));
}

static bool unknown_issuer(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    TRY(id != NULL);
    return not_found(cf, cf_print(cf, "AAAAAAAAAAAAAAAAAAAAAAAAAAA%s", strchr(id, '.')));
}

static bool padded(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    TRY(id != NULL);
    return not_found(cf, cf_print(cf, "%.*s=%s", (int)strcspn(id, "."), id, strchr(id, '.')));
}

/* --- replaces --- */

static const char *replaces(struct cf *cf, const char *id)
{
    return cf_print(cf, ",\"replaces\":\"%s\"", id);
}

static bool order_anew(struct cf *cf, struct tc_session *session, const char *name, const char *id)
{
    TRY(id != NULL);
    return cf_call(cf, session, cf_resource(cf, "newOrder"),
                   cf_order_payload(cf, (const char *const[]) { name, NULL }, replaces(cf, id)));
}

static bool shows(struct cf *cf, const char *id)
{
    const char *is = cf_member(cf, "replaces");
    return (is != NULL && strcmp(is, id) == 0) || cf_fail(cf, "the order has not the \"replaces\" that was sent");
}

static bool begin(struct cf *cf, struct cf_certificate *issued, const char **out_id)
{
    TRY(cf_issue_one(cf, cf->first, issued));
    *out_id = certificate_id(cf, issued->leaf);
    return *out_id != NULL;
}

static bool renew(struct cf *cf, const struct cf_certificate *issued, const char *id, struct cf_order *out)
{
    return cf_order_names(cf, cf->first, (const char *const[]) { issued->order.name, NULL }, replaces(cf, id), out);
}

static bool echoed(struct cf *cf)
{
    struct cf_certificate issued;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id) && renew(cf, &issued, id, &order) && shows(cf, id));
    return cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200) && shows(cf, id);
}

static bool finish(struct cf *cf, struct cf_order *order, struct cf_certificate *out)
{
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_authorize(cf, order) && cf_finalize(cf, order, cf_csr_for(cf, key, order->name)) && cf_expect(cf, 200));
    return cf_collect(cf, order, key, out);
}

static bool renewed(struct cf *cf)
{
    struct cf_certificate issued, next;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id) && renew(cf, &issued, id, &order) && finish(cf, &order, &next));
    return cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200) && shows(cf, id);
}

static bool twice(struct cf *cf)
{
    struct cf_certificate issued, next;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id) && renew(cf, &issued, id, &order) && finish(cf, &order, &next));
    return order_anew(cf, cf->first, issued.order.name, id) && cf_refused(cf, 409, "alreadyReplaced");
}

/* Whether an order that is still pending has marked the certificate is left to the server. */
static bool while_pending(struct cf *cf)
{
    struct cf_certificate issued;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id) && renew(cf, &issued, id, &order) && order_anew(cf, cf->first, issued.order.name, id));
    return cf->answer->status == 201 ? shows(cf, id) : cf_refused(cf, 409, "alreadyReplaced");
}

static bool after_invalid(struct cf *cf)
{
    struct cf_certificate issued;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id) && renew(cf, &issued, id, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    TRY(cf_call(cf, cf->first, order.url, NULL) && cf_expect(cf, 200));
    if (!cf_status_is(cf, "invalid"))
        return cf_skip(cf, "the order is not invalid after its authorization was deactivated");
    return order_anew(cf, cf->first, issued.order.name, id) && cf_expect(cf, 201) && shows(cf, id);
}

/* A chain of renewals: each replaces the one before. */
static bool again_and_again(struct cf *cf)
{
    struct cf_certificate issued;
    struct cf_order order;
    const char *id;
    TRY(begin(cf, &issued, &id));
    for (int i = 0; i < 2; i++) {
        struct cf_certificate next;
        TRY(renew(cf, &issued, id, &order) && finish(cf, &order, &next));
        next.order.name = issued.order.name;
        issued = next;
        TRY((id = certificate_id(cf, issued.leaf)) != NULL);
    }
    return true;
}

static bool foreign(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    return order_anew(cf, cf->second, cf->issued.order.name, id) && cf_refused(cf, 0, NULL);
}

static bool unrelated(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    return order_anew(cf, cf->first, cf_name(cf), id) && cf_refused(cf, 0, NULL);
}

/* One name in common suffices. */
static bool one_name_in_common(struct cf *cf)
{
    struct cf_certificate issued;
    const char *id;
    TRY(begin(cf, &issued, &id));
    const char *const names[] = { issued.order.name, cf_name(cf), NULL };
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newOrder"), cf_order_payload(cf, names, replaces(cf, id))));
    return cf_expect(cf, 201) && shows(cf, id);
}

static bool unknown_replaced(struct cf *cf)
{
    const char *id = certificate_id(cf, cf->issued.leaf);
    TRY(id != NULL);
    id = cf_print(cf, "%.*s.AQIDBAUGBwg", (int)strcspn(id, "."), id);
    return order_anew(cf, cf->first, cf->issued.order.name, id) && cf_refused(cf, 0, NULL);
}

static bool bad_replaces(struct cf *cf)
{
    const char *payload = cf_order_payload(cf, (const char *const[]) { cf->issued.order.name, NULL }, cf->check->text);
    return cf_call(cf, cf->first, cf_resource(cf, "newOrder"), payload) && cf_refused(cf, 0, NULL);
}

#define ISSUED (CF_ISSUED | CF_RENEWAL_INFO)
#define FIRST  (CF_FIRST | CF_RENEWAL_INFO)

static const struct cf_check ari_checks[] = {
    { "9773/3.directory", "[9773-3-1]", "renewalInfo of the directory is a URL.", is_url, CF_RENEWAL_INFO },
    { "9773/4.1.get", "[9773-4.1-2] [9773-4.2-1]", "GET gives the certificate's suggestedWindow as JSON.", window,
      ISSUED },
    { "9773/4.2.in-order", "[9773-4.2-3]", "The window ends after its start.", window_in_order, ISSUED },
    { "9773/4.2.before-expiry", "", "The window ends before the certificate does.", window_before_expiry, ISSUED },
    { "9773/4.2.revoked", "[9773-4.2-3]", "The window of a revoked certificate ends after its start too.",
      window_of_revoked, FIRST | CF_REVOKE },
    { "9773/4.2.explanation", "[9773-4.2-2]", "explanationURL, if any, is a URL.", explanation, ISSUED },
    { "9773/4.3.1.retry-after", "[9773-4.3.1-1]", "The answer has Retry-After.", retry_after, ISSUED },
    { "9773/4.1.unknown-serial", "", "An unknown serial number is not found.", unknown_serial, ISSUED },
    { "9773/4.1.unknown-issuer", "", "A known serial number under another key identifier is not found.", unknown_issuer,
      ISSUED },
    { "9773/4.1.padded", "[9773-4.1-1]", "An identifier with padding is not found.", padded, ISSUED },
    { "9773/4.1.no-dot", "", "An identifier without a dot is refused.", made_up, CF_RENEWAL_INFO, .text = "AAAA" },
    { "9773/4.1.two-dots", "", "An identifier with two dots is refused.", made_up, CF_RENEWAL_INFO,
      .text = "AAAA.AAAA.AAAA" },
    { "9773/4.1.not-base64url", "", "An identifier with other characters is refused.", made_up, CF_RENEWAL_INFO,
      .text = "A~A.B~B" },
    { "9773/4.1.empty-serial", "", "An identifier without a serial number is refused.", made_up, CF_RENEWAL_INFO,
      .text = "AAAA." },
    { "9773/5.echoed", "[9773-5-6]", "An order that replaces a certificate says so, at once and later.", echoed,
      FIRST },
    { "9773/5.renewed", "[9773-5-6]", "It can be completed, and still says so.", renewed, FIRST },
    { "9773/5.again", "", "The certificate that came of it can be replaced in its turn.", again_and_again, FIRST },
    { "9773/5.twice", "[9773-5-5]", "A certificate that was replaced is answered 409, alreadyReplaced.", twice, FIRST },
    { "9773/5.while-pending", "[9773-5-5]", "While the first order is pending, a second one is taken or answered 409.",
      while_pending, FIRST },
    { "9773/5.after-invalid", "[9773-5-3]", "An invalid order does not count as a replacement.", after_invalid, FIRST },
    { "9773/5.foreign", "[9773-5-1] [9773-5-4]", "Another account's certificate should not be replaced.", foreign,
      ISSUED | CF_SECOND },
    { "9773/5.unrelated", "[9773-5-2] [9773-5-4]", "An order without a name in common should be refused.", unrelated,
      ISSUED },
    { "9773/5.one-name", "[9773-5-2]", "One name in common suffices.", one_name_in_common, FIRST },
    { "9773/5.unknown", "[9773-5-4]", "An order that replaces an unknown certificate should be refused.",
      unknown_replaced, ISSUED },
    { "9773/5.ill-formed", "[9773-5-4]", "A \"replaces\" that is no identifier should be refused.", bad_replaces,
      ISSUED, .text = ",\"replaces\":\"certificate\"" },
    { "9773/5.no-text", "[9773-5-4]", "A \"replaces\" that is a number should be refused.", bad_replaces, ISSUED,
      .text = ",\"replaces\":1" },
};

CF_GROUP(ari, "RFC 9773", "3-5", "renewal information");
