#include "test-client/conformance/check.h"

#include <openssl/x509v3.h>

/* Revocation by kid, or with the key as jwk. */
static bool revoke(struct cf *cf, struct tc_session *session, const struct jwk *key, X509 *certificate,
                   const char *more)
{
    struct tc_post post = { .url = cf_resource(cf, "revokeCert"), .key = key, .embed_key = key != NULL };
    post.payload = cf_print(cf, "{\"certificate\":\"%s\"%s}", cf_certificate_b64(cf, certificate), more);
    return cf_post(cf, session, &post);
}

static bool by_account(struct cf *cf)
{
    struct cf_certificate issued;
    return cf_issue_one(cf, cf->first, &issued) && revoke(cf, cf->first, NULL, issued.leaf, "") && cf_expect(cf, 200);
}

static bool by_key(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    return revoke(cf, cf->visitor, cf_jwk(cf, issued.key), issued.leaf, "") && cf_expect(cf, 200);
}

/* An account that has proved some of the names by itself. */
static bool prove(struct cf *cf, struct tc_session *session, const char *const *names)
{
    struct cf_order order;
    return cf_order_names(cf, session, names, NULL, &order) && cf_authorize(cf, &order);
}

static bool by_authorizations(struct cf *cf)
{
    struct cf_certificate issued;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    TRY(cf_issue(cf, cf->first, names, NULL, &issued) && prove(cf, cf->second, names));
    return revoke(cf, cf->second, NULL, issued.leaf, "") && cf_expect(cf, 200);
}

static bool still_revocable(struct cf *cf, const struct cf_certificate *issued)
{
    TRY(revoke(cf, cf->first, NULL, issued->leaf, ""));
    return cf->answer->status == 200 || cf_fail(cf, "the certificate cannot be revoked by its owner any more");
}

static bool some_authorizations(struct cf *cf)
{
    struct cf_certificate issued;
    const char *const names[] = { cf_name(cf), cf_name(cf), NULL };
    TRY(cf_issue(cf, cf->first, names, NULL, &issued));
    TRY(prove(cf, cf->second, (const char *const[]) { names[0], NULL }));
    return revoke(cf, cf->second, NULL, issued.leaf, "") && cf_refused(cf, 0, NULL) && still_revocable(cf, &issued);
}

static bool deactivated_authorization(struct cf *cf)
{
    struct cf_certificate issued;
    struct cf_order order;
    const char *const names[] = { cf_name(cf), NULL };
    TRY(cf_issue(cf, cf->first, names, NULL, &issued));
    TRY(cf_order_names(cf, cf->second, names, NULL, &order) && cf_authorize(cf, &order));
    TRY(cf_call(cf, cf->second, order.authorizations[0], "{\"status\":\"deactivated\"}") && cf_expect(cf, 200));
    return revoke(cf, cf->second, NULL, issued.leaf, "") && cf_refused(cf, 0, NULL) && still_revocable(cf, &issued);
}

static bool by_stranger(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued) && revoke(cf, cf->second, NULL, issued.leaf, ""));
    return cf_refused(cf, 0, "unauthorized") && still_revocable(cf, &issued);
}

static bool by_other_key(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    TRY(revoke(cf, cf->visitor, cf_jwk(cf, cf_key(cf, TC_KEY_P256)), issued.leaf, "") && cf_refused(cf, 0, NULL));
    return still_revocable(cf, &issued);
}

/* The key of the account as jwk: that proves no certificate key. */
static bool by_account_jwk(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    TRY(revoke(cf, cf->visitor, tc_session_key(cf->second), issued.leaf, "") && cf_refused(cf, 0, NULL));
    return still_revocable(cf, &issued);
}

static bool jwk_of_another_signer(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    const char *url = cf_resource(cf, "revokeCert");
    const char *payload = cf_print(cf, "{\"certificate\":\"%s\"}", cf_certificate_b64(cf, issued.leaf));
    struct cf_jws jws = { .jwk = jwk_json(cf_jwk(cf, issued.key)), .key = tc_session_key(cf->second) };
    const char *body = cf_sign(cf, cf->second, url, payload, &jws);
    return body != NULL && cf_post_body(cf, cf->second, url, body) && cf_refused(cf, 0, NULL) &&
           still_revocable(cf, &issued);
}

