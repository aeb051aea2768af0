#include "server/command/outlet.h"

#include "base/world.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <unistd.h>

enum { QUIET_MS = 2000, TELL_EVERY_MS = 1000, NAME_MAX_BYTES = 4096 };

void progress_set(struct progress *progress, uint64_t count)
{
    int64_t now = monotonic_ms();
    progress->count = count;
    if (progress->began_ms == 0)
        progress->began_ms = now;
    if (now - progress->began_ms < QUIET_MS || now - progress->told_ms < TELL_EVERY_MS)
        return;
    progress->told_ms = now;
    fprintf(stderr, isatty(STDERR_FILENO) ? "\r%" PRIu64 " %s" : "%" PRIu64 " %s\n", count, progress->what);
}

void progress_add(struct progress *progress, uint64_t more)
{
    progress_set(progress, progress->count + more);
}

void progress_end(const struct progress *progress)
{
    if (progress->told_ms != 0 && isatty(STDERR_FILENO))
        fputc('\n', stderr);
}

static bool refuse(char why[static OUTLET_WHY_SIZE], const char *doing, const char *name)
{
    snprintf(why, OUTLET_WHY_SIZE, "cannot %s %.200s: %s", doing, name, strerror(errno));
    return false;
}

bool outlet_open(struct outlet *outlet, const char *name, char why[static OUTLET_WHY_SIZE])
{
    *outlet = (struct outlet) { .name = name, .fd = STDOUT_FILENO, .part = BUF_INIT(NAME_MAX_BYTES) };
    if (strcmp(name, "-") == 0)
        return true;
    buf_printf(&outlet->part, "%s.part", name);
    if (outlet->part.failed) {
        errno = ENAMETOOLONG;
        return refuse(why, "write", name);
    }
    /* what is in the database is for its owner alone */
    outlet->fd = open(buf_str(&outlet->part), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return outlet->fd >= 0 || refuse(why, "write", buf_str(&outlet->part));
}

bool outlet_write(struct outlet *outlet, const char *data, size_t len, char why[static OUTLET_WHY_SIZE])
{
    while (len > 0) {
        ssize_t count = write(outlet->fd, data, len);
        if (count < 0 && errno != EINTR)
            return refuse(why, "write", outlet->name);
        data += count > 0 ? count : 0;
        len -= count > 0 ? (size_t)count : 0;
    }
    return true;
}

bool sync_directory(const char *directory)
{
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    TRY(fd >= 0);
    bool synced = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return synced;
}

static bool sync_directory_of(const char *file)
{
    AUTO_TYPE(char) copy = strdup(file);
    return copy != NULL && sync_directory(dirname(copy));
}

bool outlet_keep(struct outlet *outlet, char why[static OUTLET_WHY_SIZE])
{
    if (outlet->fd == STDOUT_FILENO)
        return true;
    bool kept =
        fsync(outlet->fd) == 0 && rename(buf_str(&outlet->part), outlet->name) == 0 && sync_directory_of(outlet->name);
    if (!kept)
        return refuse(why, "write", outlet->name);
    buf_clear(&outlet->part);
    return true;
}

void outlet_close(struct outlet *outlet)
{
    if (outlet->fd >= 0 && outlet->fd != STDOUT_FILENO)
        close(outlet->fd);
    if (outlet->part.len > 0 && outlet->fd >= 0)
        unlink(buf_str(&outlet->part));
    buf_free(&outlet->part);
}
