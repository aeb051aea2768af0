/* RFC 8737: tls-alpn-01. */
#include "test-client/conformance/check.h"

static bool begin(struct cf *cf, struct cf_order *order, struct cf_challenge *challenge)
{
    TRY(cf_order(cf, cf->first, order));
    TRY(cf_challenge(cf, cf->first, order->authorizations[0], "tls-alpn-01", challenge));
    return cf_prover_can(cf->prover, CHALLENGE_TLS_ALPN_01) || cf_skip(cf, "tls-alpn-01 cannot be answered from here");
}

static bool put(struct cf *cf, const struct cf_challenge *challenge, const char *content,
                const struct tls_alpn01_flaws *flaws)
{
    return cf_prover_flawed(cf->prover, challenge->name, content, flaws) ||
           cf_skip(cf, "such an answer cannot be put up from here");
}

static bool offered(struct cf *cf)
{
    struct cf_challenge challenge;
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "tls-alpn-01", &challenge));
    return *challenge.token != '\0' || cf_fail(cf, "the challenge has no token");
}

static bool token(struct cf *cf)
{
    struct cf_challenge challenge;
    TRY(cf_challenge(cf, cf->first, cf->pending.authorizations[0], "tls-alpn-01", &challenge));
    if (!cf_is_b64(challenge.token))
        return cf_fail(cf, "the token \"%.100s\" is not base64url", challenge.token);
    return strlen(challenge.token) >= 22 || cf_fail(cf, "the token has less than 128 bits");
}

static bool good(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, &order, &challenge));
    TRY(cf_prover_answer(cf->prover, challenge.type, challenge.name, "", challenge.key_authorization) ||
        cf_skip(cf, "such an answer cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "valid");
}

static bool nothing(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    return begin(cf, &order, &challenge) && cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool names_in_capitals(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, &order, &challenge));
    char *names = arena_text(cf->arena, cf_print(cf, "DNS:%s", challenge.name));
    CHECK(names != NULL);
    for (char *c = names; *c != '\0'; c++)
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
    return put(cf, &challenge, challenge.key_authorization, &(struct tls_alpn01_flaws) { .names = names }) &&
           cf_ends_as(cf, &order, &challenge, "valid");
}

enum flaw { NO_IDENTIFIER, NOT_CRITICAL, BARE_DIGEST, NO_PROTOCOL };

static bool flawed(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    struct tls_alpn01_flaws flaws = {
        .no_identifier = cf->check->arg == NO_IDENTIFIER,
        .not_critical = cf->check->arg == NOT_CRITICAL,
        .bare_digest = cf->check->arg == BARE_DIGEST,
        .no_protocol = cf->check->arg == NO_PROTOCOL,
    };
    return begin(cf, &order, &challenge) && put(cf, &challenge, challenge.key_authorization, &flaws) &&
           cf_ends_as(cf, &order, &challenge, "invalid");
}

enum names { NO_NAMES, OTHER_NAME, SECOND_NAME, ADDRESS_TOO, WILDCARD_NAME, ONLY_ADDRESS, EMAIL_TOO };

static bool wrong_names(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, &order, &challenge));
    const char *name = challenge.name;
    const char *parent = strchr(name, '.') + 1;
    const char *const sets[] = {
        [NO_NAMES] = "",
        [OTHER_NAME] = "DNS:elsewhere.example.test",
        [SECOND_NAME] = cf_print(cf, "DNS:%s,DNS:elsewhere.example.test", name),
        [ADDRESS_TOO] = cf_print(cf, "DNS:%s,IP:127.0.0.1", name),
        [WILDCARD_NAME] = cf_print(cf, "DNS:*.%s", parent),
        [ONLY_ADDRESS] = "IP:127.0.0.1",
        [EMAIL_TOO] = cf_print(cf, "DNS:%s,email:someone@example.test", name),
    };
    struct tls_alpn01_flaws flaws = { .names = sets[cf->check->arg] };
    return put(cf, &challenge, challenge.key_authorization, &flaws) && cf_ends_as(cf, &order, &challenge, "invalid");
}

enum content { TOKEN_ALONE, OTHER_THUMBPRINT, OTHER_TOKEN, EMPTY };

