/* draft-ietf-acme-dns-account-label (dns-account-01) and draft-ietf-acme-dns-persist (dns-persist-01). */
#include "test-client/conformance/check.h"

#include "base/clock_text.h"
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
    { "dns-account/3.token", "[label-3.1-2] [label-3.1-3]", "A dns-account-01 token is base64url of 128 bits or more.",
      account_token, CF_PENDING },
    { "dns-account/3.good", "[label-3.2-1] [label-3.2-2] [label-3.5-2]",
      "It passes with the digest under the account's own label.", account_good, CF_FIRST },
    { "dns-account/3.wildcard", "", "It passes for a wildcard.", account_good, CF_FIRST, 1 },
    { "dns-account/3.nothing", "[label-3.3-2]", "It fails when nothing is there.", account_misplaced,
      CF_FIRST | CF_SECOND, NOWHERE },
    { "dns-account/3.dns-01-place", "", "It fails with the record where dns-01 has it.", account_misplaced,
      CF_FIRST | CF_SECOND, DNS_01_PLACE },
    { "dns-account/3.other-label", "[label-3.2-1]", "It fails with the record under another account's label.",
      account_misplaced, CF_FIRST | CF_SECOND, OTHER_LABEL },
    { "dns-account/3.no-suffix", "", "It fails without _acme-challenge in the name.", account_misplaced,
      CF_FIRST | CF_SECOND, UNDER_NAME },
    { "dns-account/3.not-digested", "[label-3.2-2]", "It fails with the key authorization itself.", account_wrong_value,
      CF_FIRST },
    { "dns-account/3.not-dns-01", "", "Its record does not make dns-01 pass.", account_not_dns_01, CF_FIRST },
};

CF_GROUP(dns_account, "draft-ietf-acme-dns-account-label", "3", "dns-account-01");

/* --- dns-persist-01 --- */

struct persistent {
    struct cf_order order;
    struct cf_challenge challenge;
    const char *issuer;
    bool hashed; /* since draft -02, which also names the member in another way */
};

/* The challenge's list of issuers in the last body. */
static const json_t *issuers_of(struct cf *cf, bool *out_hashed)
{
    const json_t *found = cf_find_challenge(cf, "dns-persist-01");
    const json_t *list = json_object_get(found, "issuerDomainNames");
    *out_hashed = list != NULL;
    return list != NULL ? list : json_object_get(found, "issuer-domain-names");
}

static bool persist_begin(struct cf *cf, const char *name, struct persistent *out)
{
    TRY(begin(cf, "dns-persist-01", name, &out->order, &out->challenge));
    const char *issuer = json_string_value(json_array_get(issuers_of(cf, &out->hashed), 0));
    if (issuer == NULL)
        return cf_fail(cf, "the challenge has no \"issuerDomainNames\"");
    out->issuer = cf_print(cf, "%s", issuer);
    return true;
}

static bool names_issuers(struct cf *cf, const json_t *list)
{
    size_t i;
    const json_t *item;
    json_array_foreach (list, i, item) {
        const char *name = json_string_value(item);
        if (name == NULL || *name == '\0' || strlen(name) > 253 || name[strlen(name) - 1] == '.' ||
            strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ;"))
            return cf_fail(cf, "issuer %zu is no domain name in small letters", i);
    }
    return (json_array_size(list) > 0 && json_array_size(list) <= 10) ||
           cf_fail(cf, "the list of issuers is none of one to ten names");
}

static bool persist_offered(struct cf *cf)
{
    struct cf_challenge challenge;
    bool hashed;
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "dns-persist-01", &challenge));
    return names_issuers(cf, issuers_of(cf, &hashed));
}

/* Each text of `some` is one of `all`. */
static bool is_among(struct cf *cf, const json_t *some, const json_t *all)
{
    for (size_t i = 0; i < json_array_size(some); i++) {
        bool found = false;
        for (size_t k = 0; k < json_array_size(all); k++)
            found |= json_equal(json_array_get(some, i), json_array_get(all, k));
        if (!found)
            return cf_fail(cf, "issuer %zu is missing from the other list", i);
    }
    return true;
}

static bool persist_meta(struct cf *cf)
{
    struct cf_challenge challenge;
    bool hashed;
    const char *prefix = json_member_text(cf->meta, "accountHashPrefix");
    const json_t *announced = json_object_get(cf->meta, "issuerDomainNames");
    const json_t *identities = json_object_get(cf->meta, "caaIdentities");
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "dns-persist-01", &challenge));
    const json_t *list = issuers_of(cf, &hashed);
    if (!hashed)
        return cf_skip(cf, "the challenge is that of an earlier draft");
    if (prefix == NULL || !cf_is_url(prefix))
        return cf_fail(cf, "meta.accountHashPrefix is no URL");
    return names_issuers(cf, announced) && is_among(cf, announced, list) &&
           (json_array_size(identities) == 0 || is_among(cf, list, identities));
}

