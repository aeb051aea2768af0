#include "storage/guard.h"

#include <setjmp.h>
#include <signal.h>
#include <unistd.h>

enum { TOUCH_STEP_BYTES = 4096 };

struct guard {
    enum guard_kind kind;
    sigjmp_buf back;
};

static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE };

/* A signal's handler is given nothing of ours, so these are global: the guard by thread, the rest written where a store
 * is opened. */
static _Thread_local struct guard *current;
static struct sigaction before[ARRAY_SIZE(faults)];

void guard_give_up(void)
{
    static const char line[] =
        "caraway: the database is damaged: a page makes no sense or cannot be read; run \"caraway check\", "
        "and restore a backup (docs/storage.md)\n";
    struct guard *guard = TAKE(current);
    if (guard == NULL)
        return;
    if (guard->kind == GUARD_READS)
        siglongjmp(guard->back, 1);
    (void)!write(STDERR_FILENO, line, sizeof line - 1);
}

/* Who comes back from here runs the same instruction again, and meets what was there before us. */
static void on_fault(int number, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    guard_give_up();
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
        if (faults[i] == number)
            sigaction(number, &before[i], NULL);
}

void guard_install(void)
{
    /* SA_NODEFER: the handler may be left by a jump */
    struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
        struct sigaction found;
        sigaction(faults[i], &action, &found);
        if (found.sa_sigaction != on_fault)
            before[i] = found;
    }
}

int guard_run(enum guard_kind kind, int (*call)(void *arg), void *arg, int given_up)
{
    struct guard guard = { .kind = kind };
    if (sigsetjmp(guard.back, 0) != 0)
        return given_up;
    current = &guard;
    int code = call(arg);
    current = NULL;
    return code;
}

void guard_touch(struct bytes found)
{
    for (size_t at = 0; at < found.len; at += TOUCH_STEP_BYTES)
        (void)*(const volatile uint8_t *)(found.data + at);
    if (found.len > 0)
        (void)*(const volatile uint8_t *)(found.data + found.len - 1);
}
