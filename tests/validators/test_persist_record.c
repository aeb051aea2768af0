#include "validators/persist_record.h"

#include "tests/unit.h"

#include "base/buf.h"

#include <stdio.h>

#define URI    "https://ca.test/account/1"
#define NOW_S  1760000000

#define PREFIX "https://ca.test/account-hash/"
#define HASH   "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
#define HASHED PREFIX "sha-256/" HASH

static const char *const issuers[] = { "ca.test", "Other.Test." };
static const char *const plain[] = { "https://ca.test/other", URI };
static const char *const hashed[] = { PREFIX "sha-256/0000000000000000000000000000000000000000000", HASHED };

static const struct val_persist_wanted of_draft_01 = { plain,   ARRAY_SIZE(plain),   NULL,
                                                       issuers, ARRAY_SIZE(issuers), false,
                                                       NOW_S };
static const struct val_persist_wanted of_draft_02 = { hashed,  ARRAY_SIZE(hashed),  PREFIX,
                                                       issuers, ARRAY_SIZE(issuers), false,
                                                       NOW_S };

static enum val_persist_verdict judge_for(const struct val_persist_wanted *wanted, const char *text, int64_t *out_until,
                                          char why[static VAL_PERSIST_WHY_SIZE])
{
    /* a block of exactly this size lets ASan see one byte too many */
    size_t len = strlen(text);
    uint8_t *exact = malloc(len + (len == 0));
    memcpy(exact, text, len);
    why[0] = '\0';
    enum val_persist_verdict verdict = val_persist_judge(bytes_of(exact, len), wanted, out_until, why);
    free(exact);
    return verdict;
}

static enum val_persist_verdict judge(const char *text, bool wildcard, char why[static VAL_PERSIST_WHY_SIZE])
{
    struct val_persist_wanted wanted = of_draft_01;
    int64_t until_s;
    wanted.wildcard = wildcard;
    return judge_for(&wanted, text, &until_s, why);
}

static void expect(const char *text, bool wildcard, enum val_persist_verdict verdict, const char *phrase)
{
    char why[VAL_PERSIST_WHY_SIZE];
    enum val_persist_verdict got = judge(text, wildcard, why);
    if (got != verdict || strcmp(why, phrase) != 0)
        fail_msg("%s: %d, \"%s\" instead of %d, \"%s\"", text, (int)got, why, (int)verdict, phrase);
}

/* [persist-4.1-1] [persist-4.1-13] [persist-4.2-2] */
static void records_that_fit(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "ca.test; accounturi=" URI,
        "ca.test;accounturi=" URI,
        " \tca.test \t; \taccounturi \t= \t" URI " \t",
        "CA.Test; accounturi=" URI,
        "ca.test.; accounturi=" URI,
        "other.test; accounturi=" URI,
        "ca.test; ACCOUNTURI=" URI,
        "ca.test; accounturi=" URI "; persistUntil=1760000000",
        "ca.test; accounturi=" URI " ; persistuntil=99999999999999999999999999999999999999",
        "ca.test; accounturi=" URI "; persistUntil=0000000000000001760000001",
        "ca.test; policy=whatever; accounturi=" URI,
        "ca.test; policy=; accounturi=" URI,
        "ca.test; unknown=1; x-y=2=3; accounturi=" URI,
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        expect(texts[i], false, VAL_PERSIST_FITS, "");
}

/* [persist-4.1-2] [persist-4.3.2-1] */
static void records_of_others(void **state)
{
    (void)state;
    static const char *const none[] = {
        "", " ", ";", ("; accounturi=" URI), "-ca.test", "ca-.test", "_ca.test", "\xff"
    };
    static const char *const others[] = { "v=spf1 -all",
                                          "ca.test.evil; accounturi=" URI,
                                          "ca; accounturi=" URI,
                                          "xca.test; accounturi=" URI,
                                          "ca.tes; accounturi=" URI,
                                          "ca..test" };
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        char why[VAL_PERSIST_WHY_SIZE];
        assert_int_equal(judge(none[i], false, why), VAL_PERSIST_FOREIGN);
    }
    expect("; accounturi=" URI, false, VAL_PERSIST_FOREIGN, "no issuer's name at the beginning");
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        expect(others[i], false, VAL_PERSIST_FOREIGN, "the issuer's name is none of ours");
}

