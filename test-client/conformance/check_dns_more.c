/* draft-ietf-acme-dns-account-label (dns-account-01) and draft-ietf-acme-dns-persist (dns-persist-01). */
#include "test-client/conformance/check.h"

#include "base/world.h"

static bool begin(struct cf *cf, const char *type, const char *name, struct cf_order *order,
                  struct cf_challenge *challenge)
{
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { name, NULL }, NULL, order));
    TRY(cf_challenge(cf, cf->first, order->authorizations[0], type, challenge));
    return cf_prover_can(cf->prover, CHALLENGE_DNS_01) || cf_skip(cf, "no DNS answers can be given from here");
}

static bool put(struct cf *cf, const char *owner, const char *value)
{
    return cf_prover_txt(cf->prover, owner, value) || cf_skip(cf, "the TXT record cannot be put up from here");
}

/* --- dns-account-01 --- */

/* "_", base32 in small letters of the first ten octets of the account URL's SHA-256, ".", "_acme-challenge", … */
static const char *account_label(struct cf *cf, const char *account_url)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t digest[SHA256_BYTES];
    char label[17] = { 0 };
    crypto_digest_sha256(bytes_text(account_url), digest);
    for (size_t i = 0; i < 16; i++) {
        size_t bit = 5 * i;
        unsigned pair = (unsigned)digest[bit / 8] << 8 | digest[bit / 8 + 1];
        label[i] = alphabet[pair >> (11 - bit % 8) & 31];
    }
    return cf_print(cf, "_%s", label);
}

static const char *digest_of(struct cf *cf, const struct cf_challenge *challenge)
{
    const char *digest = key_authorization_dns(cf->arena, challenge->key_authorization);
    CHECK(digest != NULL);
    return digest;
}

static bool account_good(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    const char *name = cf_name(cf);
    TRY(begin(cf, "dns-account-01", cf->check->arg != 0 ? cf_print(cf, "*.%s", name) : name, &order, &challenge));
    const char *label = account_label(cf, tc_session_kid(cf->first));
    TRY(put(cf, cf_print(cf, "%s._acme-challenge.%s", label, name), digest_of(cf, &challenge)));
    return cf_ends_as(cf, &order, &challenge, "valid");
}

enum place { NOWHERE, DNS_01_PLACE, OTHER_LABEL, UNDER_NAME };

static bool account_misplaced(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "dns-account-01", cf_name(cf), &order, &challenge));
    const char *name = challenge.name, *right = account_label(cf, tc_session_kid(cf->first));
    const char *const places[] = {
        [NOWHERE] = cf_print(cf, "nowhere.%s", name),
        [DNS_01_PLACE] = cf_print(cf, "_acme-challenge.%s", name),
        [OTHER_LABEL] = cf_print(cf, "%s._acme-challenge.%s", account_label(cf, tc_session_kid(cf->second)), name),
        [UNDER_NAME] = cf_print(cf, "%s.%s", right, name),
    };
    return put(cf, places[cf->check->arg], digest_of(cf, &challenge)) && cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool account_wrong_value(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, "dns-account-01", cf_name(cf), &order, &challenge));
    const char *label = account_label(cf, tc_session_kid(cf->first));
    return put(cf, cf_print(cf, "%s._acme-challenge.%s", label, challenge.name), challenge.key_authorization) &&
           cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool account_token(struct cf *cf)
{
    struct cf_challenge challenge;
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "dns-account-01", &challenge));
    return (cf_is_b64(challenge.token) && strlen(challenge.token) >= 22) ||
           cf_fail(cf, "the token is not base64url of 128 bits or more");
}

static bool account_not_dns_01(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(cf_order(cf, cf->first, &order));
    TRY(cf_challenge(cf, cf->first, order.authorizations[0], "dns-account-01", &challenge));
    TRY(begin(cf, "dns-01", order.name, &order, &challenge));
    const char *label = account_label(cf, tc_session_kid(cf->first));
    return put(cf, cf_print(cf, "%s._acme-challenge.%s", label, challenge.name), digest_of(cf, &challenge)) &&
           cf_ends_as(cf, &order, &challenge, "invalid");
}

