#include "ca/files.h"

#include "ca/why.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

static bool fail(char why[static CA_WHY_SIZE], const char *what, const char *directory, const char *name)
{
    return why_fail(why, "cannot %s %s in %s: %s", what, name, directory, strerror(errno));
}

bool files_make_directory(const char *directory, char why[static CA_WHY_SIZE])
{
    if (mkdir(directory, 0755) != 0 && errno != EEXIST)
        return why_fail(why, "cannot make the directory %s: %s", directory, strerror(errno));
    return true;
}

static bool write_all(int fd, struct bytes text)
{
    while (text.len > 0) {
        ssize_t done = write(fd, text.data, text.len);
        if (done < 0 && errno == EINTR)
            continue;
        TRY(done > 0);
        text = bytes_of(text.data + done, text.len - (size_t)done);
    }
    return fsync(fd) == 0;
}

enum { PASSING_NAME_SIZE = 64 };

static void passing_name(const char *name, char out[static PASSING_NAME_SIZE])
{
    int len = snprintf(out, PASSING_NAME_SIZE, "%s.new", name);
    CHECK(len > 0 && len < PASSING_NAME_SIZE);
}

static bool write_passing(int folder, const struct file_to_write *file)
{
    char name[PASSING_NAME_SIZE];
    passing_name(file->name, name);
    TRY(unlinkat(folder, name, 0) == 0 || errno == ENOENT);
    AUTO_FD fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file->mode);
    return fd >= 0 && write_all(fd, file->text);
}

static bool rename_passing(int folder, const struct file_to_write *file)
{
    char name[PASSING_NAME_SIZE];
    passing_name(file->name, name);
    return renameat(folder, name, folder, file->name) == 0;
}

bool files_write(const char *directory, const struct file_to_write *files, size_t count, char why[static CA_WHY_SIZE])
{
    AUTO_FD folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return why_fail(why, "cannot open the directory %s: %s", directory, strerror(errno));
    for (size_t i = 0; i < count; i++)
        if (!write_passing(folder, &files[i]))
            return fail(why, "write", directory, files[i].name);
    for (size_t i = 0; i < count; i++)
        if (!rename_passing(folder, &files[i]))
            return fail(why, "rename", directory, files[i].name);
    if (fsync(folder) != 0)
        return why_fail(why, "cannot sync the directory %s: %s", directory, strerror(errno));
    return true;
}

bool files_exists(const char *directory, const char *name)
{
    AUTO_BUF(path, 4096);
    buf_printf(&path, "%s/%s", directory, name);
    return access(buf_str(&path), F_OK) == 0;
}

static bool read_all(int fd, struct buf *out)
{
    struct stat facts;
    TRY(fstat(fd, &facts) == 0);
    errno = EFBIG;
    TRY(S_ISREG(facts.st_mode) && facts.st_size <= (off_t)out->max);
    /* room for all at once: a growing buffer would leave copies of a key in freed memory */
    TRY(buf_reserve(out, (size_t)facts.st_size));
    char block[4096];
    ssize_t got;
    while ((got = read(fd, block, sizeof block)) > 0 || (got < 0 && errno == EINTR))
        buf_append(out, block, got > 0 ? (size_t)got : 0);
    explicit_bzero(block, sizeof block);
    return got == 0 && !out->failed;
}

bool files_read(const char *directory, const char *name, struct buf *out, char why[static CA_WHY_SIZE])
{
    AUTO_BUF(path, 4096);
    buf_printf(&path, "%s/%s", directory, name);
    AUTO_FD fd = open(buf_str(&path), O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !read_all(fd, out))
        return fail(why, "read", directory, name);
    return true;
}
