/* LD_PRELOAD=slow_sync.so SLOW_SYNC_US=N: a disk whose every sync takes at least N microseconds, as a network volume or
 * a spinning disk would. Nothing is left out: the real sync is done too. */
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void wait_as_told(void)
{
    const char *text = getenv("SLOW_SYNC_US");
    long us = text != NULL ? strtol(text, NULL, 10) : 0;
    if (us > 0)
        usleep((useconds_t)us);
}

int fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    wait_as_told();
    return real(fd);
}

int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    wait_as_told();
    return real(fd);
}

int msync(void *start, size_t len, int flags)
{
    int (*real)(void *, size_t, int) = (int (*)(void *, size_t, int))dlsym(RTLD_NEXT, "msync");
    if (flags & MS_SYNC)
        wait_as_told();
    return real(start, len, flags);
}