static const struct cf_check dns_account_checks[] = {
    { "dns-account/3.token", "", "A dns-account-01 token is base64url of 128 bits or more.", account_token,
      CF_PENDING },
    { "dns-account/3.good", "", "It passes with the digest under the account's own label.", account_good, CF_FIRST },
    { "dns-account/3.wildcard", "", "It passes for a wildcard.", account_good, CF_FIRST, 1 },
    { "dns-account/3.nothing", "", "It fails when nothing is there.", account_misplaced, CF_FIRST | CF_SECOND,
      NOWHERE },
    { "dns-account/3.dns-01-place", "", "It fails with the record where dns-01 has it.", account_misplaced,
      CF_FIRST | CF_SECOND, DNS_01_PLACE },
    { "dns-account/3.other-label", "", "It fails with the record under another account's label.", account_misplaced,
      CF_FIRST | CF_SECOND, OTHER_LABEL },
    { "dns-account/3.no-suffix", "", "It fails without _acme-challenge in the name.", account_misplaced,
      CF_FIRST | CF_SECOND, UNDER_NAME },
    { "dns-account/3.not-digested", "", "It fails with the key authorization itself.", account_wrong_value, CF_FIRST },
    { "dns-account/3.not-dns-01", "", "Its record does not make dns-01 pass.", account_not_dns_01, CF_FIRST },
};

CF_GROUP(dns_account, "draft-ietf-acme-dns-account-label", "3", "dns-account-01");

/* --- dns-persist-01 --- */

static bool persist_begin(struct cf *cf, const char *name, struct cf_order *order, struct cf_challenge *challenge,
                          const char **out_issuer)
{
    TRY(begin(cf, "dns-persist-01", name, order, challenge));
    const json_t *found = cf_find_challenge(cf, "dns-persist-01");
    const char *issuer = json_string_value(json_array_get(json_object_get(found, "issuer-domain-names"), 0));
    if (issuer == NULL)
        return cf_fail(cf, "the challenge has no \"issuer-domain-names\"");
    *out_issuer = cf_print(cf, "%s", issuer);
    return true;
}

static bool persist_offered(struct cf *cf)
{
    struct cf_challenge challenge;
    size_t i;
    json_t *item;
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "dns-persist-01", &challenge));
    const json_t *list = json_object_get(cf_find_challenge(cf, "dns-persist-01"), "issuer-domain-names");
    json_array_foreach (list, i, item) {
        const char *name = json_string_value(item);
        if (name == NULL || *name == '\0' || name[strlen(name) - 1] == '.' ||
            strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ;"))
            return cf_fail(cf, "issuer-domain-names[%zu] is no domain name in small letters", i);
    }
    return (json_array_size(list) > 0 && json_array_size(list) <= 10) ||
           cf_fail(cf, "\"issuer-domain-names\" is no list of one to ten names");
}

/* The record that the row's text describes: @i stands for the issuer, @a for the account's URL, @p and @f for a time
 * that is past and one that is to come. */
static const char *record_of(struct cf *cf, const char *issuer)
{
    const char *text = "";
    long now_s = (long)(world_now_ms(world_real()) / 1000);
    for (const char *c = cf->check->text; *c != '\0'; c++) {
        if (*c != '@')
            text = cf_print(cf, "%s%c", text, *c);
        else if (*++c == 'i')
            text = cf_print(cf, "%s%s", text, issuer);
        else if (*c == 'a')
            text = cf_print(cf, "%s%s", text, tc_session_kid(cf->first));
        else
            text = cf_print(cf, "%s%ld", text, now_s + (*c == 'p' ? -86400 : 86400));
    }
    return text;
}

enum persist { INVALID = 0, VALID = 1, OF_WILDCARD = 2, AMONG_OTHERS = 4 };

static bool persist(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    const char *issuer, *base = cf_name(cf);
    int how = cf->check->arg;
    const char *name = (how & OF_WILDCARD) != 0 ? cf_print(cf, "*.%s", base) : base;
    TRY(persist_begin(cf, name, &order, &challenge, &issuer));
    const char *owner = cf_print(cf, "_validation-persist.%s", base);
    if ((how & AMONG_OTHERS) != 0)
        TRY(put(cf, owner, "elsewhere.example; accounturi=https://elsewhere.example/1") &&
            put(cf, owner, "v=spf1 -all"));
    TRY(put(cf, owner, record_of(cf, issuer)));
    return cf_ends_as(cf, &order, &challenge, (how & VALID) != 0 ? "valid" : "invalid");
}

