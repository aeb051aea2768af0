/* RFC 8555 §7.4.2 and §9.1: what is downloaded in the end. */
#include "test-client/conformance/check.h"

#include <openssl/x509v3.h>

#include <stdio.h>
#include <strings.h>

static bool fetch_as(struct cf *cf, const char *url, const char *accept)
{
    const char *headers[] = { accept != NULL ? cf_print(cf, "Accept: %s", accept) : NULL, NULL };
    struct tc_post post = { .url = url, .headers = headers };
    return cf_post(cf, cf->first, &post);
}

static bool media_type(struct cf *cf)
{
    return fetch_as(cf, cf->issued.order.certificate, cf->check->text) && cf_expect(cf, 200) &&
           cf_media_type(cf, "application/pem-certificate-chain");
}

/* RFC 7468 §3: base64 in lines of 64 characters, the last one shorter. */
static bool strict_lines(struct cf *cf, const char *pem)
{
    bool inside = false, last = false;
    for (const char *at = pem; *at != '\0';) {
        size_t len = strcspn(at, "\n");
        size_t text = len > 0 && at[len - 1] == '\r' ? len - 1 : len;
        if (strncmp(at, "-----BEGIN CERTIFICATE-----", text) == 0 && text == 27) {
            inside = true;
            last = false;
        } else if (strncmp(at, "-----END CERTIFICATE-----", text) == 0 && text == 25) {
            inside = false;
        } else if (text > 0 && (!inside || text > 64 || last)) {
            return cf_fail(cf, "a line that does not belong there: \"%.*s\"", (int)(text < 80 ? text : 80), at);
        } else {
            last = inside && text < 64;
        }
        at += len + (at[len] == '\n');
    }
    return !inside || cf_fail(cf, "the last certificate has no end");
}

static bool strict_pem(struct cf *cf)
{
    return strict_lines(cf, cf->issued.pem);
}

static size_t read_chain(struct cf *cf, X509 **chain)
{
    size_t count = cf_read_chain(cf, cf->issued.pem, chain);
    if (count == 0)
        cf_fail(cf, "the certificate's answer is no PEM chain");
    return count;
}

static bool leaf_first(struct cf *cf)
{
    if (X509_check_ca(cf->issued.leaf) != 0)
        return cf_fail(cf, "the first certificate is an authority's");
    return X509_check_private_key(cf->issued.leaf, cf->issued.key) == 1 ||
           cf_fail(cf, "the first certificate is not for the key of the CSR");
}

static bool chain_order(struct cf *cf)
{
    X509 *chain[TC_CHAIN_MAX];
    size_t count = read_chain(cf, chain);
    TRY(count > 0);
    for (size_t i = 0; i + 1 < count; i++) {
        if (X509_check_issued(chain[i + 1], chain[i]) != X509_V_OK ||
            X509_verify(chain[i], X509_get0_pubkey(chain[i + 1])) != 1)
            return cf_fail(cf, "certificate %zu of the chain was not issued by the one behind it", i + 1);
    }
    return count > 1 || cf_skip(cf, "the chain is the leaf alone");
}

static bool issuers_are_authorities(struct cf *cf)
{
    X509 *chain[TC_CHAIN_MAX];
    size_t count = read_chain(cf, chain);
    TRY(count > 0);
    for (size_t i = 1; i < count; i++) {
        if (X509_check_ca(chain[i]) == 0)
            return cf_fail(cf, "certificate %zu of the chain is no authority's", i + 1);
    }
    return count > 1 || cf_skip(cf, "the chain is the leaf alone");
}

static bool no_root(struct cf *cf)
{
    X509 *chain[TC_CHAIN_MAX];
    size_t count = read_chain(cf, chain);
    TRY(count > 0);
    return X509_self_signed(chain[count - 1], 0) == 0 || cf_fail(cf, "the chain ends with a self-signed certificate");
}

static bool names_equal(struct cf *cf, X509 *leaf, const char *const *names)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    size_t count = 0;
    int found = list != NULL ? sk_GENERAL_NAME_num(list) : 0;
    GENERAL_NAMES_free(list);
    for (; names[count] != NULL; count++) {
        if (X509_check_host(leaf, names[count], 0, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL) != 1)
            return cf_fail(cf, "the certificate is not for %s", names[count]);
    }
    return (size_t)found == count || cf_fail(cf, "the certificate has %d names instead of %zu", found, count);
}

static bool names(struct cf *cf)
{
    struct cf_certificate issued;
    const char *const asked[] = { cf_name(cf), cf_name(cf), cf_name(cf), NULL };
    return cf_issue(cf, cf->first, asked, NULL, &issued) && names_equal(cf, issued.leaf, asked);
}

