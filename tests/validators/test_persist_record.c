#include "validators/persist_record.h"

#include "tests/unit.h"

#include "base/buf.h"

#include <stdio.h>

#define URI   "https://ca.test/account/1"
#define NOW_S 1760000000

static const char *const issuers[] = { "ca.test", "Other.Test." };

static enum val_persist_verdict judge(const char *text, bool wildcard, char why[static VAL_PERSIST_WHY_SIZE])
{
    const struct val_persist_wanted wanted = { URI, issuers, ARRAY_SIZE(issuers), wildcard, NOW_S };
    /* a block of exactly this size lets ASan see one byte too many */
    size_t len = strlen(text);
    uint8_t *exact = malloc(len + (len == 0));
    memcpy(exact, text, len);
    why[0] = '\0';
    enum val_persist_verdict verdict = val_persist_judge(bytes_of(exact, len), &wanted, why);
    free(exact);
    return verdict;
}

static void expect(const char *text, bool wildcard, enum val_persist_verdict verdict, const char *phrase)
{
    char why[VAL_PERSIST_WHY_SIZE];
    enum val_persist_verdict got = judge(text, wildcard, why);
    if (got != verdict || strcmp(why, phrase) != 0)
        fail_msg("%s: %d, \"%s\" instead of %d, \"%s\"", text, (int)got, why, (int)verdict, phrase);
}

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

static void records_of_others(void **state)
{
    (void)state;
    static const char *const none[] = { "", " ", ";", "; accounturi=" URI, "-ca.test", "ca-.test", "_ca.test", "\xff" };
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
    const struct val_persist_wanted wanted = { URI, issuers, ARRAY_SIZE(issuers), false, NOW_S };
    char why[VAL_PERSIST_WHY_SIZE];
    assert_int_equal(val_persist_judge(bytes_of(text, sizeof text - 1), &wanted, why), VAL_PERSIST_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_that_fit),        cmocka_unit_test(records_of_others),
        cmocka_unit_test(malformed_records),       cmocka_unit_test(refused_records),
        cmocka_unit_test(wildcards_want_a_policy), cmocka_unit_test(no_beginning_of_a_record_fits),
        cmocka_unit_test(parameters_are_bounded),  cmocka_unit_test(nul_bytes_are_no_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