static bool twice(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued) && revoke(cf, cf->first, NULL, issued.leaf, "") && cf_expect(cf, 200));
    return revoke(cf, cf->first, NULL, issued.leaf, "") && cf_refused(cf, 400, "alreadyRevoked");
}

static bool twice_by_key(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued) && revoke(cf, cf->first, NULL, issued.leaf, "") && cf_expect(cf, 200));
    return revoke(cf, cf->visitor, cf_jwk(cf, issued.key), issued.leaf, "") && cf_refused(cf, 400, "alreadyRevoked");
}

static bool with_reason(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    TRY(revoke(cf, cf->first, NULL, issued.leaf, cf_print(cf, ",\"reason\":%d", cf->check->arg)));
    if (cf->answer->status >= 400)
        return cf_refused(cf, 0, "badRevocationReason") && cf_skip(cf, "the server does not allow this reason");
    return cf_expect(cf, 200);
}

static bool bad_reason(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    TRY(revoke(cf, cf->first, NULL, issued.leaf, cf_print(cf, ",\"reason\":%s", cf->check->text)));
    return cf_refused(cf, 0, cf->check->arg != 0 ? "badRevocationReason|malformed" : "badRevocationReason") &&
           still_revocable(cf, &issued);
}

static bool names_reasons(struct cf *cf)
{
    struct cf_certificate issued;
    const char *detail;
    TRY(cf_issue_one(cf, cf->first, &issued) && revoke(cf, cf->first, NULL, issued.leaf, ",\"reason\":99"));
    TRY(cf_refused(cf, 0, "badRevocationReason") && cf_has_text(cf, "detail", &detail));
    return strpbrk(detail, "01345") != NULL || cf_fail(cf, "the detail names no reason that is allowed");
}

static bool refused_payload(struct cf *cf)
{
    return cf_call(cf, cf->first, cf_resource(cf, "revokeCert"), cf->check->text) && cf_refused(cf, 0, NULL);
}

static void drop_x509(void *certificate)
{
    X509_free(certificate);
}

/* A certificate of our own making with the issuer's name and a serial number of its own. */
static bool not_of_this_ca(struct cf *cf)
{
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    X509 *made = X509_dup(cf->issued.leaf);
    CHECK(made != NULL);
    cf_keep(cf, made, drop_x509);
    CHECK(X509_set_pubkey(made, key) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(made), 4711) == 1 &&
          X509_sign(made, key, crypto_sha256()) > 0);
    return revoke(cf, cf->visitor, cf_jwk(cf, key), made, "") && cf_refused(cf, 0, NULL);
}

/* The serial number of a real one, the key of a stranger. */
static bool forged(struct cf *cf)
{
    struct cf_certificate issued;
    EVP_PKEY *key = cf_key(cf, TC_KEY_P256);
    TRY(cf_issue_one(cf, cf->first, &issued));
    X509 *made = X509_dup(issued.leaf);
    CHECK(made != NULL);
    cf_keep(cf, made, drop_x509);
    CHECK(X509_set_pubkey(made, key) == 1 && X509_sign(made, key, crypto_sha256()) > 0);
    return revoke(cf, cf->visitor, cf_jwk(cf, key), made, "") && cf_refused(cf, 0, NULL) &&
           still_revocable(cf, &issued);
}

static bool padded(struct cf *cf)
{
    struct cf_certificate issued;
    TRY(cf_issue_one(cf, cf->first, &issued));
    const char *der = cf_certificate_b64(cf, issued.leaf);
    const char *padding = strlen(der) % 4 == 2 ? "==" : strlen(der) % 4 == 3 ? "=" : "====";
    TRY(cf_call(cf, cf->first, cf_resource(cf, "revokeCert"),
                cf_print(cf, "{\"certificate\":\"%s%s\"}", der, padding)));
    return cf_refused(cf, 0, NULL) && still_revocable(cf, &issued);
}

#define REVOKE (CF_FIRST | CF_REVOKE)

