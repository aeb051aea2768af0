#include "storage/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FULL_DISK_BYTES = 1 << 20 };

static int open_in(const char *directory, const char *name, int *out_fd)
{
    AUTO_TYPE(char) file = NULL;
    if (asprintf(&file, "%s/%s", directory, name) < 0) {
        file = NULL;
        return ENOMEM;
    }
    *out_fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, FILES_MODE);
    return *out_fd >= 0 ? 0 : errno;
}

/* flock belongs to the open file, so it also keeps out a second store in this process, where LMDB would lose its own
 * locks. */
int files_lock(const char *directory, int *out_fd)
{
    int fd, code = open_in(directory, "lock", &fd);
    if (code != 0)
        return code;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        code = errno;
        close(fd);
        return code;
    }
    *out_fd = fd;
    return 0;
}

int files_reserve(const char *directory, const char *name, size_t bytes)
{
    int fd, code = open_in(directory, name, &fd);
    if (code != 0)
        return code;
    code = posix_fallocate(fd, 0, (off_t)bytes);
    close(fd);
    return code;
}

bool files_hold_data(const char *file)
{
    struct stat found;
    return stat(file, &found) == 0 ? found.st_size > 0 : errno != ENOENT;
}

bool files_disk_is_full(const char *directory)
{
    struct statvfs disk;
    return statvfs(directory, &disk) == 0 && (uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)FULL_DISK_BYTES;
}

int files_fill_up(int fd, size_t bytes)
{
    struct stat file;
    bool whole = fstat(fd, &file) == 0 && (size_t)file.st_size >= bytes;
    return whole || ftruncate(fd, (off_t)bytes) == 0 ? 0 : errno;
}
