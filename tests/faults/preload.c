#include "tests/faults/preload.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct preload_plan *plan;

__attribute__((constructor)) static void find_plan(void)
{
    const char *path = getenv(PRELOAD_PLAN);
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
    void *mapped = fd >= 0 ? mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (fd >= 0)
        close(fd);
    if (mapped != MAP_FAILED)
        plan = mapped;
}

static bool armed(enum preload_group group)
{
    return plan != NULL && plan->group == (int)group;
}

static bool strikes(enum preload_group group, int code)
{
    if (!armed(group))
        return false;
    int call = ++plan->calls;
    if (call != plan->at && !(plan->forever && call > plan->at))
        return false;
    plan->struck = 1;
    errno = code;
    return true;
}

/* The file name of the program or library that called; "" when nobody knows. */
static const char *caller_file(const void *caller)
{
    Dl_info where;
    if (dladdr(caller, &where) == 0)
        return "";
    const char *name = strrchr(where.dli_fname, '/');
    return name != NULL ? name + 1 : where.dli_fname;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* ---- memory: other libraries are not ours to mend */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

/* The program hands OpenSSL's allocations on: then who called it counts. Its
 * hooks end in a jump to the allocation, so one frame stands between. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wframe-address"
static __attribute__((noinline)) enum preload_group group_of_caller(void)
{
    const char *name = caller_file(__builtin_return_address(2));
    if (begins(name, "liblmdb") || begins(name, "libjansson"))
        return PRELOAD_MEMORY;
    if (!begins(name, "caraway"))
        return PRELOAD_NOTHING;
    return begins(caller_file(__builtin_return_address(3)), "libcrypto") ? PRELOAD_CRYPTO : PRELOAD_MEMORY;
}
#pragma GCC diagnostic pop

static __attribute__((noinline)) bool memory_fails(void)
{
    if (!armed(PRELOAD_MEMORY) && !armed(PRELOAD_CRYPTO))
        return false;
    enum preload_group group = group_of_caller();
    return group != PRELOAD_NOTHING && strikes(group, ENOMEM);
}

void *malloc(size_t size)
{
    return memory_fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : __libc_realloc(old, size);
}

/* ---- files */

static bool file_fails(int fd, int code)
{
    struct stat found;
    return armed(PRELOAD_FILE) && fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && strikes(PRELOAD_FILE, code);
}

ssize_t write(int fd, const void *data, size_t len)
{
    return file_fails(fd, ENOSPC) ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
    return file_fails(fd, EIO) ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

ssize_t writev(int fd, const struct iovec *pieces, int count)
{
    return file_fails(fd, ENOSPC) ? -1 : syscall(SYS_writev, fd, pieces, count);
}

int fdatasync(int fd)
{
    return file_fails(fd, EIO) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return file_fails(fd, EIO) ? -1 : (int)syscall(SYS_fsync, fd);
}

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    unsigned mode = va_arg(args, unsigned);
    va_end(args);
    return strikes(PRELOAD_FILE, EMFILE) ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

/* ---- sockets */

#define SOCKET_CALL(type, name, parameters, code, ...)                                                                 \
    type name parameters                                                                                               \
    {                                                                                                                  \
        return strikes(PRELOAD_SOCKET, code) ? -1 : (type)syscall(__VA_ARGS__);                                        \
    }

SOCKET_CALL(int, socket, (int domain, int type, int protocol), EMFILE, SYS_socket, domain, type, protocol)
SOCKET_CALL(int, accept, (int fd, struct sockaddr *from, socklen_t *len), EMFILE, SYS_accept, fd, from, len)
SOCKET_CALL(int, accept4, (int fd, struct sockaddr *from, socklen_t *len, int flags), ENFILE, SYS_accept4, fd, from,
            len, flags)
SOCKET_CALL(int, connect, (int fd, const struct sockaddr *to, socklen_t len), ENETUNREACH, SYS_connect, fd, to, len)
SOCKET_CALL(ssize_t, send, (int fd, const void *data, size_t len, int flags), ECONNRESET, SYS_sendto, fd, data, len,
            flags, NULL, 0)
SOCKET_CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), EPIPE, SYS_sendmsg, fd, message, flags)
SOCKET_CALL(ssize_t, sendto,
            (int fd, const void *data, size_t len, int flags, const struct sockaddr *to, socklen_t to_len), ENOBUFS,
            SYS_sendto, fd, data, len, flags, to, to_len)
SOCKET_CALL(ssize_t, recv, (int fd, void *out, size_t len, int flags), ECONNRESET, SYS_recvfrom, fd, out, len, flags,
            NULL, NULL)
SOCKET_CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), ENOMEM, SYS_recvmsg, fd, message, flags)

/* Only what the kernel may refuse: adding. libuv ends the process then, by design; a descriptor more than the millions
 * that the kernel watches is out of reach of a server that is bound by its number of open files. */
int epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
    bool fails = what == EPOLL_CTL_ADD && !begins(caller_file(__builtin_return_address(0)), "libuv") &&
                 strikes(PRELOAD_SOCKET, ENOSPC);
    return fails ? -1 : (int)syscall(SYS_epoll_ctl, epoll, what, fd, event);
}
