#include "test-client/conformance/check.h"

static const char *order_csr(struct cf *cf, const struct cf_order *order)
{
    return cf_csr_for(cf, cf_key(cf, TC_KEY_P256), order->name);
}

static bool too_early(struct cf *cf)
{
    return cf_finalize(cf, &cf->pending, order_csr(cf, &cf->pending)) && cf_refused(cf, 403, "orderNotReady");
}

static bool twice(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued) && cf_finalize(cf, &issued.order, order_csr(cf, &issued.order)));
    TRY(cf_refused(cf, 403, "orderNotReady"));
    TRY(cf_call(cf, cf->first, issued.order.url, NULL) && cf_expect(cf, 200));
    const char *url = cf_member(cf, "certificate");
    return (url != NULL && strcmp(url, issued.order.certificate) == 0) ||
           cf_fail(cf, "the order has another certificate now");
}

static bool with_deactivated_authorization(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    return cf_finalize(cf, &order, order_csr(cf, &order)) && cf_refused(cf, 403, "orderNotReady");
}

static bool answered(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order) && cf_finalize(cf, &order, order_csr(cf, &order)) && cf_expect(cf, 200));
    const char *finalize;
    TRY(cf_has_text(cf, "finalize", &finalize));
    return cf_status_is(cf, "processing") || cf_status_is(cf, "valid") ||
           cf_fail(cf, "the order is neither processing nor valid");
}

/* One ready order that every check of a refused payload may use: it must stay ready. */
static bool still_ready(struct cf *cf, const struct cf_order *order)
{
    TRY(cf_call(cf, order->owner, order->url, NULL) && cf_expect(cf, 200));
    return cf_status_is(cf, "ready") || cf_fail(cf, "the order is no longer ready after a bad CSR");
}

static bool refused_payload(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order) && cf_call(cf, cf->first, order.finalize, cf->check->text));
    return cf_refused(cf, 0, NULL);
}

static bool refused_csr(struct cf *cf, const struct cf_order *order, const struct cf_csr *csr)
{
    return cf_finalize(cf, order, cf_make_csr(cf, csr)) && cf_refused(cf, 0, NULL);
}

enum names { OTHER_NAME, MORE_NAMES, NO_NAMES, MORE_ADDRESS, WILDCARD, ONLY_COMMON_NAME, OTHER_COMMON_NAME };

static bool wrong_names(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    const char *right = order.name, *wrong = cf_name(cf);
    const char *const sets[][3] = {
        [OTHER_NAME] = { wrong },
        [MORE_NAMES] = { right, wrong },
        [NO_NAMES] = { NULL },
        [MORE_ADDRESS] = { right, "192.0.2.7" },
        [WILDCARD] = { cf_print(cf, "*.%s", right) },
        [ONLY_COMMON_NAME] = { NULL },
        [OTHER_COMMON_NAME] = { right },
    };
    const char *const *names = sets[cf->check->arg];
    bool common = cf->check->arg == ONLY_COMMON_NAME || cf->check->arg == OTHER_COMMON_NAME;
    struct cf_csr csr = { .key = cf_key(cf, TC_KEY_P256), .names = names[0] != NULL ? names : NULL };
    csr.common_name = common ? wrong : NULL;
    return refused_csr(cf, &order, &csr);
}

static bool fewer_names(struct cf *cf)
{
    struct cf_order order;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    TRY(cf_order_names(cf, cf->first, names, NULL, &order) && cf_authorize(cf, &order));
    return cf_finalize(cf, &order, cf_csr_for(cf, cf_key(cf, TC_KEY_P256), names[0])) && cf_refused(cf, 0, NULL);
}

static bool common_name_issues(struct cf *cf, bool alone)
{
    struct cf_order order;
    struct cf_certificate issued;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_ready(cf, cf->first, &order));
    struct cf_csr csr = { .key = key, .common_name = order.name };
    const char *const names[] = { order.name, NULL };
    csr.names = alone ? NULL : names;
    return cf_finalize(cf, &order, cf_make_csr(cf, &csr)) && cf_expect(cf, 200) && cf_collect(cf, &order, key, &issued);
}

static bool common_name_alone(struct cf *cf)
{
    return common_name_issues(cf, true);
}

static bool common_name_too(struct cf *cf)
{
    return common_name_issues(cf, false);
}

static bool bad_signature(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    struct cf_csr csr = { .key = cf_key(cf, TC_KEY_P256), .names = (const char *const[]) { order.name, NULL } };
    csr.break_signature = true;
    return refused_csr(cf, &order, &csr);
}