/* [persist-4.1-14] */
static void malformed_records(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "ca.test", "accounturi is missing" },
        { "ca.test;", "accounturi is missing" },
        { "ca.test; policy=wildcard", "accounturi is missing" },
        { "ca.test accounturi=" URI, "no ; behind the issuer's name" },
        { "ca.test..; accounturi=" URI, "no ; behind the issuer's name" },
        { "ca.test;; accounturi=" URI, "parameter 1 has no tag of letters, digits and inner hyphens" },
        { "ca.test; =x; accounturi=" URI, "parameter 1 has no tag of letters, digits and inner hyphens" },
        { "ca.test; -x=1; accounturi=" URI, "parameter 1 has no tag of letters, digits and inner hyphens" },
        { "ca.test; x-=1; accounturi=" URI, "parameter 1 has no tag of letters, digits and inner hyphens" },
        { "ca.test; accounturi=" URI ";", "parameter 2 has no tag of letters, digits and inner hyphens" },
        { "ca.test; accounturi=" URI "; ", "parameter 2 has no tag of letters, digits and inner hyphens" },
        { "ca.test; accounturi", "no = behind the tag of parameter 1" },
        { "ca.test; x_y=1; accounturi=" URI, "no = behind the tag of parameter 1" },
        { "ca.test; accounturi=" URI " policy=wildcard",
          "the value of parameter 1 has a space or a character that is not printable" },
        { "ca.test; accounturi=" URI "\x7f",
          "the value of parameter 1 has a space or a character that is not printable" },
        { "ca.test; accounturi=" URI "; x=\xc3\xa9",
          "the value of parameter 2 has a space or a character that is not printable" },
        { "ca.test; accounturi=" URI "; accounturi=" URI, "accounturi stands there twice" },
        { "ca.test; accounturi=" URI "; AccountUri=" URI, "accounturi stands there twice" },
        { "ca.test; x=1; accounturi=" URI "; X=1", "x stands there twice" },
        { "ca.test; accounturi=" URI "; persistUntil=", "persistUntil is not a number of seconds" },
        { "ca.test; accounturi=" URI "; persistUntil=-1", "persistUntil is not a number of seconds" },
        { "ca.test; accounturi=" URI "; persistUntil=1760000001.0", "persistUntil is not a number of seconds" },
        { "ca.test; accounturi=" URI "; persistUntil=2027-01-01T00:00:00Z", "persistUntil is not a number of seconds" },
        { "ca.test; accounturi=" URI "; persistUntil=0x7fffffff", "persistUntil is not a number of seconds" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        expect(rows[i].text, false, VAL_PERSIST_MALFORMED, rows[i].why);
}

static void refused_records(void **state)
{
    (void)state;
    static const char *const accounts[] = { "", URI "0", "https://ca.test/account/", "HTTPS://ca.test/account/1" };
    for (size_t i = 0; i < ARRAY_SIZE(accounts); i++) {
        char text[128];
        snprintf(text, sizeof text, "ca.test; accounturi=%s", accounts[i]);
        expect(text, false, VAL_PERSIST_REFUSED, "accounturi is another account's");
    }
    expect("ca.test; accounturi=" URI "; persistUntil=1759999999", false, VAL_PERSIST_REFUSED,
           "persistUntil=1759999999 has passed, it is 1760000000 now");
    expect("ca.test; accounturi=" URI "; persistUntil=0", false, VAL_PERSIST_REFUSED,
           "persistUntil=0 has passed, it is 1760000000 now");
}

/* [persist-4.1-12] [persist-4.1-13] [persist-5.1-1] */
static void wildcards_want_a_policy(void **state)
{
    (void)state;
    expect("ca.test; accounturi=" URI "; policy=wildcard", true, VAL_PERSIST_FITS, "");
    expect("ca.test; Policy=WildCard; accounturi=" URI, true, VAL_PERSIST_FITS, "");
    expect("ca.test; accounturi=" URI, true, VAL_PERSIST_REFUSED, "policy=wildcard is missing");
    expect("ca.test; accounturi=" URI "; policy=", true, VAL_PERSIST_REFUSED, "policy is not wildcard");
    expect("ca.test; accounturi=" URI "; policy=wildcards", true, VAL_PERSIST_REFUSED, "policy is not wildcard");
    expect("ca.test; accounturi=" URI "; x=wildcard", true, VAL_PERSIST_REFUSED, "policy=wildcard is missing");
}

