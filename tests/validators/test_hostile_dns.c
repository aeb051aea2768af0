#include "tests/validators/dns_server.h"
#include "tests/validators/hostile.h"

#include <stdio.h>

enum { TXT = 16, CAA = 257, FORMERR = 1, SERVFAIL = 2, NOTIMP = 4, REFUSED = 5, ODD_RCODE = 11 };
enum { TEXTS_MAX = 5, MANY = 800, NAME_SIZE = 64, DNS_ROWS_PER_ROW = 3 };
#define VALUE "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM"

struct answer {
    bool there;
    enum dns_action action;
    int rcode;
    const char *texts[TEXTS_MAX];
    bool many; /* the texts, in the middle of MANY others */
};
struct row {
    struct hostile_expect expect;
    struct answer txt, caa;
    const char *alias; /* of the TXT record's name; there the records are */
};

#define FAILS(what, problem, detail)                                                                                   \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, false                                                          \
    }
#define SLOW(what, problem, detail)                                                                                    \
    {                                                                                                                  \
        what, HOSTILE_FAILS, PROBLEM_##problem, detail, true                                                           \
    }
#define PASSES(what)                                                                                                   \
    {                                                                                                                  \
        what, HOSTILE_PASSES, 0, NULL, false                                                                           \
    }
#define SAYS(...)                                                                                                      \
    {                                                                                                                  \
        true, DNS_ANSWER, 0, { __VA_ARGS__ }, false                                                                    \
    }
#define DOES(action)                                                                                                   \
    {                                                                                                                  \
        true, action, 0, { VALUE }, false                                                                              \
    }
#define CODE(rcode)                                                                                                    \
    {                                                                                                                  \
        true, DNS_ANSWER, rcode, { NULL }, false                                                                       \
    }
#define NOTHING                                                                                                        \
    {                                                                                                                  \
        false, 0, 0, { NULL }, false                                                                                   \
    }
#define RIGHT SAYS(VALUE)

