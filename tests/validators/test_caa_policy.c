#include "tests/unit.h"

#include "validators/caa_policy.h"

#include <stdio.h>

#define ACCOUNT "https://ca.test/account/1"
enum { RECORDS_MAX = 4, RDATA_MAX = 300 };

struct set {
    uint8_t data[RECORDS_MAX][RDATA_MAX];
    struct bytes records[RECORDS_MAX];
    size_t count;
};

/* "128 issue ca.test; x" into a record's bytes */
static struct bytes make(const char *text, uint8_t out[static RDATA_MAX])
{
    char *end;
    out[0] = (uint8_t)strtoul(text, &end, 10);
    size_t tag = strcspn(end + 1, " ");
    const char *value = end + 1 + tag + (end[1 + tag] == ' ');
    out[1] = (uint8_t)tag;
    memcpy(out + 2, end + 1, tag);
    memcpy(out + 2 + tag, value, strlen(value));
    return bytes_of(out, 2 + tag + strlen(value));
}

static void make_set(const char *const *texts, struct set *out)
{
    for (out->count = 0; out->count < RECORDS_MAX && texts[out->count] != NULL; out->count++)
        out->records[out->count] = make(texts[out->count], out->data[out->count]);
}

static const char *const ours[] = { "ca.test", "second.test." };
static const struct val_caa_wish name_wish = { ours, ARRAY_SIZE(ours), false, ACCOUNT, "http-01" };
static const struct val_caa_wish wildcard_wish = { ours, ARRAY_SIZE(ours), true, ACCOUNT, "dns-01" };

struct row {
    const char *texts[RECORDS_MAX + 1];
    const char *name, *wildcard; /* NULL: allowed; else part of why not */
};

static void expect(const struct set *set, const struct val_caa_wish *wish, const char *part)
{
    char why[VAL_CAA_WHY_SIZE] = "";
    bool allowed = val_caa_allows(set->records, set->count, wish, why);
    if (allowed != (part == NULL) || (part != NULL && strstr(why, part) == NULL))
        fail_msg("allowed: %d, \"%s\" instead of \"%s\"", allowed, why, part != NULL ? part : "");
}

static void sets_allow_or_refuse(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { { NULL }, NULL, NULL },
        { { "0 issue ca.test" }, NULL, NULL },
        { { "0 issue CA.Test" }, NULL, NULL },
        { { "0 ISSUE ca.test" }, NULL, NULL },
        { { "0 issue second.test" }, NULL, NULL },
        { { "0 issue \t ca.test \t" }, NULL, NULL },
        { { "0 issue ca.test;" }, NULL, NULL },
        { { "0 issue ca.test; policy=ev; x=" }, NULL, NULL },
        { { "0 issue ;" }, "0 issue \";\" allows nobody", "allows nobody" },
        { { "0 issue" }, "0 issue \"\" allows nobody", "allows nobody" },
        { { "0 issue %%%" }, "breaks the grammar", "breaks the grammar" },
        { { "0 issue ca.test x" }, "breaks the grammar", "breaks the grammar" },
        { { "0 issue ca.test; x" }, "breaks the grammar", "breaks the grammar" },
        { { "0 issue xca.test" }, "names another authority", "names another authority" },
        { { "0 issue a.ca.test" }, "names another authority", "names another authority" },
        { { "0 issue other.test" }, "0 issue \"other.test\" names another authority", "names another" },
        { { "0 issue other.test", "0 issue ca.test" }, NULL, NULL },
        { { "0 issue ;", "0 issue ca.test" }, NULL, NULL },
        { { "0 issue ;", "0 issue other.test", "0 issue %" },
          "\"other.test\" names another authority (and 2 more)",
          "other.test" },
        /* RFC 8659 §4.3 */
        { { "0 issuewild ca.test" }, NULL, NULL },
        { { "0 issuewild ;" }, NULL, "0 issuewild \";\" allows nobody" },
        { { "0 issue ca.test", "0 issuewild other.test" }, NULL, "0 issuewild \"other.test\"" },
        { { "0 issue other.test", "0 issuewild ca.test" }, "other.test", NULL },
        { { "0 issue other.test", "0 iodef mailto:a@b.test" }, "other.test", "other.test" },
        /* nothing that restricts */
        { { "0 iodef mailto:a@b.test" }, NULL, NULL },
        { { "0 unknown x" }, NULL, NULL },
        { { "64 unknown x" }, NULL, NULL },
        { { "128 iodef x" }, NULL, NULL },
        { { "128 issuemail x", "128 issuevmc x" }, NULL, NULL },
        { { "128 issue ca.test" }, NULL, NULL },
        /* RFC 8659 §4.5 */
        { { "128 tbs x" }, "128 tbs \"x\" is critical", "128 tbs \"x\" is critical" },
        { { "1 tbs x" }, "1 tbs \"x\" is critical", "is critical" },
        { { "0 issue ca.test", "255 issues x" }, "is critical", "is critical" },
        /* records that are none */
        { { "0  x" }, "is no CAA record", "is no CAA record" },
        { { "0 is-sue x" }, "is no CAA record", "is no CAA record" },
        { { "0 issue ca.test", "0 is_ x" }, "is no CAA record", "is no CAA record" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct set set;
        make_set(rows[i].texts, &set);
        expect(&set, &name_wish, rows[i].name);
        expect(&set, &wildcard_wish, rows[i].wildcard);
    }
}