static bool validity(struct cf *cf)
{
    const ASN1_TIME *from = X509_get0_notBefore(cf->issued.leaf), *until = X509_get0_notAfter(cf->issued.leaf);
    if (X509_cmp_time(from, NULL) > 0)
        return cf_fail(cf, "the certificate is not valid yet");
    return X509_cmp_time(until, NULL) > 0 || cf_fail(cf, "the certificate is not valid any more");
}

static bool serial(struct cf *cf)
{
    struct cf_certificate other;
    TRY(cf_issue_one(cf, cf->first, &other));
    const ASN1_INTEGER *a = X509_get0_serialNumber(cf->issued.leaf), *b = X509_get0_serialNumber(other.leaf);
    if (a->length > 20 || (a->type & V_ASN1_NEG) != 0)
        return cf_fail(cf, "the serial number is negative or longer than 20 octets");
    return ASN1_INTEGER_cmp(a, b) != 0 || cf_fail(cf, "two certificates have the same serial number");
}

static bool same_again(struct cf *cf)
{
    TRY(cf_call(cf, cf->first, cf->issued.order.certificate, NULL) && cf_expect(cf, 200));
    return strcmp(buf_str(&cf->answer->body), cf->issued.pem) == 0 || cf_fail(cf, "the second download is another one");
}

/* Skips where a server gives its default format whatever is asked for, which it may. */
static bool fetch_der(struct cf *cf, X509 **out)
{
    TRY(fetch_as(cf, cf->issued.order.certificate, "application/pkix-cert"));
    const char *type = cf_header(cf, "Content-Type");
    if (cf->answer->status >= 400 || type == NULL || strncasecmp(type, "application/pkix-cert", 21) != 0)
        return cf_skip(cf, "the server gives no application/pkix-cert");
    *out = cf_read_der(cf, buf_bytes(&cf->answer->body));
    return *out != NULL || cf_fail(cf, "the answer is no certificate in DER");
}

static bool der(struct cf *cf)
{
    X509 *certificate;
    TRY(fetch_der(cf, &certificate));
    return X509_cmp(certificate, cf->issued.leaf) == 0 || cf_fail(cf, "the certificate in DER is another one");
}

static bool der_links_up(struct cf *cf)
{
    X509 *certificate;
    TRY(fetch_der(cf, &certificate));
    const char *up = cf_link(cf, "up");
    return cf_is_url(up) || cf_fail(cf, "the answer has no Link with rel=\"up\" to the issuer");
}

static bool der_issuer(struct cf *cf)
{
    X509 *certificate;
    TRY(fetch_der(cf, &certificate));
    const char *up = cf_link(cf, "up");
    TRY(up != NULL || cf_skip(cf, "the answer has no Link with rel=\"up\""));
    TRY(fetch_as(cf, up, "application/pkix-cert") && cf_expect(cf, 200));
    X509 *issuer = cf_read_der(cf, buf_bytes(&cf->answer->body));
    if (issuer == NULL)
        return cf_skip(cf, "the issuer comes in another format");
    return X509_verify(certificate, X509_get0_pubkey(issuer)) == 1 || cf_fail(cf, "that is not the issuer");
}

static bool alternates(struct cf *cf)
{
    const char *urls[TC_CHAIN_MAX];
    unsigned count = 0;
    TRY(cf_call(cf, cf->first, cf->issued.order.certificate, NULL) && cf_expect(cf, 200));
    while (count < TC_CHAIN_MAX && (urls[count] = tc_answer_link(cf->answer, cf->arena, "alternate", count)) != NULL)
        count++;
    if (count == 0)
        return cf_skip(cf, "there are no alternate chains");
    for (unsigned i = 0; i < count; i++) {
        X509 *chain[TC_CHAIN_MAX];
        TRY(cf_call(cf, cf->first, urls[i], NULL) && cf_expect(cf, 200));
        const char *pem = cf_print(cf, "%s", buf_str(&cf->answer->body));
        if (cf_read_chain(cf, pem, chain) == 0 || X509_cmp(chain[0], cf->issued.leaf) != 0)
            return cf_fail(cf, "alternate chain %u does not begin with the same certificate", i + 1);
        if (strcmp(pem, cf->issued.pem) == 0)
            return cf_fail(cf, "alternate chain %u is the default one", i + 1);
    }
    return true;
}