static const struct row rows[] = {
    { FAILS("no such name", DNS, "name does not exist (NXDOMAIN), asked 127.0.0.1:"), NOTHING, NOTHING, NULL },
    { FAILS("no TXT records", UNAUTHORIZED, "has no such records (NOERROR)"), CODE(0), NOTHING, NULL },
    { FAILS("SERVFAIL", DNS, ": the answer is SERVFAIL (the zone"), CODE(SERVFAIL), NOTHING, NULL },
    { FAILS("REFUSED", DNS, ": the answer is "), CODE(REFUSED), NOTHING, NULL },
    { FAILS("FORMERR", DNS, ": the answer is "), CODE(FORMERR), NOTHING, NULL },
    { FAILS("NOTIMP", DNS, ": the answer is "), CODE(NOTIMP), NOTHING, NULL },
    { FAILS("a code nobody knows", DNS, ": the answer is "), CODE(ODD_RCODE), NOTHING, NULL },
    { SLOW("silence", DNS, ": no answer within "), DOES(DNS_SILENCE), NOTHING, NULL },
    { SLOW("bytes that are no message", DNS, "TXT _acme-challenge."), DOES(DNS_GARBAGE), NOTHING, NULL },
    { SLOW("another id", DNS, ": no answer within "), DOES(DNS_WRONG_ID), NOTHING, NULL },
    { SLOW("the answer to another question", DNS, "TXT _acme-challenge."), DOES(DNS_WRONG_QUESTION), NOTHING, NULL },
    { SLOW("an answer that is cut", DNS, "TXT _acme-challenge."), DOES(DNS_CUT), NOTHING, NULL },
    { SLOW("a name that points to itself", DNS, "TXT _acme-challenge."), DOES(DNS_LOOP), NOTHING, NULL },
    { SLOW("too long for UDP, and TCP hangs up", DNS, "TXT _acme-challenge."), DOES(DNS_TRUNCATE_ALL), NOTHING, NULL },
    { PASSES("too long for UDP"), DOES(DNS_TRUNCATE), NOTHING, NULL },
    { PASSES("an answer that comes twice"), DOES(DNS_TWICE), NOTHING, NULL },
    /* values */
    { PASSES("the right value"), RIGHT, NOTHING, NULL },
    { PASSES("the right value in pieces"), SAYS("lCM7cZyQXcVHK2nn||W3jjAhNT3Fvm18UN-kWZZknK|oYM"), NOTHING, NULL },
    { PASSES("the right value among others"), SAYS("x", "", VALUE "x", VALUE), NOTHING, NULL },
    { PASSES("the right value among many"), { true, DNS_TRUNCATE, 0, { VALUE }, true }, NOTHING, NULL },
    { FAILS("many wrong values", UNAUTHORIZED, " (and 800 more), asked"),
      { true, DNS_TRUNCATE, 0, { "x" }, true },
      NOTHING,
      NULL },
    { FAILS("an empty value", UNAUTHORIZED, "found \"\", asked"), SAYS(""), NOTHING, NULL },
    { FAILS("one byte more", UNAUTHORIZED, "one record should be \"" VALUE "\""), SAYS(VALUE "="), NOTHING, NULL },
    { FAILS("one byte less", UNAUTHORIZED, "found \"lCM7"), SAYS("lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoY"), NOTHING,
      NULL },
    { FAILS("a space behind", UNAUTHORIZED, "oYM \", asked"), SAYS(VALUE " "), NOTHING, NULL },
    { FAILS("the key authorization itself", UNAUTHORIZED, "found \"eva"), SAYS(KEY_AUTHORIZATION), NOTHING, NULL },
    { FAILS("in two records", UNAUTHORIZED, " (and 1 more)"), SAYS("lCM7cZyQXcVHK2nn", "W3jjAhNT3Fvm18UN-kWZZknKoYM"),
      NOTHING, NULL },
    { FAILS("quotes and terminal codes", UNAUTHORIZED, "\\\"\\x1b[2J\\xff"), SAYS("\"\x1b[2J\xff"), NOTHING, NULL },
    /* aliases */
    { PASSES("an alias"), RIGHT, NOTHING, "elsewhere.other" },
    { FAILS("an alias to nowhere", DNS, "NXDOMAIN"), NOTHING, NOTHING, "nowhere.other" },
    { FAILS("an alias to itself", DNS, ": the answer is SERVFAIL"), NOTHING, NOTHING, "" },
    /* CAA */
    { PASSES("CAA names us"), RIGHT, SAYS("0 issue ca.test"), NULL },
    { PASSES("CAA names us over TCP"), RIGHT, { true, DNS_TRUNCATE, 0, { "0 issue ca.test" }, true }, NULL },
    { PASSES("CAA names us, our account and our method"), RIGHT,
      SAYS("0 issue ca.test; accounturi=" ACCOUNT_URL "; validationmethods=dns-01"), NULL },
    { FAILS("CAA names another", CAA, "0 issue \"other.test\" names another authority; asked 127.0.0.1:"), RIGHT,
      SAYS("0 issue other.test"), NULL },
    { FAILS("CAA names nobody", CAA, "0 issue \";\" allows nobody"), RIGHT, SAYS("0 issue ;"), NULL },
    { FAILS("CAA is malformed", CAA, "breaks the grammar of RFC 8659"), RIGHT, SAYS("0 issue ca.test x"), NULL },
    { FAILS("CAA is no record", CAA, "is no CAA record"), RIGHT, SAYS("0 ca_test x"), NULL },
    { FAILS("CAA is critical and unknown", CAA, "128 future \"x\" is critical"), RIGHT,
      SAYS("128 future x", "0 issue ca.test"), NULL },
    { FAILS("CAA names another account", CAA, "is for another account"), RIGHT,
      SAYS("0 issue ca.test; accounturi=" ACCOUNT_URL "0"), NULL },
    { FAILS("CAA names another method", CAA, "is for other challenge types"), RIGHT,
      SAYS("0 issue ca.test; validationmethods=http-01,tls-alpn-01"), NULL },
    { FAILS("CAA fails", DNS, ": the answer is SERVFAIL (the zone"), RIGHT, CODE(SERVFAIL), NULL },
    { FAILS("CAA is refused", DNS, "it is not known whether CAA allows"), RIGHT, CODE(REFUSED), NULL },
    { SLOW("CAA is silent", DNS, ".test: no answer within "), RIGHT, DOES(DNS_SILENCE), NULL },
    { SLOW("CAA is no message", DNS, "it is not known whether CAA allows"),
      RIGHT,
      { true, DNS_GARBAGE, 0, { "0 issue ca.test" }, false },
      NULL },
};