static bool wrong_content(struct cf *cf)
{
    struct cf_order order;
    struct cf_challenge challenge;
    TRY(begin(cf, &order, &challenge));
    const char *const contents[] = {
        [TOKEN_ALONE] = challenge.token,
        [OTHER_THUMBPRINT] = cf_print(cf, "%s.%s", challenge.token, jwk_thumbprint(tc_session_key(cf->second))),
        [OTHER_TOKEN] = cf_print(cf, "AAAAAAAAAAAAAAAAAAAAAA.%s", jwk_thumbprint(tc_session_key(cf->first))),
        [EMPTY] = "",
    };
    TRY(cf_prover_answer(cf->prover, challenge.type, challenge.name, "", contents[cf->check->arg]) ||
        cf_skip(cf, "such an answer cannot be put up from here"));
    return cf_ends_as(cf, &order, &challenge, "invalid");
}

static bool not_for_wildcards(struct cf *cf)
{
    struct cf_order order;
    const char *name = cf_print(cf, "*.%s", cf_name(cf));
    TRY(cf_order_names(cf, cf->first, (const char *const[]) { name, NULL }, NULL, &order));
    TRY(cf_call(cf, cf->first, order.authorizations[0], NULL) && cf_expect(cf, 200));
    return cf_find_challenge(cf, "tls-alpn-01") == NULL ||
           cf_fail(cf, "tls-alpn-01 is offered for a wildcard, which it cannot prove");
}

static const struct cf_check alpn_checks[] = {
    { "8737/3.offered", "[8737-3-1]", "The challenge has the type tls-alpn-01 and a token.", offered, CF_PENDING },
    { "8737/3.token", "[8737-3-2] [8737-3-3]", "Its token is base64url of 128 bits or more.", token, CF_PENDING },
    { "8737/3.good", "[8737-3-6] [8737-3-9] [8737-3-10] [8737-4-5]",
      "It passes where a self-signed certificate is shown to acme-tls/1 alone, by the right name.", good, CF_FIRST },
    { "8737/3.capitals", "[8737-3-12]", "It passes when the certificate has the name in capitals.", names_in_capitals,
      CF_FIRST },
    { "8737/3.nothing", "[8737-3-4]", "It fails when nobody answers for the name.", nothing, CF_FIRST },
    { "8737/3.no-identifier", "[8737-3-4]", "It fails without the acmeIdentifier extension.", flawed, CF_FIRST,
      NO_IDENTIFIER },
    { "8737/3.not-critical", "[8737-3-7]", "It fails when that extension is not critical.", flawed, CF_FIRST,
      NOT_CRITICAL },
    { "8737/3.bare-digest", "[8737-3-6]", "It fails when the digest is no OCTET STRING.", flawed, CF_FIRST,
      BARE_DIGEST },
    { "8737/3.no-protocol", "[8737-3-11]", "It fails when acme-tls/1 was not negotiated.", flawed, CF_FIRST,
      NO_PROTOCOL },
    { "8737/3.no-names", "[8737-3-5]", "It fails without a subjectAltName.", wrong_names, CF_FIRST, NO_NAMES },
    { "8737/3.other-name", "[8737-3-5]", "It fails with another name.", wrong_names, CF_FIRST, OTHER_NAME },
    { "8737/3.second-name", "[8737-3-5]", "It fails with a second name.", wrong_names, CF_FIRST, SECOND_NAME },
    { "8737/3.address-too", "[8737-3-5]", "It fails with an address besides the name.", wrong_names, CF_FIRST,
      ADDRESS_TOO },
    { "8737/3.email-too", "[8737-3-5]", "It fails with an email address besides the name.", wrong_names, CF_FIRST,
      EMAIL_TOO },
    { "8737/3.wildcard-name", "[8737-3-5]", "It fails with a wildcard that covers the name.", wrong_names, CF_FIRST,
      WILDCARD_NAME },
    { "8737/3.only-address", "[8737-3-5]", "It fails with the address instead of the name.", wrong_names, CF_FIRST,
      ONLY_ADDRESS },
    { "8737/3.token-alone", "[8737-3-6]", "It fails with the token's digest.", wrong_content, CF_FIRST | CF_SECOND,
      TOKEN_ALONE },
    { "8737/3.other-thumbprint", "[8737-3-6]", "It fails with another account's thumbprint.", wrong_content,
      CF_FIRST | CF_SECOND, OTHER_THUMBPRINT },
    { "8737/3.other-token", "[8737-3-6]", "It fails with another token.", wrong_content, CF_FIRST | CF_SECOND,
      OTHER_TOKEN },
    { "8737/3.empty", "[8737-3-6]", "It fails with the digest of nothing.", wrong_content, CF_FIRST | CF_SECOND,
      EMPTY },
    { "8737/3.no-wildcard", "", "It is not offered for a wildcard.", not_for_wildcards, CF_FIRST },
};

CF_GROUP(alpn, "RFC 8737", "3-4", "tls-alpn-01");
