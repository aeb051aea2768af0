#include "server/management/stream.h"

#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <unistd.h>

struct stream {
    struct store *store;
    stream_source *source;
    struct log *log;
    int read_fd, write_fd; /* write_fd is the thread's */
    pthread_t thread;
    bool running; /* not joined yet */
    atomic_bool dropped;
    bool failed; /* the thread's until it is joined, as is why */
    char why[STORE_WHY_SIZE];
};

static void *run(void *arg)
{
    struct stream *stream = arg;
    stream->failed = !stream->source(stream->store, stream->write_fd, stream->why);
    if (stream->failed && !stream->dropped)
        log_event(stream->log, LOG_STORE_FAILED, LOG_TEXT("cause", stream->why));
    close(stream->write_fd);
    return NULL;
}

struct stream *stream_open(struct store *store, stream_source *source, struct log *log)
{
    int ends[2];
    AUTO(stream) stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return NULL;
    *stream = (struct stream) { .store = store, .source = source, .log = log, .read_fd = -1, .write_fd = -1 };
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    stream->read_fd = ends[0];
    stream->write_fd = ends[1];
    stream->running = thread_start(&stream->thread, run, stream);
    if (stream->running)
        return TAKE(stream);
    close(stream->write_fd);
    return NULL;
}

static void join(struct stream *stream)
{
    if (stream->running)
        pthread_join(stream->thread, NULL);
    stream->running = false;
}

ssize_t stream_read(struct stream *stream, char *out, size_t max)
{
    ssize_t got;
    do
        got = read(stream->read_fd, out, max);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return got;
    join(stream);
    return stream->failed || got < 0 ? -1 : 0;
}

const char *stream_why(const struct stream *stream)
{
    CHECK(!stream->running);
    return stream->why;
}

void stream_drop(struct stream *stream)
{
    if (stream == NULL)
        return;
    stream->dropped = true;
    if (stream->read_fd >= 0)
        close(stream->read_fd);
    join(stream);
    free(stream);
}
