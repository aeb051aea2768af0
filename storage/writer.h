/* The one writer thread: it takes every job that is queued, runs them in one transaction and commits once. */
#pragma once

#include "storage/driver.h"

struct writer;

MUST_USE struct writer *writer_start(const struct store_driver *driver, void *db); /* NULL: no memory, no thread */
void writer_stop(struct writer *writer);                                           /* after the last queued job */
void writer_submit(struct writer *writer, struct store_job *job);
bool writer_is_current(const struct writer *writer); /* whether this is the writer's thread */
