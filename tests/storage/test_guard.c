/* What a guard makes of faults: reads are given up, writes end the process with a line, the rest is nobody's. */
#include "storage/guard.h"

#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, GIVEN_UP = -7, LINE_MAX_BYTES = 512 };

/* Its second page lies behind the end of the file. */
static const uint8_t *map_too_much(void)
{
    int fd = memfd_create("short", MFD_CLOEXEC);
    assert_int_equal(ftruncate(fd, PAGE), 0);
    void *map = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    assert_true(map != MAP_FAILED);
    return map;
}

static int touch_all(void *map)
{
    guard_touch(bytes_of(map, 2 * PAGE));
    return 0;
}

static int touch_end(void *map)
{
    guard_touch(bytes_of((const uint8_t *)map + PAGE - 1, 2));
    return 0;
}

static int touch_start(void *map)
{
    guard_touch(bytes_of(map, PAGE));
    return 1;
}

static int touch_nothing(void *map)
{
    guard_touch(bytes_of(map, 0));
    return 2;
}

static int follow_nowhere(void *arg)
{
    (void)arg;
    raise(SIGSEGV);
    return 0;
}

static int give_up(void *arg)
{
    (void)arg;
    guard_give_up();
    return 0;
}

static void a_read_is_given_up_as_often_as_it_takes(void **state)
{
    (void)state;
    const uint8_t *map = map_too_much();
    guard_install();
    for (int i = 0; i < 3; i++) {
        assert_int_equal(guard_run(GUARD_READS, touch_all, (void *)(uintptr_t)map, GIVEN_UP), GIVEN_UP);
        assert_int_equal(guard_run(GUARD_READS, touch_end, (void *)(uintptr_t)map, GIVEN_UP), GIVEN_UP);
        assert_int_equal(guard_run(GUARD_READS, touch_start, (void *)(uintptr_t)map, GIVEN_UP), 1);
        assert_int_equal(guard_run(GUARD_READS, touch_nothing, NULL, GIVEN_UP), 2);
        assert_int_equal(guard_run(GUARD_READS, follow_nowhere, NULL, GIVEN_UP), GIVEN_UP);
        assert_int_equal(guard_run(GUARD_READS, give_up, NULL, GIVEN_UP), GIVEN_UP);
    }
    munmap((void *)(uintptr_t)map, 2 * PAGE);
}

/* How a process ends that meets the fault, and what it says before. */
static int end_of(int (*call)(void *arg), enum guard_kind kind, bool guarded, char line[static LINE_MAX_BYTES])
{
    const uint8_t *map = map_too_much();
    int status, said = memfd_create("stderr", MFD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) {
        for (int number = 1; number < SIGSYS; number++)
            signal(number, SIG_DFL);
        dup2(said, STDERR_FILENO);
        guard_install();
        _exit(guarded ? guard_run(kind, call, (void *)(uintptr_t)map, GIVEN_UP) : call((void *)(uintptr_t)map));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    ssize_t len = pread(said, line, LINE_MAX_BYTES - 1, 0);
    assert_true(len >= 0);
    line[len] = '\0';
    close(said);
    munmap((void *)(uintptr_t)map, 2 * PAGE);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_write_ends_the_process_with_last_words(void **state)
{
    (void)state;
    char line[LINE_MAX_BYTES];
    assert_int_equal(end_of(touch_all, GUARD_WRITES, true, line), SIGBUS);
    assert_non_null(strstr(line, "caraway check"));
    assert_string_equal(strchr(line, '\n'), "\n");
}

static void a_fault_elsewhere_stays_what_it_was(void **state)
{
    (void)state;
    char line[LINE_MAX_BYTES];
    assert_int_equal(end_of(touch_all, GUARD_WRITES, false, line), SIGBUS);
    assert_string_equal(line, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_read_is_given_up_as_often_as_it_takes),
        cmocka_unit_test(a_write_ends_the_process_with_last_words),
        cmocka_unit_test(a_fault_elsewhere_stays_what_it_was),
    };
    return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
