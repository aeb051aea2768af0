#include "tests/storage/samples.h"

#include "tests/folder.h"

#include <stdio.h>
#include <unistd.h>

static const char *failures[] = { "{\"detail\":\"no A record\"}", "[7]" };
static const char *contacts[] = { "mailto:ops@example.test", "mailto:\xc3\xa9t\xc3\xa9@example.test" };
static const char *ids[] = { "authz1", "authz2" };
static const char *former_keys[] = { "younger", "older" };
static struct acme_identifier names[] = { { IDENTIFIER_DNS, "www.example.test" },
                                          { IDENTIFIER_DNS, "*.example.test" },
                                          { IDENTIFIER_IP, "192.0.2.7" } };
static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x00, 0xff };
static const char problem[] = "{\"type\":\"urn:ietf:params:acme:error:dns\",\"detail\":\"no A record\"}";

static struct challenge challenges[] = {
    { "http-01",
      CHALLENGE_INVALID,
      "token1",
      1700000000123,
      problem,
      "[{\"at\":1},null]",
      "https://ca/account/1",
      { failures, ARRAY_SIZE(failures) } },
    { "dns-01", CHALLENGE_PROCESSING, "token2", 0, NULL, NULL, NULL, { NULL, 0 } },
};

struct account sample_account(const char *id, const char *thumbprint)
{
    return (struct account) { .id = id,
                              .state = ACCOUNT_DEACTIVATED,
                              .contacts = { contacts, ARRAY_SIZE(contacts) },
                              .key = "{\"kty\":\"OKP\"}",
                              .thumbprint = thumbprint,
                              .created_ms = 1700000000001,
                              .terms_agreed_ms = 1700000000999,
                              .created_from = "192.0.2.1",
                              .terms = "https://ca/terms",
                              .external_binding = "{\"payload\":\"e30\"}",
                              .external_key = "kid-1",
                              .owner = "team a",
                              .former_keys = { former_keys, ARRAY_SIZE(former_keys) } };
}

struct order sample_order(const char *id, const char *account, int64_t expires_ms)
{
    return (struct order) { .id = id,
                            .account = account,
                            .state = ORDER_READY,
                            .identifiers = { names, ARRAY_SIZE(names) },
                            .authorizations = { ids, ARRAY_SIZE(ids) },
                            .profile = "default",
                            .created_ms = 1700000000000,
                            .expires_ms = expires_ms,
                            .not_before_ms = 1700000001000,
                            .not_after_ms = 1800000000000,
                            .certificate = "00ff",
                            .error = problem,
                            .replaces = "01ff",
                            .replaces_id = "AQ.Ag",
                            .csr = { der, sizeof der },
                            .lifetime_ms = 86400000 };
}

struct authorization sample_authorization(const char *id, const char *account, const char *name)
{
    return (struct authorization) { .id = id,
                                    .account = account,
                                    .state = AUTHORIZATION_VALID,
                                    .identifier = { IDENTIFIER_DNS, name },
                                    .wildcard = true,
                                    .created_ms = 1700000000000,
                                    .expires_ms = 1700000500000,
                                    .challenges = { challenges, ARRAY_SIZE(challenges) },
                                    .orders = { ids, 1 },
                                    .subdomains = true,
                                    .allowed_by = "external account key kid-1" };
}

struct certificate sample_certificate(const char *serial, const char *account, int64_t not_after_ms)
{
    return (struct certificate) { .serial = serial,
                                  .state = CERTIFICATE_REVOKED,
                                  .account = account,
                                  .order = "order1",
                                  .identifiers = { names, ARRAY_SIZE(names) },
                                  .profile = "short",
                                  .issuer = "int-1",
                                  .not_before_ms = 1700000000000,
                                  .not_after_ms = not_after_ms,
                                  .der = { der, sizeof der },
                                  .key_hash = { der, 4 },
                                  .revoked_ms = 1700000000777,
                                  .revoked_reason = -4,
                                  .replaced_by = "order2",
                                  .renew_from_ms = 1700000000100,
                                  .renew_until_ms = 1700000000200,
                                  .renew_explanation = "https://ca/why",
                                  .owner = "team a" };
}

const struct record_type *const sample_types[SAMPLE_TYPES] = {
    &record_type_account,       &record_type_order,       &record_type_authorization, &record_type_certificate,
    &record_type_external_key,  &record_type_rate_bucket, &record_type_rate_override, &record_type_pause,
    &record_type_webhook_event, &record_type_challenge,
};

const void *sample_of(const struct record_type *type)
{
    static struct account account;
    static struct order order;
    static struct authorization authorization;
    static struct certificate certificate;
    account = sample_account("account1", "thumb1");
    order = sample_order("order1", "account1", 1900000000000);
    authorization = sample_authorization("authz1", "account1", "example.test");
    certificate = sample_certificate("0123456789abcdef0123456789abcdef", "account1", 1800000000000);
    static const struct external_key external_key = {
        .id = "kid-1",
        .secret = { der, 5 },
        .created_ms = 1700000000000,
        .accounts = { ids, 2 },
        .names = { ids, 1 },
        .types = { ids, 1 },
        .profiles = { ids, 2 },
        .challenges = { ids, 1 },
        .wildcards = true,
        .pre_authorized = true,
        .lifetime_ms = 86400000,
        .limits = "off",
        .expires_ms = 1700000000001,
        .uses = 3,
        .owner = "team a",
        .comment = "ticket 7",
        .revoked_ms = 1700000000002,
        .bound = 2,
    };
    static const struct rate_bucket rate_bucket = { "5.ab", "certificates-per-domain", "example.test",
                                                    1700000000000001 };
    static const struct rate_override rate_override = { "5.ab",    "certificates-per-domain", "example.test",
                                                        "1000/7d", "a big customer",          1700000000000 };
    static const struct pause pause = { "ab", "account1", "www.example.test", 1700000000000, 1700000000001 };
    static const struct webhook_event webhook_event = { .id = "event1",
                                                        .event = "certificate.issued",
                                                        .created_ms = 1700000000000,
                                                        .account = "account1",
                                                        .owner = "team a",
                                                        .order = "order1",
                                                        .serial = "00ff",
                                                        .identifiers = { names, ARRAY_SIZE(names) },
                                                        .profile = "short",
                                                        .not_before_ms = 1700000000001,
                                                        .not_after_ms = 1700000000002,
                                                        .reason = 4,
                                                        .problem = "rejectedIdentifier",
                                                        .detail = "no",
                                                        .attempts = 2,
                                                        .next_ms = 1700000000003,
                                                        .error = "status 500" };
    const void *const samples[SAMPLE_TYPES] = { &account,       &order,        &authorization, &certificate,
                                                &external_key,  &rate_bucket,  &rate_override, &pause,
                                                &webhook_event, &challenges[0] };
    for (size_t i = 0; i < SAMPLE_TYPES; i++)
        if (sample_types[i] == type)
            return samples[i];
    return NULL;
}

void sample_path(char out[static 64])
{
    const char *base = getenv("TMPDIR");
    snprintf(out, 64, "%.40s/caraway-XXXXXX", base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(out));
}

void sample_remove(const char *path)
{
    assert_true(folder_remove(path));
}

const char *sample_json(struct arena *arena, const struct record_type *type, const void *record)
{
    AUTO_BUF(text, 1 << 20);
    struct json_out out = JSON_OUT(&text, 0);
    record_to_json(&out, NULL, type, record);
    assert_false(text.failed);
    const char *copy = arena_text(arena, buf_str(&text));
    assert_non_null(copy);
    return copy;
}
