#include "acme/punycode.h"
#include "tests/unit.h"

static void real_labels_are_valid(void **state)
{
    (void)state;
    static const char *const good[] = {
        "mnchen-3ya",               /* münchen */
        "bcher-kva",                /* bücher */
        "fiqs8s",                   /* two Han characters, no basic ones */
        "ihqwcrb4cv8a8dqg056pqjye", /* RFC 3492 §7.1 (B) */
        "egbpdaj6bu4bxfgehfvwxn",   /* (A) */
        "de-jg4avhby1noc0d",        /* (Q), lower case */
        "a-ecp",
        "80ak6aa92e",
        "ls8h", /* one character beyond the basic plane */
        "hb9b", /* U+D7FF, U+E000, U+10FFFF: beside what is forbidden */
        "0y0c",
        "dn32g",
        "tda23883t",        /* U+10FFFF once more, where it depends on how the bias was adapted: behind U+00FC */
        "tda6360bgo8e",     /* U+D7FF behind two others */
        "a-lq6ap30btm314b", /* U+10FFFF behind an "a" and two others */
    };
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        if (!punycode_valid(bytes_text(good[i])))
            fail_msg("%s", good[i]);
    }
}

/* [8555-7.1.4-7] */
static void what_does_not_decode_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "-",
        "abc-",      /* nothing beyond ASCII */
        "-abc",      /* a delimiter that delimits nothing */
        "mnchen-3y", /* ends within a number */
        "z",
        "zzzzzzzz",
        "99999999",  /* overflows */
        "tda43883t", /* as in the cases above, one code point further */
        "tda6360bjo8e",
        "a-lq6ap30bxm314b",
        "a-9999999999999a", /* overflows and then ends well */
        "ib9b",             /* U+D800 and U+DFFF, the ends of the surrogates */
        "zy0c",
        "en32g", /* U+110000 */
        "mnchen-3YA",
    };
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        if (punycode_valid(bytes_text(bad[i])))
            fail_msg("%s", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_labels_are_valid),
        cmocka_unit_test(what_does_not_decode_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
