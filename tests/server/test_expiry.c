/* What is read after its time, and the walls between states: RFC 8555 §7.1.6. */
#include "server/protocol/authorization.h"
#include "server/protocol/order.h"
#include "tests/unit.h"

enum { EXPIRES_MS = 1000 };

static void an_open_order_is_invalid_from_its_expiry_on(void **state)
{
    (void)state;
    for (unsigned i = ORDER_PENDING; i <= ORDER_INVALID; i++) {
        struct order order = { .state = i, .expires_ms = EXPIRES_MS };
        bool open = i == ORDER_PENDING || i == ORDER_READY;
        assert_int_equal(order_state_at(&order, EXPIRES_MS - 1), i);
        assert_int_equal(order_state_at(&order, EXPIRES_MS), open ? ORDER_INVALID : i);
        assert_int_equal(order_state_at(&order, EXPIRES_MS + 1), open ? ORDER_INVALID : i);
        assert_int_equal(order.state, i);
    }
}

static void an_authorization_expires_while_it_could_be_of_use(void **state)
{
    (void)state;
    static const enum authorization_state states[] = { AUTHORIZATION_PENDING, AUTHORIZATION_VALID,
                                                       AUTHORIZATION_INVALID, AUTHORIZATION_DEACTIVATED,
                                                       AUTHORIZATION_EXPIRED, AUTHORIZATION_REVOKED };
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        struct authorization authorization = { .state = states[i], .expires_ms = EXPIRES_MS };
        bool open = states[i] == AUTHORIZATION_PENDING || states[i] == AUTHORIZATION_VALID;
        assert_int_equal(authorization_state_at(&authorization, EXPIRES_MS - 1), states[i]);
        assert_int_equal(authorization_state_at(&authorization, EXPIRES_MS), open ? AUTHORIZATION_EXPIRED : states[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_order_is_invalid_from_its_expiry_on),
        cmocka_unit_test(an_authorization_expires_while_it_could_be_of_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