static const struct cf_check revoke_checks[] = {
    { "7.6.by-account", "[8555-7.6-5] [8555-7.6-8]", "The account that ordered a certificate can revoke it.",
      by_account, REVOKE },
    { "7.6.by-key", "[8555-6.2-18] [8555-7.6-7] [8555-7.6-8]", "The certificate's own key can revoke it.", by_key,
      REVOKE },
    { "7.6.by-authorizations", "[8555-7.6-6]", "An account with authorizations for all its names can revoke it.",
      by_authorizations, REVOKE | CF_SECOND },
    { "7.6.some-authorizations", "[8555-7.6-4] [8555-7.6-6]", "An account with authorizations for some cannot.",
      some_authorizations, REVOKE | CF_SECOND },
    { "7.6.deactivated-authorization", "[8555-7.6-4]", "A deactivated authorization does not count for that.",
      deactivated_authorization, REVOKE | CF_SECOND },
    { "7.6.by-stranger", "[8555-7.6-4]", "Another account cannot revoke a certificate.", by_stranger,
      REVOKE | CF_SECOND },
    { "7.6.by-other-key", "[8555-6.2-18] [8555-7.6-4]", "Another key cannot revoke a certificate.", by_other_key,
      REVOKE },
    { "7.6.by-account-jwk", "[8555-6.2-18] [8555-7.6-4]", "Another account's key as jwk cannot revoke it.",
      by_account_jwk, REVOKE | CF_SECOND },
    { "7.6.jwk-of-another-signer", "[8555-6.2-18] [8555-7.6-4]", "Its key as jwk with another signature cannot.",
      jwk_of_another_signer, REVOKE | CF_SECOND },
    { "7.6.twice", "[8555-7.6-9]", "A second revocation is answered 400, alreadyRevoked.", twice, REVOKE },
    { "7.6.twice-by-key", "[8555-7.6-9]", "A second revocation by the key is answered so too.", twice_by_key, REVOKE },
    { "7.6.reason-0", "", "Reason 0 (unspecified) is allowed.", with_reason, REVOKE, 0 },
    { "7.6.reason-1", "", "Reason 1 (keyCompromise) is allowed.", with_reason, REVOKE, 1 },
    { "7.6.reason-4", "", "Reason 4 (superseded) is allowed.", with_reason, REVOKE, 4 },
    { "7.6.reason-5", "", "Reason 5 (cessationOfOperation) is allowed.", with_reason, REVOKE, 5 },
    { "7.6.reason-7", "[8555-7.6-2]", "Reason 7, which does not exist, is badRevocationReason.", bad_reason, REVOKE,
      .text = "7" },
    { "7.6.reason-11", "[8555-7.6-2]", "Reason 11, which does not exist, is badRevocationReason.", bad_reason, REVOKE,
      .text = "11" },
    { "7.6.reason-negative", "[8555-7.6-2]", "Reason -1 is refused.", bad_reason, REVOKE, 1, "-1" },
    { "7.6.reason-text", "[8555-7.6-2]", "A reason that is a text is refused.", bad_reason, REVOKE, 1,
      "\"superseded\"" },
    { "7.6.reason-fraction", "[8555-7.6-2]", "Reason 1.5 is refused.", bad_reason, REVOKE, 1, "1.5" },
    { "7.6.names-reasons", "[8555-7.6-3]", "That problem should name the reasons that are allowed.", names_reasons,
      REVOKE },
    { "7.6.no-certificate", "[8555-7.6-4]", "A revocation without certificate is refused.", refused_payload, REVOKE,
      .text = "{}" },
    { "7.6.empty-certificate", "[8555-7.6-4]", "A revocation of an empty text is refused.", refused_payload, REVOKE,
      .text = "{\"certificate\":\"\"}" },
    { "7.6.not-der", "[8555-7.6-4]", "A revocation of something that is no DER is refused.", refused_payload, REVOKE,
      .text = "{\"certificate\":\"aGVsbG8\"}" },
    { "7.6.certificate-no-text", "[8555-7.6-4]", "A revocation of a number is refused.", refused_payload, REVOKE,
      .text = "{\"certificate\":5}" },
    { "7.6.padded", "[8555-6.1-5]", "A certificate with base64 padding is refused.", padded, REVOKE },
    { "7.6.not-of-this-ca", "[8555-7.6-4]", "A certificate that the server did not issue is refused.", not_of_this_ca,
      CF_ISSUED | CF_REVOKE },
    { "7.6.forged", "[8555-7.6-4]", "A forged certificate with a real serial number revokes nothing.", forged, REVOKE },
};

CF_GROUP(revoke, "RFC 8555", "7.6", "revocation");
