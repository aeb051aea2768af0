#include "tests/unit.h"
#include "validators/ede.h"

enum { ID = 0x1234, TXT = 16 };

#define QUESTION      "\1a\4test\0\0\x10\0\1"
#define ASKED         "\x12\x34\1\0\0\1\0\0\0\0\0\1" QUESTION "\0\0\x29\x04\xd0\0\0\0\0\0\0"
#define HEAD          "\x12\x34\x81\x82\0\1\0\0\0\0\0\1" QUESTION
#define OPT(len)      "\0\0\x29\x04\xd0\0\0\0\0\0" len
#define EDE(len)      "\0\x0f\0" len
#define CNAME         "\xc0\x0c\0\5\0\1\0\0\0\0\0\2\xc0\x0c"
#define FIFTY_SIX     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ROW(s, words) s, sizeof(s) - 1, words

static struct bytes question(void)
{
    static uint8_t asked[VAL_EDE_QUESTION_MAX];
    return bytes_of(asked, val_ede_question(ID, "a.test", TXT, asked));
}

static void a_question_is_of_a_name_that_dns_could_know(void **state)
{
    (void)state;
    uint8_t out[VAL_EDE_QUESTION_MAX];
    char label[65] = "", name[300] = "";
    assert_true(bytes_equal(question(), bytes_of(ASKED, sizeof ASKED - 1)));
    memset(label, 'a', 64);
    assert_int_equal(val_ede_question(ID, label, TXT, out), 0);
    assert_int_not_equal(val_ede_question(ID, label + 1, TXT, out), 0);
    assert_int_equal(val_ede_question(ID, "a..test", TXT, out), 0);
    for (size_t i = 0; i < 254; i++)
        name[i] = i % 2 == 0 ? 'a' : '.';
    assert_int_equal(val_ede_question(ID, name, TXT, out), VAL_EDE_QUESTION_MAX);
    name[254] = 'a'; /* behind the dot */
    assert_int_equal(val_ede_question(ID, name, TXT, out), 0);
}

static const struct row {
    const char *what, *answer;
    size_t len;
    const char *words; /* NULL: none */
} rows[] = {
    { "with a text", ROW(HEAD OPT("\x0b") EDE("\7") "\0\7stale", "Signature Expired: \"stale\"") },
    { "with a text that ends in NUL", ROW(HEAD OPT("\x0c") EDE("\x8") "\0\7stale\0", "Signature Expired: \"stale\"") },
    { "without a text", ROW(HEAD OPT("\6") EDE("\2") "\0\0", "Other Error") },
    { "the last that is known", ROW(HEAD OPT("\6") EDE("\2") "\0\x1e", "Invalid Query Type") },
    { "the first that is not", ROW(HEAD OPT("\6") EDE("\2") "\0\x1f", "extended error 31") },
    { "the largest", ROW(HEAD OPT("\6") EDE("\2") "\xff\xff", "extended error 65535") },
    { "the first of two", ROW(HEAD OPT("\x0c") EDE("\2") "\0\6" EDE("\2") "\0\7", "DNSSEC Bogus") },
    { "behind another option", ROW(HEAD OPT("\x0b") "\0\x0a\0\1x" EDE("\2") "\0\6", "DNSSEC Bogus") },
    { "behind a record",
      ROW("\x12\x34\x81\x82\0\1\0\1\0\0\0\1" QUESTION CNAME OPT("\6") EDE("\2") "\0\6", "DNSSEC Bogus") },
    { "hostile bytes",
      ROW(HEAD OPT("\x0b") EDE("\7") "\0\6\"\x1b\n\\\xff", "DNSSEC Bogus: \"\\\"\\x1b\\x0a\\\\\\xff\"") },
    { "a text as long as it likes",
      ROW(HEAD OPT("\xf6") EDE("\xf2") "\0\6" FIFTY_SIX FIFTY_SIX FIFTY_SIX FIFTY_SIX "aaaaaaaaaaaaaaaa",
          "DNSSEC Bogus: \"" FIFTY_SIX FIFTY_SIX FIFTY_SIX FIFTY_SIX "aaaaaaaaaaaa...\"") },
    { "another number", ROW("\x12\x35\x81\x82\0\1\0\0\0\0\0\1" QUESTION OPT("\6") EDE("\2") "\0\6", NULL) },
    { "no response", ROW("\x12\x34\1\2\0\1\0\0\0\0\0\1" QUESTION OPT("\6") EDE("\2") "\0\6", NULL) },
    { "another question",
      ROW("\x12\x34\x81\x82\0\1\0\0\0\0\0\1\1b\4test\0\0\x10\0\1" OPT("\6") EDE("\2") "\0\6", NULL) },
    { "two questions", ROW("\x12\x34\x81\x82\0\2\0\0\0\0\0\1" QUESTION OPT("\6") EDE("\2") "\0\6", NULL) },
    { "no EDNS", ROW("\x12\x34\x81\x82\0\1\0\0\0\0\0\0" QUESTION, NULL) },
    { "no such option", ROW(HEAD OPT("\5") "\0\x0a\0\1x", NULL) },
    { "an option without a code", ROW(HEAD OPT("\5") EDE("\1") "\0", NULL) },
    { "an option beyond the record", ROW(HEAD OPT("\6") EDE("\3") "\0\6", NULL) },
    { "a label of a kind that is not",
      ROW("\x12\x34\x81\x82\0\1\0\0\0\0\0\1" QUESTION "\x80" OPT("\6") EDE("\2") "\0\6", NULL) },
    { "a record beyond the message", ROW(HEAD OPT("\7") EDE("\2") "\0\6", NULL) },
};

static void words_of_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char words[VAL_EDE_TEXT_SIZE] = "";
        bool found = val_ede_read(bytes_of(rows[i].answer, rows[i].len), question(), words);
        if (found != (rows[i].words != NULL) || (found && strcmp(words, rows[i].words) != 0))
            fail_msg("%s: %s", rows[i].what, found ? words : "none");
    }
}

static void an_answer_that_is_cut_has_none(void **state)
{
    (void)state;
    char words[VAL_EDE_TEXT_SIZE];
    for (size_t len = 0; len < rows[0].len; len++) {
        uint8_t *copy = malloc(len + 1); /* so that a sanitizer sees what is read behind it */
        memcpy(copy, rows[0].answer, len);
        copy = realloc(copy, len > 0 ? len : 1);
        assert_false(val_ede_read(bytes_of(copy, len), question(), words));
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_of_a_name_that_dns_could_know),
        cmocka_unit_test(words_of_answers),
        cmocka_unit_test(an_answer_that_is_cut_has_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