/* What the record calls the session's account; `name` "*" is for any. */
static const char *account_of(struct cf *cf, const struct persistent *p, const char *name, struct tc_session *session)
{
    const char *prefix = json_member_text(cf->meta, "accountHashPrefix"), *kid = tc_session_kid(session);
    uint8_t digest[SHA256_BYTES];
    if (!p->hashed)
        return kid;
    const char *text = cf_print(cf, "%c%s%s%s", (int)strlen(name), name, jwk_thumbprint(tc_session_key(session)), kid);
    crypto_digest_sha256(bytes_text(text), digest);
    return cf_print(cf, "%ssha-256/%s", prefix != NULL ? prefix : "", cf_b64(cf, bytes_of(digest, sizeof digest)));
}

/* The record that the row's text describes: @i stands for the issuer, @a for what it calls the account, @n and @o for
 * the same for any and for another name, @b for another account, @u for the account's URL, @p and @f for a time that is
 * past and one that is to come. */
static const char *part_of(struct cf *cf, const struct persistent *p, char letter)
{
    const char *name = p->challenge.name;
    long now_s = (long)(world_now_ms(world_real()) / 1000);
    switch (letter) {
    case 'i':
        return p->issuer;
    case 'a':
        return account_of(cf, p, name, cf->first);
    case 'n':
        return account_of(cf, p, "*", cf->first);
    case 'o':
        return account_of(cf, p, cf_print(cf, "other.%s", name), cf->first);
    case 'b':
        return account_of(cf, p, name, cf->second);
    case 'u':
        return tc_session_kid(cf->first);
    default:
        return cf_print(cf, "%ld", now_s + (letter == 'p' ? -86400 : 86400));
    }
}

static const char *record_of(struct cf *cf, const struct persistent *p, const char *format)
{
    const char *text = "";
    for (const char *c = format; *c != '\0'; c++) {
        bool part = *c == '@';
        c += part;
        text = part ? cf_print(cf, "%s%s", text, part_of(cf, p, *c)) : cf_print(cf, "%s%c", text, *c);
    }
    return text;
}

enum persist { INVALID = 0, VALID = 1, OF_WILDCARD = 2, AMONG_OTHERS = 4, HASHED = 8 };

static bool persist(struct cf *cf)
{
    struct persistent p;
    const char *base = cf_name(cf);
    int how = cf->check->arg;
    TRY(persist_begin(cf, (how & OF_WILDCARD) != 0 ? cf_print(cf, "*.%s", base) : base, &p));
    if ((how & HASHED) != 0 && !p.hashed)
        return cf_skip(cf, "the challenge is that of an earlier draft");
    const char *owner = cf_print(cf, "_validation-persist.%s", base);
    if ((how & AMONG_OTHERS) != 0)
        TRY(put(cf, owner, "elsewhere.example; accounturi=https://elsewhere.example/1") &&
            put(cf, owner, "v=spf1 -all"));
    TRY(put(cf, owner, record_of(cf, &p, cf->check->text)));
    return cf_ends_as(cf, &p.order, &p.challenge, (how & VALID) != 0 ? "valid" : "invalid");
}

/* Draft -02 §4.1, item 5. */
static bool persist_ends(struct cf *cf)
{
    const char *expires;
    int64_t at_ms;
    TRY(persist(cf) && cf_has_text(cf, "expires", &expires));
    if (!time_parse(expires, &at_ms))
        return cf_fail(cf, "\"expires\" is no RFC 3339 time");
    return at_ms <= world_now_ms(world_real()) + 86400000 || cf_fail(cf, "it expires later than persistUntil");
}

static bool persist_elsewhere(struct cf *cf)
{
    struct persistent p;
    const char *base = cf_name(cf);
    TRY(persist_begin(cf, base, &p));
    TRY(put(cf, cf_print(cf, "%s%s", cf->check->text, base), record_of(cf, &p, "@i; accounturi=@a")));
    return cf_ends_as(cf, &p.order, &p.challenge, "invalid");
}

