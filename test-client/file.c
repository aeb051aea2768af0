#include "test-client/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool fail_errno(char why[static TC_WHY_SIZE], const char *what, const char *path)
{
    snprintf(why, TC_WHY_SIZE, "cannot %s %s: %s", what, path, strerror(errno));
    return false;
}

static void close_descriptor(const int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
}

#define AUTO_DESCRIPTOR __attribute__((cleanup(close_descriptor))) int

bool tc_file_read(const char *path, struct buf *out, char why[static TC_WHY_SIZE])
{
    AUTO_DESCRIPTOR descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return fail_errno(why, "read", path);
    char block[4096];
    ssize_t got;
    while ((got = read(descriptor, block, sizeof block)) > 0)
        buf_append(out, block, (size_t)got);
    if (got < 0)
        return fail_errno(why, "read", path);
    if (out->failed)
        snprintf(why, TC_WHY_SIZE, "cannot read %s: it is longer than %zu bytes", path, out->max);
    return !out->failed;
}

static bool write_all(int descriptor, struct bytes content)
{
    while (content.len > 0) {
        ssize_t put = write(descriptor, content.data, content.len);
        TRY(put > 0);
        content = bytes_of(content.data + put, content.len - (size_t)put);
    }
    return true;
}

static bool write_and_sync(const char *path, struct bytes content, unsigned mode)
{
    AUTO_DESCRIPTOR descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, mode);
    return descriptor >= 0 && fchmod(descriptor, mode) == 0 && write_all(descriptor, content) && fsync(descriptor) == 0;
}

bool tc_file_write(const char *path, struct bytes content, unsigned mode, char why[static TC_WHY_SIZE])
{
    AUTO_BUF(beside, PATH_MAX);
    buf_printf(&beside, "%s.%d.part", path, (int)getpid());
    if (beside.failed || !write_and_sync(buf_str(&beside), content, mode) || rename(buf_str(&beside), path) != 0) {
        fail_errno(why, "write", path);
        unlink(buf_str(&beside));
        return false;
    }
    return true;
}

bool tc_folder_make(const char *path, char why[static TC_WHY_SIZE])
{
    AUTO_BUF(part, PATH_MAX);
    for (const char *end = path; *end != '\0';) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        buf_clear(&part);
        buf_append(&part, path, (size_t)(end - path));
        if (part.failed || (mkdir(buf_str(&part), 0700) != 0 && errno != EEXIST))
            return fail_errno(why, "make folder", path);
    }
    return true;
}