static bool bad_csr_type(struct cf *cf)
{
    const char *detail;
    return wrong_names(cf) && cf_refused(cf, 0, "badCSR") && cf_has_text(cf, "detail", &detail) &&
           (*detail != '\0' || cf_fail(cf, "the detail is empty"));
}

static bool weak_key(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    TRY(cf_finalize(cf, &order, cf_csr_for(cf, cf_key_rsa(cf, 1024), order.name)));
    if (cf->answer->status == 200)
        return cf_skip(cf, "the server certifies RSA keys of 1024 bits");
    return cf_refused(cf, 0, "badCSR");
}

static bool known_key(struct cf *cf, struct tc_session *session)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    return cf_finalize(cf, &order, cf_csr_for(cf, jwk_pkey(tc_session_key(session)), order.name)) &&
           cf_refused(cf, 0, NULL);
}

static bool account_key(struct cf *cf)
{
    return known_key(cf, cf->first);
}

static bool other_account_key(struct cf *cf)
{
    return known_key(cf, cf->second);
}

static bool ready_after_bad_csr(struct cf *cf)
{
    struct cf_order order;
    struct cf_certificate issued;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_ready(cf, cf->first, &order) && cf_finalize(cf, &order, cf_csr_for(cf, key, cf_name(cf))));
    TRY(cf_refused(cf, 0, NULL) && still_ready(cf, &order));
    return cf_finalize(cf, &order, cf_csr_for(cf, key, order.name)) && cf_expect(cf, 200) &&
           cf_collect(cf, &order, key, &issued);
}

/* A good CSR, damaged in its text form. */
static bool damaged(struct cf *cf)
{
    struct cf_order order;
    TRY(cf_ready(cf, cf->first, &order));
    const char *csr = order_csr(cf, &order);
    struct bytes der = cf_unb64(cf, csr);
    uint8_t *longer = arena_alloc(cf->arena, der.len + 3);
    CHECK(longer != NULL);
    memcpy(longer, der.data, der.len);
    const char *const texts[] = {
        cf_b64(cf, bytes_of(der.data, der.len / 2)),
        cf_b64(cf, bytes_of(longer, der.len + 3)),
        cf_print(cf, "%s%s", csr,
                 strlen(csr) % 4 == 2   ? "=="
                 : strlen(csr) % 4 == 3 ? "="
                                        : "===="),
        cf_print(cf, "-----BEGIN CERTIFICATE REQUEST-----\\n%s\\n-----END CERTIFICATE REQUEST-----\\n", csr),
    };
    return cf_finalize(cf, &order, texts[cf->check->arg]) && cf_refused(cf, 0, NULL);
}

static bool key_of_type(struct cf *cf)
{
    struct cf_order order;
    struct cf_certificate issued;
    EVP_PKEY *key = cf_key_rsa(cf, 2048);
    TRY(cf_ready(cf, cf->first, &order) && cf_finalize(cf, &order, cf_csr_for(cf, key, order.name)));
    return cf_expect(cf, 200) && cf_collect(cf, &order, key, &issued) &&
           (X509_check_private_key(issued.leaf, key) == 1 || cf_fail(cf, "the certificate is for another key"));
}

/* Two orders of one account for the same names, an RSA and an ECDSA key. */
static bool two_orders(struct cf *cf)
{
    struct cf_order a, b;
    struct cf_certificate first, second;
    const char *const names[] = { cf_name(cf), NULL };
    EVP_PKEY *ecdsa = cf_key(cf, TC_KEY_P256), *rsa = cf_key_rsa(cf, 2048);
    TRY(cf_order_names(cf, cf->first, names, NULL, &a) && cf_order_names(cf, cf->first, names, NULL, &b));
    TRY(cf_authorize(cf, &a) && cf_authorize(cf, &b));
    TRY(cf_finalize(cf, &a, cf_csr_for(cf, ecdsa, names[0])) && cf_expect(cf, 200));
    if (strcmp(a.url, b.url) == 0)
        return cf_skip(cf, "the server takes the second order for the first");
    TRY(cf_finalize(cf, &b, cf_csr_for(cf, rsa, names[0])) && cf_expect(cf, 200));
    return cf_collect(cf, &a, ecdsa, &first) && cf_collect(cf, &b, rsa, &second);
}

