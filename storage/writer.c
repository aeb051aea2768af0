#include "storage/writer.h"

#include "base/thread.h"
#include "storage/txn.h"

struct writer {
    void *db;
    struct store_txn *txn; /* the writer thread's */
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t wake;
    struct store_job *first;
    struct store_job **end;
    bool stopping;
};

/* Runs the jobs from `job` up to `end` in one transaction. After an error the rest need not run: nothing stays. */
static enum store_status run_together(struct writer *writer, struct store_job *job, const struct store_job *end)
{
    txn_begin_write(writer->txn, writer->db);
    for (; job != end && store_txn_status(writer->txn) == STORE_OK; job = job->next)
        job->work(writer->txn, job->arg);
    return txn_end_write(writer->txn);
}

/* A job's memory may go with its done. */
static void finish_all(struct store_job *job, enum store_status status)
{
    while (job != NULL) {
        struct store_job *next = job->next;
        job->done(job->arg, status);
        job = next;
    }
}

static void run_batch(struct writer *writer, struct store_job *first)
{
    enum store_status status = run_together(writer, first, NULL);
    if (status == STORE_OK || first->next == NULL) {
        finish_all(first, status);
        return;
    }
    /* one job spoilt the batch: alone, each answers for itself */
    for (struct store_job *job = first; job != NULL;) {
        struct store_job *next = job->next;
        status = run_together(writer, job, next);
        job->done(job->arg, status);
        job = next;
    }
}

/* NULL when the writer is to stop and nothing is queued. */
static struct store_job *take_queue(struct writer *writer)
{
    pthread_mutex_lock(&writer->lock);
    while (writer->first == NULL && !writer->stopping)
        pthread_cond_wait(&writer->wake, &writer->lock);
    struct store_job *jobs = TAKE(writer->first);
    writer->end = &writer->first;
    pthread_mutex_unlock(&writer->lock);
    return jobs;
}

static void *writer_main(void *arg)
{
    struct writer *writer = arg;
    struct store_job *jobs;
    while ((jobs = take_queue(writer)) != NULL)
        run_batch(writer, jobs);
    return NULL;
}

static void writer_free(struct writer *writer)
{
    if (writer == NULL)
        return;
    txn_drop_writer(writer->txn);
    pthread_cond_destroy(&writer->wake);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
}
DEFINE_DROP(writer, writer_free)

struct writer *writer_start(const struct store_driver *driver, void *db)
{
    AUTO(writer) writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return NULL;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->wake, NULL);
    writer->db = db;
    writer->end = &writer->first;
    writer->txn = txn_create_writer(driver);
    if (writer->txn == NULL || !thread_start(&writer->thread, writer_main, writer))
        return NULL;
    return TAKE(writer);
}

void writer_stop(struct writer *writer)
{
    CHECK(!writer_is_current(writer));
    pthread_mutex_lock(&writer->lock);
    writer->stopping = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    writer_free(writer);
}

void writer_submit(struct writer *writer, struct store_job *job)
{
    job->next = NULL;
    pthread_mutex_lock(&writer->lock);
    *writer->end = job;
    writer->end = &job->next;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

bool writer_is_current(const struct writer *writer)
{
    return pthread_equal(pthread_self(), writer->thread) != 0;
}