static bool alternate_order(struct cf *cf)
{
    X509 *chain[TC_CHAIN_MAX];
    TRY(cf_call(cf, cf->first, cf->issued.order.certificate, NULL) && cf_expect(cf, 200));
    const char *url = cf_link(cf, "alternate");
    TRY(url != NULL || cf_skip(cf, "there are no alternate chains"));
    TRY(cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
    const char *pem = cf_print(cf, "%s", buf_str(&cf->answer->body));
    size_t count = cf_read_chain(cf, pem, chain);
    for (size_t i = 0; i + 1 < count; i++) {
        if (X509_verify(chain[i], X509_get0_pubkey(chain[i + 1])) != 1)
            return cf_fail(cf, "certificate %zu of the chain was not issued by the one behind it", i + 1);
    }
    return strict_lines(cf, pem);
}

static bool foreign_alternate(struct cf *cf)
{
    TRY(cf_call(cf, cf->first, cf->issued.order.certificate, NULL) && cf_expect(cf, 200));
    const char *url = cf_link(cf, "alternate");
    TRY(url != NULL || cf_skip(cf, "there are no alternate chains"));
    return cf_call(cf, cf->second, url, NULL) && cf_refused(cf, 0, NULL);
}

/* RFC 8555 §10.5: nobody finds a resource by trying: the last part of its URL is long. */
static bool hard_to_guess(struct cf *cf)
{
    enum { SHORT = 14 };
    const char *url = cf_url_of(cf, cf->check->arg);
    TRY(url != NULL);
    size_t longest = 0;
    for (const char *at = strchr(url + strlen("https://"), '/'); at != NULL; at = strchr(at + 1, '/')) {
        size_t len = strcspn(at + 1, "/");
        longest = len > longest ? len : longest;
    }
    return longest >= SHORT || cf_fail(cf, "%.200s has no part that is hard to guess", url);
}

static const struct cf_check certificate_checks[] = {
    { "7.4.2.media-type", "[8555-7.4.2-1]", "A certificate is a PEM chain by default.", media_type, CF_ISSUED },
    { "7.4.2.media-type-asked", "[8555-7.4.2-1]", "It is when that is asked for.", media_type, CF_ISSUED,
      .text = "application/pem-certificate-chain" },
    { "7.4.2.media-type-any", "[8555-7.4.2-1]", "It is when anything will do.", media_type, CF_ISSUED,
      .text = "application/json;q=0.1, */*" },
    { "7.4.2.same-again", "", "A certificate can be downloaded again.", same_again, CF_ISSUED },
    { "7.4.2.der", "", "A certificate in DER is the same one.", der, CF_ISSUED },
    { "7.4.2.der-links-up", "[8555-7.4.2-3]", "A certificate in DER should link to its issuer.", der_links_up,
      CF_ISSUED },
    { "7.4.2.der-issuer", "[8555-7.4.2-3]", "What it links to should be the issuer.", der_issuer, CF_ISSUED },
    { "7.4.2.alternates", "[8555-7.4.2-2]", "Alternate chains should begin with the same certificate.", alternates,
      CF_ISSUED },
    { "7.4.2.alternate-order", "[8555-7.4.2-2] [8555-9.1-4]", "An alternate chain should be in order too.",
      alternate_order, CF_ISSUED },
    { "7.4.2.foreign-alternate", "[8555-6.3-4]", "An alternate chain is not given to another account.",
      foreign_alternate, CF_ISSUED | CF_SECOND },
    { "9.1.strict-pem", "[8555-9.1-1] [8555-9.1-2]", "The PEM chain is strict, and nothing but certificates.",
      strict_pem, CF_ISSUED },
    { "9.1.leaf-first", "[8555-9.1-3]", "The first certificate is the one for the key of the CSR.", leaf_first,
      CF_ISSUED },
    { "9.1.chain-order", "[8555-9.1-4]", "Each further certificate should be the issuer of the one before.",
      chain_order, CF_ISSUED },
    { "9.1.authorities", "[8555-9.1-4]", "Each further certificate should be an authority's.", issuers_are_authorities,
      CF_ISSUED },
    { "9.1.no-root", "", "The chain leaves the trust anchor out.", no_root, CF_ISSUED },
    { "7.4.names", "[8555-7.4-3]", "A certificate has the names of its order and no others.", names, CF_FIRST },
    { "7.4.validity", "[8555-7.4-3]", "A certificate is valid at once.", validity, CF_ISSUED },
    { "7.4.serial", "", "Serial numbers are positive, short enough and unique (RFC 5280 §4.1.2.2).", serial,
      CF_ISSUED },
    { "10.5.account", "[8555-10.5-1]", "An account's URL should be hard to guess.", hard_to_guess, CF_FIRST,
      CF_ACCOUNT_URL },
    { "10.5.order", "[8555-10.5-1]", "An order's URL should be hard to guess.", hard_to_guess, CF_PENDING,
      CF_ORDER_URL },
    { "10.5.authorization", "[8555-10.5-1]", "An authorization's URL should be hard to guess.", hard_to_guess,
      CF_PENDING, CF_AUTHORIZATION_URL },
    { "10.5.certificate", "[8555-10.5-1]", "A certificate's URL should be hard to guess.", hard_to_guess, CF_ISSUED,
      CF_CERTIFICATE_URL },
};

CF_GROUP(certificate, "RFC 8555", "7.4.2,9.1", "certificates and their chains");
