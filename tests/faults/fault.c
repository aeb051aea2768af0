#include "tests/faults/fault.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct fault plan; /* written while nothing is armed */
static atomic_bool armed, struck;
static atomic_int calls;

void fault_arm(const struct fault *fault)
{
    plan = *fault;
    calls = 0;
    struck = false;
    armed = true;
}

bool fault_disarm(void)
{
    armed = false;
    return struck;
}

bool fault_strikes(enum fault_group group)
{
    if (!armed || !(plan.groups & group))
        return false;
    int call = ++calls;
    if (call < plan.at || (call > plan.at && !plan.forever))
        return false;
    struck = true;
    errno = plan.code;
    return true;
}

int fault_code(void)
{
    return plan.code;
}

bool fault_shortens(void)
{
    return plan.shorter && calls == plan.at;
}

/* ---- memory: under a sanitizer, whose allocator must stay in charge, of our own code; otherwise of the libraries of
 * storage/ too. OpenSSL's hashes cannot do without memory, and we cannot without them. */

#ifdef FAULT_WRAPS_ALLOCATOR
#define ALLOCATOR(name) __wrap_##name
#define REAL(name)      __real_##name
#define CALLER_COUNTS() true
#else
#define ALLOCATOR(name) name
#define REAL(name)      __libc_##name
#define CALLER_COUNTS() (armed && counts(__builtin_return_address(0)))
static bool counts(const void *caller)
{
    Dl_info where, here;
    if (dladdr(caller, &where) == 0 || dladdr(fault_arm, &here) == 0)
        return false;
    return where.dli_fbase == here.dli_fbase || strstr(where.dli_fname, "liblmdb") != NULL ||
           strstr(where.dli_fname, "libjansson") != NULL;
}
#endif
void *REAL(malloc)(size_t size);
void *REAL(calloc)(size_t count, size_t size);
void *REAL(realloc)(void *old, size_t size);
void *ALLOCATOR(malloc)(size_t size);
void *ALLOCATOR(calloc)(size_t count, size_t size);
void *ALLOCATOR(realloc)(void *old, size_t size);

void *ALLOCATOR(malloc)(size_t size)
{
    return CALLER_COUNTS() && fault_strikes(FAULT_MEMORY) ? NULL : REAL(malloc)(size);
}

void *ALLOCATOR(calloc)(size_t count, size_t size)
{
    return CALLER_COUNTS() && fault_strikes(FAULT_MEMORY) ? NULL : REAL(calloc)(count, size);
}

void *ALLOCATOR(realloc)(void *old, size_t size)
{
    return CALLER_COUNTS() && fault_strikes(FAULT_MEMORY) ? NULL : REAL(realloc)(old, size);
}

/* ---- the C library: a program's own function stands in front of it for every shared library too */

ssize_t write(int fd, const void *data, size_t len)
{
    if (fault_strikes(FAULT_WRITE)) {
        if (!fault_shortens())
            return -1;
        len /= 2;
    }
    return syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    if (fault_strikes(FAULT_WRITE)) {
        if (!fault_shortens())
            return -1;
        len /= 2;
    }
    return syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    if (fault_strikes(FAULT_WRITE)) {
        if (!fault_shortens())
            return -1;
        count = count > 1 ? count / 2 : 1;
    }
    return syscall(SYS_writev, fd, pieces, count);
}

int ftruncate(int fd, off_t len)
{
    return fault_strikes(FAULT_WRITE) ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

/* What is synced is not the question here, so a sync that does not fail does nothing. */
int fdatasync(int fd)
{
    (void)fd;
    return fault_strikes(FAULT_SYNC) ? -1 : 0;
}

int fsync(int fd)
{
    (void)fd;
    return fault_strikes(FAULT_SYNC) ? -1 : 0;
}

int msync(void *at, size_t len, int flags)
{
    (void)at, (void)len, (void)flags;
    return fault_strikes(FAULT_SYNC) ? -1 : 0;
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = va_arg(args, unsigned);
    va_end(args);
    return fault_strikes(FAULT_OPEN) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags & ~O_DSYNC, mode);
}

void *mmap(void *at, size_t len, int protection, int flags, int fd, off_t offset)
{
    if (fault_strikes(FAULT_OPEN))
        return MAP_FAILED;
    return (void *)syscall(SYS_mmap, at, len, protection, flags, fd, offset);
}

/* ---- threads */

int __real_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
    return fault_strikes(FAULT_THREAD) ? fault_code() : __real_pthread_create(out, attributes, run, arg);
}
