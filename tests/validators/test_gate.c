#include "tests/unit.h"

#include "validators/gate.h"

#include <stdio.h>

enum { CROWD = 100 };
static const char *const names[] = { "a.test", "b.test", "c.test", "d.test", "e.test", "f.test", "g.test", "h.test" };

/* Always the same, so that the names above never meet. */
static void no_chance(void *self, uint8_t *out, size_t len)
{
    (void)self;
    memset(out, 7, len);
}

static struct val_gate *make(unsigned in_all, unsigned per_account, unsigned per_name)
{
    struct val_gate *gate;
    const struct world world = { .random = no_chance };
    assert_true(val_gate_make(&world, in_all, per_account, per_name, &gate));
    return gate;
}

static struct validation *enter(struct val_gate *gate, struct validation *validation, const char *account,
                                const char *name)
{
    *validation = (struct validation) { .account_url = account, .identifier = { IDENTIFIER_DNS, name } };
    return val_gate_enter(gate, validation);
}

static void who_comes_alone_goes_through(void **state)
{
    (void)state;
    struct validation one;
    AUTO(val_gate) gate = make(1, 1, 1);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(enter(gate, &one, "1", "a.test"), &one);
        assert_null(one.queued_next);
        assert_null(val_gate_leave(gate, &one));
    }
}

static void the_limit_in_all(void **state)
{
    (void)state;
    struct validation v[3];
    AUTO(val_gate) gate = make(2, 0, 0);
    assert_ptr_equal(enter(gate, &v[0], "1", names[0]), &v[0]);
    assert_ptr_equal(enter(gate, &v[1], "2", names[1]), &v[1]);
    assert_null(enter(gate, &v[2], "3", names[2]));
    assert_ptr_equal(val_gate_leave(gate, &v[0]), &v[2]);
    assert_null(v[2].queued_next);
    assert_null(val_gate_leave(gate, &v[1]));
}

static void one_account_cannot_use_all(void **state)
{
    (void)state;
    struct validation crowd[CROWD], other;
    size_t in = 0;
    AUTO(val_gate) gate = make(50, 10, 0);
    for (size_t i = 0; i < CROWD; i++)
        in += enter(gate, &crowd[i], "1", names[i % ARRAY_SIZE(names)]) != NULL;
    assert_int_equal(in, 10);
    assert_ptr_equal(enter(gate, &other, "2", "a.test"), &other);
    assert_ptr_equal(val_gate_leave(gate, &crowd[0]), &crowd[10]); /* first come, first served */
    assert_null(val_gate_leave(gate, &other));
}

static void a_name_is_not_run_over(void **state)
{
    (void)state;
    struct validation v[4];
    AUTO(val_gate) gate = make(0, 0, 2);
    assert_non_null(enter(gate, &v[0], "1", "a.test"));
    assert_non_null(enter(gate, &v[1], "2", "a.test"));
    assert_null(enter(gate, &v[2], "3", "a.test"));
    /* who waits for that name does not hold up the account's other names */
    assert_ptr_equal(enter(gate, &v[3], "3", "b.test"), &v[3]);
    assert_null(val_gate_leave(gate, &v[3]));
    assert_ptr_equal(val_gate_leave(gate, &v[1]), &v[2]);
}

/* As anyone can compute it. */
static uint32_t public_hash(const char *text)
{
    uint32_t value = 2166136261u;
    for (; *text != '\0'; text++)
        value = (value ^ (uint8_t)*text) * 16777619u;
    return value ^ value >> 16;
}

/* Else a name whose server is silent, chosen to meet another's, would keep that one waiting. */
static void nobody_aims_at_a_name(void **state)
{
    (void)state;
    struct validation v[2];
    char name[32] = "";
    for (unsigned i = 0; (public_hash(name) ^ public_hash("victim.test")) % 16384 != 0; i++)
        snprintf(name, sizeof name, "n%u.test", i);
    AUTO(val_gate) gate = make(0, 0, 1);
    assert_non_null(enter(gate, &v[0], "1", name));
    assert_non_null(enter(gate, &v[1], "2", "victim.test"));
}

/* A crowd stands before two others came; they wait for one turn each, not for the crowd. */
static void lines_take_turns(void **state)
{
    (void)state;
    struct validation crowd[CROWD], others[2];
    AUTO(val_gate) gate = make(1, 0, 0);
    for (size_t i = 0; i < CROWD; i++)
        (void)!enter(gate, &crowd[i], "1", names[i % ARRAY_SIZE(names)]);
    assert_null(enter(gate, &others[0], "2", "a.test"));
    assert_null(enter(gate, &others[1], "3", "b.test"));
    size_t turns = 0, seen = 0;
    for (const struct validation *now = &crowd[0]; seen < 2; turns++) {
        now = val_gate_leave(gate, now);
        seen += now == &others[0] || now == &others[1];
    }
    assert_in_range(turns, 2, 4);
}

static void nobody_is_forgotten(void **state)
{
    (void)state;
    struct validation crowd[CROWD];
    struct validation *running[CROWD * 2];
    size_t started = 0, ended = 0;
    AUTO(val_gate) gate = make(7, 3, 2);
    for (size_t i = 0; i < CROWD; i++) {
        struct validation *next = enter(gate, &crowd[i], names[i % 4], names[i * 5 % 7]);
        for (; next != NULL; next = next->queued_next)
            running[started++] = next;
    }
    for (; ended < started; ended++) {
        assert_true(started - ended <= 7);
        for (struct validation *next = val_gate_leave(gate, running[ended]); next != NULL; next = next->queued_next)
            running[started++] = next;
    }
    assert_int_equal(started, CROWD);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_alone_goes_through), cmocka_unit_test(the_limit_in_all),
        cmocka_unit_test(one_account_cannot_use_all),   cmocka_unit_test(a_name_is_not_run_over),
        cmocka_unit_test(nobody_aims_at_a_name),        cmocka_unit_test(lines_take_turns),
        cmocka_unit_test(nobody_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
