/* Answers too long for memory: a thread of its own writes them into a pipe, whose other end is read here. */
#pragma once

#include "server/log.h"
#include "storage/upkeep.h"

#include <sys/types.h>

struct stream;

/* Writes to `fd`. False: `why` is a sentence. A write that fails says that nobody reads any more. */
typedef bool stream_source(struct store *store, int fd, char why[static STORE_WHY_SIZE]);

/* NULL: no memory, descriptors or threads. The log hears of a source that failed; NULL: nobody does. SIGPIPE must be
 * ignored. */
MUST_USE struct stream *stream_open(struct store *store, stream_source *source, struct log *log);
/* Waits for the source. 0 at the end; -1 when the source failed. */
MUST_USE ssize_t stream_read(struct stream *stream, char *out, size_t max);
const char *stream_why(const struct stream *stream); /* after a -1 */
void stream_drop(struct stream *stream);             /* a source that still writes ends at its next write */
DEFINE_DROP(stream, stream_drop)