static void no_beginning_of_a_record_fits(void **state)
{
    (void)state;
    static const char whole[] = "ca.test; policy=wildcard; accounturi=" URI;
    char text[sizeof whole], why[VAL_PERSIST_WHY_SIZE];
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        memcpy(text, whole, len);
        text[len] = '\0';
        assert_int_not_equal(judge(text, true, why), VAL_PERSIST_FITS);
    }
    expect(whole, true, VAL_PERSIST_FITS, "");
}

static void parameters_are_bounded(void **state)
{
    (void)state;
    AUTO_BUF(text, 4096);
    buf_text(&text, "ca.test; accounturi=" URI);
    for (int i = 1; i < 32; i++)
        buf_printf(&text, "; x%d=", i);
    expect(buf_str(&text), false, VAL_PERSIST_FITS, "");
    buf_text(&text, "; y=");
    expect(buf_str(&text), false, VAL_PERSIST_MALFORMED, "more than 32 parameters");
}

static void nul_bytes_are_no_end(void **state)
{
    (void)state;
    static const char text[] = "ca.test; accounturi=" URI "\0x";
    char why[VAL_PERSIST_WHY_SIZE];
    int64_t until_s;
    assert_int_equal(val_persist_judge(bytes_of(text, sizeof text - 1), &of_draft_01, &until_s, why),
                     VAL_PERSIST_MALFORMED);
}

/* [persist-4.1-15] */
static void the_time_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t until_s;
    } rows[] = {
        { "ca.test; accounturi=" URI, VAL_PERSIST_FOR_EVER },
        { "ca.test; accounturi=" URI "; persistUntil=1760000000", 1760000000 },
        { "ca.test; accounturi=" URI "; persistUntil=9223372036854774", 9223372036854774 },
        { "ca.test; accounturi=" URI "; persistUntil=9223372036854776", VAL_PERSIST_FOR_EVER },
        { "ca.test; accounturi=" URI "; persistUntil=99999999999999999999", VAL_PERSIST_FOR_EVER },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char why[VAL_PERSIST_WHY_SIZE];
        int64_t until_s = -1;
        assert_int_equal(judge_for(&of_draft_01, rows[i].text, &until_s, why), VAL_PERSIST_FITS);
        assert_int_equal(until_s, rows[i].until_s);
    }
}

/* [persist-4.1-6] [persist-4.1-11] [persist-4.1-18] [persist-9.3.1-1] */
static void hashed_accounts_are_compared_as_they_are(void **state)
{
    (void)state;
    static const char *const foreign[] = {
        "",
        URI,
        PREFIX,
        PREFIX "sha-256/",
        PREFIX "sha-512/" HASH,
        PREFIX "SHA-256/" HASH,
        "HTTPS://ca.test/account-hash/sha-256/" HASH,
        HASHED "A",
        PREFIX "sha-256/"
               "7DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU",
        PREFIX "sha-256/"
               "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
    };
    char why[VAL_PERSIST_WHY_SIZE] = "", text[256];
    int64_t until_s;
    assert_int_equal(judge_for(&of_draft_02, "ca.test; accounturi=" HASHED, &until_s, why), VAL_PERSIST_FITS);
    for (size_t i = 0; i < ARRAY_SIZE(foreign); i++) {
        snprintf(text, sizeof text, "ca.test; accounturi=%s", foreign[i]);
        assert_int_equal(judge_for(&of_draft_02, text, &until_s, why), VAL_PERSIST_MALFORMED);
        assert_string_equal(why, "accounturi is not " PREFIX "sha-256/ and a hash");
    }
    static const char other_case[] =
        "ca.test; accounturi=" PREFIX "sha-256/47deQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
    assert_int_equal(judge_for(&of_draft_02, other_case, &until_s, why), VAL_PERSIST_REFUSED);
    assert_string_equal(why, "accounturi is another account's");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_fit),        cmocka_unit_test(records_of_others),
        cmocka_unit_test(malformed_records),       cmocka_unit_test(refused_records),
        cmocka_unit_test(wildcards_want_a_policy), cmocka_unit_test(no_beginning_of_a_record_fits),
        cmocka_unit_test(parameters_are_bounded),  cmocka_unit_test(nul_bytes_are_no_end),
        cmocka_unit_test(the_time_is_told),        cmocka_unit_test(hashed_accounts_are_compared_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