/* RFC 8657: what holds for http-01 and for dns-01 */
static void accounts_and_methods(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { { "0 issue ca.test; accounturi=" ACCOUNT }, NULL, NULL },
        { { "0 issue ca.test; AccountURI=" ACCOUNT }, NULL, NULL },
        { { "0 issue ca.test; accounturi=" ACCOUNT "2" }, "is for another account", "another account" },
        { { "0 issue ca.test; accounturi=" }, "is for another account", "another account" },
        { { "0 issue ca.test; accounturi=HTTPS://ca.test/account/1" }, "another account", "another account" },
        { { "0 issue ca.test; accounturi=" ACCOUNT "; accounturi=" ACCOUNT }, "two accounturi", "two accounturi" },
        { { "0 issue ca.test; validationmethods=http-01" }, NULL, "is for other challenge types" },
        { { "0 issue ca.test; validationmethods=dns-01" }, "is for other challenge types", NULL },
        { { "0 issue ca.test; validationmethods=http-01,dns-01" }, NULL, NULL },
        { { "0 issue ca.test; validationmethods=x,y-1,http-01" }, NULL, "other challenge types" },
        { { "0 issue ca.test; validationmethods=http-01," }, "other challenge types", "other challenge types" },
        { { "0 issue ca.test; validationmethods=http-01,!" }, "other challenge types", "other challenge types" },
        { { "0 issue ca.test; validationmethods=" }, "other challenge types", "other challenge types" },
        { { "0 issue ca.test; validationmethods=HTTP-01" }, "other challenge types", "other challenge types" },
        { { "0 issue ca.test; validationmethods=http-01; validationmethods=dns-01" }, "two validationmethods", "two" },
        { { "0 issue other.test", "0 issue ca.test; accounturi=x" }, "0 issue \"ca.test; accounturi=x\"", "=x" },
        { { "0 issue ca.test; accounturi=x", "0 issue ca.test; accounturi=" ACCOUNT }, NULL, NULL },
        { { "0 issue other.test; accounturi=" ACCOUNT }, "another authority", "another authority" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct set set;
        make_set(rows[i].texts, &set);
        expect(&set, &name_wish, rows[i].name);
        expect(&set, &wildcard_wish, rows[i].wildcard);
    }
}

static void without_names_or_account_nothing_fits(void **state)
{
    (void)state;
    struct val_caa_wish nobody = name_wish, unknown = name_wish;
    struct set plain, bound;
    make_set((const char *const[]) { "0 issue ca.test", NULL }, &plain);
    make_set((const char *const[]) { "0 issue ca.test; accounturi=" ACCOUNT, NULL }, &bound);
    nobody.issuer_count = 0;
    unknown.account_url = NULL;
    expect(&plain, &nobody, "names another authority");
    expect(&plain, &unknown, NULL);
    expect(&bound, &unknown, "another account");
}

static void no_beginning_of_a_record_allows_more(void **state)
{
    (void)state;
    struct set set;
    make_set((const char *const[]) { "0 issue ca.test", NULL }, &set);
    for (size_t len = 0; len < set.records[0].len; len++) {
        struct bytes cut = bytes_of(set.records[0].data, len);
        char why[VAL_CAA_WHY_SIZE];
        assert_false(val_caa_allows(&cut, 1, &name_wish, why));
    }
}

static void records_as_text(void **state)
{
    (void)state;
    char text[VAL_CAA_TEXT_SIZE];
    assert_string_equal(val_caa_record_text(bytes_of("\x80\x05issueca.test", 14), text), "128 issue \"ca.test\"");
    assert_string_equal(val_caa_record_text(bytes_of("\x00\x05issue\"\n", 9), text), "0 issue \"\\\"\\x0a\"");
    assert_string_equal(val_caa_record_text(bytes_of("\x00\x09i", 3), text), "3 bytes \"\\x00\\x09i\"");
    assert_string_equal(val_caa_record_text(bytes_of("", 0), text), "0 bytes \"\"");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_allow_or_refuse),
        cmocka_unit_test(accounts_and_methods),
        cmocka_unit_test(without_names_or_account_nothing_fits),
        cmocka_unit_test(no_beginning_of_a_record_allows_more),
        cmocka_unit_test(records_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