static const struct cf_check dns_persist_checks[] = {
    { "dns-persist/3.offered", "[persist-3.1-2] [persist-3.1-3] [persist-3.1-4] [persist-3.1-5]",
      "The challenge lists one to ten issuers in small letters.", persist_offered, CF_PENDING },
    { "dns-persist/3.meta", "[persist-3.2-1] [persist-3.2-2] [persist-3.2-3] [persist-3.2-4] [persist-4.1-3]",
      "The directory has what a record takes: issuers, which the challenge has too, and a prefix.", persist_meta,
      CF_PENDING },
    { "dns-persist/4.good", "[persist-4.1-5] [persist-4.1-9]", "It passes with the issuer and the account.", persist,
      CF_FIRST, VALID, "@i; accounturi=@a" },
    { "dns-persist/4.no-space", "", "It passes without spaces in the record.", persist, CF_FIRST, VALID,
      "@i;accounturi=@a" },
    { "dns-persist/4.duplicate", "", "It fails when the account stands there twice.", persist, CF_FIRST, INVALID,
      "@i; accounturi=@a; accounturi=@a" },
    { "dns-persist/4.among-others", "[persist-4.3.2-1] [persist-4.3.2-2]",
      "It passes with other issuers' records besides.", persist, CF_FIRST, VALID | AMONG_OTHERS, "@i; accounturi=@a" },
    { "dns-persist/4.unknown-parameter", "[persist-4.1-1]", "It passes with a parameter that nobody knows.", persist,
      CF_FIRST, VALID, "@i; accounturi=@a; made-up=1" },
    { "dns-persist/4.until-later", "", "It passes before persistUntil.", persist, CF_FIRST, VALID,
      "@i; accounturi=@a; persistUntil=@f" },
    { "dns-persist/4.until-over", "[persist-4.1-17]", "It fails after persistUntil.", persist, CF_FIRST, INVALID,
      "@i; accounturi=@a; persistUntil=@p" },
    { "dns-persist/4.until-no-number", "[persist-4.1-14]", "It fails when persistUntil is no number.", persist,
      CF_FIRST, INVALID, "@i; accounturi=@a; persistUntil=tomorrow" },
    { "dns-persist/4.no-account", "", "It fails without an account.", persist, CF_FIRST, INVALID, "@i" },
    { "dns-persist/4.other-account", "[persist-4.1-11]", "It fails with another account.", persist,
      CF_FIRST | CF_SECOND, INVALID, "@i; accounturi=@b" },
    { "dns-persist/4.any-name", "[persist-4.1-8]", "It passes with the hash for any name.", persist, CF_FIRST,
      VALID | HASHED, "@i; accounturi=@n" },
    { "dns-persist/4.other-name", "[persist-4.1-11]", "It fails with the hash for another name.", persist, CF_FIRST,
      INVALID | HASHED, "@i; accounturi=@o" },
    { "dns-persist/4.plain-url", "[persist-4.1-11]", "It fails with the account's URL in place of a hash.", persist,
      CF_FIRST, INVALID | HASHED, "@i; accounturi=@u" },
    { "dns-persist/4.until-ends", "[persist-4.1-15]", "The authorization does not outlive persistUntil.", persist_ends,
      CF_FIRST, VALID | HASHED, "@i; accounturi=@a; persistUntil=@f" },
    { "dns-persist/4.other-issuer", "[persist-4.1-2]", "It fails with another issuer's name.", persist, CF_FIRST,
      INVALID, "elsewhere.example; accounturi=@a" },
    { "dns-persist/4.other-place", "[persist-4.2-1]", "It fails with the record at _acme-challenge.", persist_elsewhere,
      CF_FIRST, .text = "_acme-challenge." },
    { "dns-persist/4.name-itself", "", "It fails with the record at the name itself.", persist_elsewhere, CF_FIRST,
      .text = "" },
    { "dns-persist/5.wildcard", "", "It passes for a wildcard with policy=wildcard.", persist, CF_FIRST,
      VALID | OF_WILDCARD, "@i; accounturi=@a; policy=wildcard" },
    { "dns-persist/5.wildcard-without-policy", "[persist-5.1-1]", "It fails for a wildcard without that policy.",
      persist, CF_FIRST, INVALID | OF_WILDCARD, "@i; accounturi=@a" },
    { "dns-persist/5.wildcard-other-policy", "[persist-4.1-13] [persist-5.1-1]",
      "It fails for a wildcard with another policy.", persist, CF_FIRST, INVALID | OF_WILDCARD,
      "@i; accounturi=@a; policy=none" },
    { "dns-persist/5.policy-in-capitals", "[persist-4.1-12]", "The policy may be written in capitals.", persist,
      CF_FIRST, VALID | OF_WILDCARD, "@i; accounturi=@a; POLICY=WILDCARD" },
    { "dns-persist/5.policy-for-name", "", "It passes for the name itself with policy=wildcard.", persist, CF_FIRST,
      VALID, "@i; accounturi=@a; policy=wildcard" },
};

CF_GROUP(dns_persist, "draft-ietf-acme-dns-persist", "3-5", "dns-persist-01");