static bool persist_other_account(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    const char *issuer, *base = cf_name(cf);
    TRY(persist_begin(cf, base, &order, &challenge, &issuer));
    TRY(put(cf, cf_print(cf, "_validation-persist.%s", base),
            cf_print(cf, "%s; accounturi=%s", issuer, tc_session_kid(cf->second))));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool persist_elsewhere(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    const char *issuer, *base = cf_name(cf);
    TRY(persist_begin(cf, base, &order, &challenge, &issuer));
    TRY(put(cf, cf_print(cf, "%s%s", cf->check->text, base),
            cf_print(cf, "%s; accounturi=%s", issuer, tc_session_kid(cf->first))));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static const struct cf_check dns_persist_checks[] = {
    { "dns-persist/3.offered", "", "The challenge lists one to ten issuer-domain-names in small letters.",
      persist_offered, CF_PENDING },
    { "dns-persist/4.good", "", "It passes with the issuer's name and the account's URL.", persist, CF_FIRST, VALID,
      "@i; accounturi=@a" },
    { "dns-persist/4.no-space", "", "It passes without spaces in the record.", persist, CF_FIRST, VALID,
      "@i;accounturi=@a" },
    { "dns-persist/4.duplicate", "", "It fails when the account's URL stands there twice.", persist, CF_FIRST, INVALID,
      "@i; accounturi=@a; accounturi=@a" },
    { "dns-persist/4.among-others", "", "It passes with other issuers' records besides.", persist, CF_FIRST,
      VALID | AMONG_OTHERS, "@i; accounturi=@a" },
    { "dns-persist/4.unknown-parameter", "", "It passes with a parameter that nobody knows.", persist, CF_FIRST, VALID,
      "@i; accounturi=@a; made-up=1" },
    { "dns-persist/4.until-later", "", "It passes before persistUntil.", persist, CF_FIRST, VALID,
      "@i; accounturi=@a; persistUntil=@f" },
    { "dns-persist/4.until-over", "", "It fails after persistUntil.", persist, CF_FIRST, INVALID,
      "@i; accounturi=@a; persistUntil=@p" },
    { "dns-persist/4.until-no-number", "", "It fails when persistUntil is no number.", persist, CF_FIRST, INVALID,
      "@i; accounturi=@a; persistUntil=tomorrow" },
    { "dns-persist/4.no-account", "", "It fails without the account's URL.", persist, CF_FIRST, INVALID, "@i" },
    { "dns-persist/4.other-account", "", "It fails with another account's URL.", persist_other_account,
      CF_FIRST | CF_SECOND },
    { "dns-persist/4.other-issuer", "", "It fails with another issuer's name.", persist, CF_FIRST, INVALID,
      "elsewhere.example; accounturi=@a" },
    { "dns-persist/4.other-place", "", "It fails with the record at _acme-challenge.", persist_elsewhere, CF_FIRST,
      .text = "_acme-challenge." },
    { "dns-persist/4.name-itself", "", "It fails with the record at the name itself.", persist_elsewhere, CF_FIRST,
      .text = "" },
    { "dns-persist/5.wildcard", "", "It passes for a wildcard with policy=wildcard.", persist, CF_FIRST,
      VALID | OF_WILDCARD, "@i; accounturi=@a; policy=wildcard" },
    { "dns-persist/5.wildcard-without-policy", "", "It fails for a wildcard without that policy.", persist, CF_FIRST,
      INVALID | OF_WILDCARD, "@i; accounturi=@a" },
    { "dns-persist/5.wildcard-other-policy", "", "It fails for a wildcard with another policy.", persist, CF_FIRST,
      INVALID | OF_WILDCARD, "@i; accounturi=@a; policy=none" },
    { "dns-persist/5.policy-in-capitals", "", "The policy may be written in capitals.", persist, CF_FIRST,
      VALID | OF_WILDCARD, "@i; accounturi=@a; POLICY=WILDCARD" },
    { "dns-persist/5.policy-for-name", "", "It passes for the name itself with policy=wildcard.", persist, CF_FIRST,
      VALID, "@i; accounturi=@a; policy=wildcard" },
};

CF_GROUP(dns_persist, "draft-ietf-acme-dns-persist", "3-5", "dns-persist-01");
