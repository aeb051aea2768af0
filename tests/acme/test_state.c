#include "acme/state.h"
#include "tests/unit.h"

/* The figures of RFC 8555 §7.1.6, one line for each arrow, written down apart from the tables under test. */
struct arrow {
    const char *from, *to;
};

static const struct arrow account_arrows[] = {
    { "valid", "deactivated" }, { "valid", "revoked" },     { "valid", "suspended" },
    { "suspended", "valid" },   { "suspended", "revoked" }, { NULL, NULL },
};
static const struct arrow order_arrows[] = {
    { "pending", "ready" }, { "pending", "invalid" },  { "ready", "processing" },
    { "ready", "invalid" }, { "processing", "valid" }, { "processing", "invalid" },
    { NULL, NULL },
};
static const struct arrow authorization_arrows[] = {
    { "pending", "valid" },     { "pending", "invalid" }, { "pending", "expired" }, { "pending", "deactivated" },
    { "valid", "deactivated" }, { "valid", "expired" },   { "valid", "revoked" },   { NULL, NULL },
};
static const struct arrow challenge_arrows[] = {
    { "pending", "processing" },
    { "processing", "valid" },
    { "processing", "invalid" },
    { NULL, NULL },
};
static const struct arrow certificate_arrows[] = { { "valid", "revoked" }, { NULL, NULL } };

static const struct {
    const struct state_machine *machine;
    const struct arrow *arrows;
} machines[] = {
    { &account_states, account_arrows },
    { &order_states, order_arrows },
    { &authorization_states, authorization_arrows },
    { &challenge_states, challenge_arrows },
    { &certificate_states, certificate_arrows },
};

static bool drawn(const struct arrow *arrow, const char *from, const char *to)
{
    for (; arrow->from != NULL; arrow++) {
        if (strcmp(arrow->from, from) == 0 && strcmp(arrow->to, to) == 0)
            return true;
    }
    return false;
}

/* [8555-7.1.6-1] [8555-7.1.6-3] [8555-7.1.6-7] */
static void exactly_the_drawn_arrows_are_allowed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        const struct state_machine *machine = machines[i].machine;
        for (unsigned from = 0; from < machine->count; from++) {
            for (unsigned to = 0; to < machine->count; to++) {
                const char *a = state_text(machine, from);
                const char *b = state_text(machine, to);
                if (state_may(machine, from, to) != drawn(machines[i].arrows, a, b))
                    fail_msg("%s: %s to %s", machine->name, a, b);
            }
        }
    }
}

static void every_end_of_an_arrow_is_a_state(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        for (const struct arrow *arrow = machines[i].arrows; arrow->from != NULL; arrow++) {
            unsigned found;
            assert_true(state_from_text(machines[i].machine, arrow->from, &found));
            assert_true(state_from_text(machines[i].machine, arrow->to, &found));
        }
    }
}

static void texts_and_states_are_each_others_inverse(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        for (unsigned s = 0; s < machines[i].machine->count; s++) {
            unsigned found = 99;
            assert_true(state_from_text(machines[i].machine, state_text(machines[i].machine, s), &found));
            assert_int_equal(found, s);
        }
    }
}

static void foreign_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "Valid", "valid ", "none", "processin" };
    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(bad); j++) {
            unsigned found = 99;
            assert_false(state_from_text(machines[i].machine, bad[j], &found));
            assert_int_equal(found, 99);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_drawn_arrows_are_allowed),
        cmocka_unit_test(every_end_of_an_arrow_is_a_state),
        cmocka_unit_test(texts_and_states_are_each_others_inverse),
        cmocka_unit_test(foreign_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
