#include "base/bytes.h"
#include "tests/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

struct dropped {
    int *count;
};

static void dropped_drop(struct dropped *dropped)
{
    if (dropped != NULL)
        ++*dropped->count;
}
DEFINE_DROP(dropped, dropped_drop)

static bool leave_early(struct dropped *object, bool early)
{
    AUTO(dropped) owned = object;
    TRY(!early);
    return owned != NULL;
}

static void auto_drops_on_every_exit(void **state)
{
    (void)state;
    int count = 0;
    struct dropped object = { &count };
    assert_false(leave_early(&object, true));
    assert_int_equal(count, 1);
    assert_true(leave_early(&object, false));
    assert_int_equal(count, 2);
    assert_false(leave_early(NULL, false));
}

static void take_leaves_nothing_behind(void **state)
{
    (void)state;
    int count = 0;
    struct dropped object = { &count };
    {
        AUTO(dropped) owned = &object;
        struct dropped *moved = TAKE(owned);
        assert_ptr_equal(moved, &object);
        assert_null(owned);
    }
    assert_int_equal(count, 0);
}

static void check_aborts_when_broken(void **state)
{
    (void)state;
    CHECK(1 + 1 == 2);
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        CHECK(1 + 1 == 3);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void bytes_compare_by_content(void **state)
{
    (void)state;
    assert_true(bytes_equal(bytes_of(NULL, 0), bytes_text("")));
    assert_true(bytes_equal_text(bytes_of("abc", 2), "ab"));
    assert_false(bytes_equal_text(bytes_of("abc", 3), "ab"));
    assert_false(bytes_equal_text(bytes_text("ac"), "ab"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_drops_on_every_exit),
        cmocka_unit_test(take_leaves_nothing_behind),
        cmocka_unit_test(check_aborts_when_broken),
        cmocka_unit_test(bytes_compare_by_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