static const struct cf_check finalize_checks[] = {
    { "7.4.too-early", "[8555-7.4-10]", "finalize of a pending order is answered 403, orderNotReady.", too_early,
      CF_PENDING },
    { "7.4.twice", "[8555-7.4-10] [8555-7.1.6-5]", "finalize of a valid order is answered 403, orderNotReady.", twice,
      CF_FIRST },
    { "7.4.deactivated", "[8555-7.4-10] [8555-7.5.2-3] [8555-7.1.6-6]",
      "An order whose authorization was deactivated cannot be finalized.", with_deactivated_authorization, CF_FIRST },
    { "7.4.answered", "[8555-7.4-11]", "A good finalize is answered 200 with the order.", answered, CF_FIRST },
    { "7.4.no-csr", "[8555-7.4-5]", "finalize without csr is refused.", refused_payload, CF_FIRST, .text = "{}" },
    { "7.4.empty-csr", "[8555-7.4-5]", "finalize with an empty csr is refused.", refused_payload, CF_FIRST,
      .text = "{\"csr\":\"\"}" },
    { "7.4.csr-no-text", "[8555-7.4-5]", "finalize with a number as csr is refused.", refused_payload, CF_FIRST,
      .text = "{\"csr\":17}" },
    { "7.4.csr-not-der", "[8555-7.4-8]", "A csr that is no DER is refused.", refused_payload, CF_FIRST,
      .text = "{\"csr\":\"aGVsbG8\"}" },
    { "7.4.csr-cut", "[8555-7.4-8]", "Half a CSR is refused.", damaged, CF_FIRST, 0 },
    { "7.4.csr-longer", "[8555-7.4-8]", "A CSR with bytes behind it is refused.", damaged, CF_FIRST, 1 },
    { "7.4.csr-padded", "[8555-6.1-5]", "A csr with base64 padding is refused.", damaged, CF_FIRST, 2 },
    { "7.4.csr-pem", "[8555-7.4-8]", "A csr in PEM is refused.", damaged, CF_FIRST, 3 },
    { "7.4.csr-other-name", "[8555-7.4-6]", "A CSR for another name is refused.", wrong_names, CF_FIRST, OTHER_NAME },
    { "7.4.csr-more-names", "[8555-7.4-6]", "A CSR with one name more is refused.", wrong_names, CF_FIRST, MORE_NAMES },
    { "7.4.csr-fewer-names", "[8555-7.4-6]", "A CSR with one name less is refused.", fewer_names, CF_FIRST },
    { "7.4.csr-no-names", "[8555-7.4-6] [8555-7.4-7]", "A CSR without names is refused.", wrong_names, CF_FIRST,
      NO_NAMES },
    { "7.4.csr-more-address", "[8555-7.4-6]", "A CSR with an IP address besides is refused.", wrong_names, CF_FIRST,
      MORE_ADDRESS },
    { "7.4.csr-wildcard", "[8555-7.4-6]", "A CSR for the wildcard of the name is refused.", wrong_names, CF_FIRST,
      WILDCARD },
    { "7.4.csr-only-other-common-name", "[8555-7.4-6] [8555-7.4-7]", "A CSR with another common name alone is refused.",
      wrong_names, CF_FIRST, ONLY_COMMON_NAME },
    { "7.4.csr-other-common-name", "[8555-7.4-6]", "A CSR with another name as common name is refused.", wrong_names,
      CF_FIRST, OTHER_COMMON_NAME },
    { "7.4.csr-common-name-alone", "[8555-7.4-7]", "A CSR may have the name as its common name alone.",
      common_name_alone, CF_FIRST },
    { "7.4.csr-common-name-too", "[8555-7.4-7]", "A CSR may have the name in both places.", common_name_too, CF_FIRST },
    { "7.4.csr-bad-signature", "", "A CSR with a damaged signature is refused (RFC 2986 §3).", bad_signature,
      CF_FIRST },
    { "7.4.csr-problem", "[8555-7.4-8]", "The problem of a CSR for another name should be badCSR, with reasons.",
      bad_csr_type, CF_FIRST, OTHER_NAME },
    { "7.4.csr-weak-key", "[8555-7.4-8]", "A CSR with an RSA key of 1024 bits should be badCSR.", weak_key, CF_FIRST },
    { "7.4.ready-after-bad-csr", "[8555-7.4-9]", "After a bad CSR, the order should be ready for another one.",
      ready_after_bad_csr, CF_FIRST },
    { "7.4.rsa", "", "A CSR with an RSA key of 2048 bits gives a certificate.", key_of_type, CF_FIRST },
    { "7.4.two-orders", "", "Two orders for the same name can be completed with two keys.", two_orders, CF_FIRST },
    { "11.1.account-key", "[8555-11.1-1] [8555-11.1-2]", "A CSR with the account's own key is refused.", account_key,
      CF_FIRST },
    { "11.1.other-account-key", "[8555-11.1-1]", "A CSR with another account's key is refused.", other_account_key,
      CF_FIRST | CF_SECOND },
};

CF_GROUP(finalize, "RFC 8555", "7.4", "finalize");