struct zone {
    struct dns_row rows[ARRAY_SIZE(rows) * DNS_ROWS_PER_ROW];
    char names[ARRAY_SIZE(rows) * DNS_ROWS_PER_ROW][NAME_SIZE];
    size_t count;
    const char *crowd[ARRAY_SIZE(rows)][MANY + 1];
    char others[MANY][NAME_SIZE];
};

static void add(struct zone *zone, size_t row, const char *name, int type, const struct answer *answer)
{
    struct dns_row *to = &zone->rows[zone->count];
    snprintf(zone->names[zone->count], NAME_SIZE, "%s", name);
    *to = (struct dns_row) { zone->names[zone->count++], type, answer->action, answer->rcode, NULL, answer->texts, 0 };
    while (to->count < TEXTS_MAX && answer->texts[to->count] != NULL)
        to->count++;
    if (!answer->many)
        return;
    for (size_t i = 0; i <= MANY; i++)
        zone->crowd[row][i] = i == MANY / 2 ? answer->texts[0] : zone->others[i % MANY];
    to->texts = zone->crowd[row];
    to->count = MANY + 1;
}

/* CAA records of this form, and TXT records of any */
static void fill_zone(struct zone *zone)
{
    char name[NAME_SIZE];
    for (size_t i = 0; i < MANY; i++)
        snprintf(zone->others[i], NAME_SIZE, "0 issue %zu.other.test", i);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        static const struct answer empty = CODE(0);
        const struct row *row = &rows[i];
        snprintf(name, sizeof name, "_acme-challenge.%zu.test", i);
        if (row->alias != NULL)
            add(zone, i, name, TXT, &empty);
        if (row->alias != NULL)
            zone->rows[zone->count - 1].cname = row->alias[0] != '\0' ? row->alias : zone->names[zone->count - 1];
        if (row->txt.there)
            add(zone, i, row->alias != NULL ? row->alias : name, TXT, &row->txt);
        snprintf(name, sizeof name, "%zu.test", i);
        if (row->caa.there)
            add(zone, i, name, CAA, &row->caa);
    }
}

static void run(bool slow)
{
    static struct zone zone;
    char server_text[40];
    const struct hostile_table table = { rows, ARRAY_SIZE(rows), sizeof rows[0], NULL, NULL };
    struct validators_options options = test_options();
    zone.count = 0;
    fill_zone(&zone);
    struct dns_server *server = dns_server_start(zone.rows, zone.count);
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", dns_server_port(server));
    options.dns_server = server_text;
    options.caa_mode = CAA_ENFORCE;
    if (slow)
        options.dns_timeout_ms = 200;
    hostile_judge(&table, &options, CHALLENGE_DNS_01, slow);
    dns_server_stop(server);
}

static void servers_that_answer(void **state)
{
    (void)state;
    run(false);
}

static void servers_that_do_not_come_to_an_end(void **state)
{
    (void)state;
    run(true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_answer),
        cmocka_unit_test(servers_that_do_not_come_to_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
