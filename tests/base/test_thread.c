#include "base/thread.h"
#include "tests/unit.h"

#include <signal.h>

static void *read_mask(void *arg)
{
    pthread_sigmask(SIG_BLOCK, NULL, arg);
    return NULL;
}

static void only_its_own_faults_reach_a_thread(void **state)
{
    (void)state;
    sigset_t before, within, after;
    pthread_t thread;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    assert_true(thread_start(&thread, read_mask, &within));
    pthread_join(thread, NULL);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_true(sigismember(&within, SIGTERM) && sigismember(&within, SIGINT) && sigismember(&within, SIGPIPE));
    assert_false(sigismember(&within, SIGSEGV) || sigismember(&within, SIGBUS));
    assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_its_own_faults_reach_a_thread),
    };
    return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
