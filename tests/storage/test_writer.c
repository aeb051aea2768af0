/* Group commit, and what happens when a batch fails. */
#include "tests/storage/fixture.h"
#include "tests/storage/spy.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>

enum { JOBS = 20, THREADS = 8, JOBS_PER_THREAD = 50 };

struct test_job {
    struct store_job job;
    struct batch *batch;
    int number;
    int runs;
    enum store_status status;
};

struct batch {
    struct store *store;
    sem_t hold;     /* what the first job waits for while the others queue up */
    sem_t entered;  /* the first job is running */
    sem_t finished; /* once for each done */
    int order[JOBS + 1];
    int done;
    int guilty; /* the job that fails its transaction; -1: none */
    struct test_job jobs[JOBS + 1];
};

static void job_work(struct store_txn *txn, void *arg)
{
    struct test_job *job = arg;
    job->runs++;
    char id[8];
    snprintf(id, sizeof id, "o%d", job->number);
    struct order order = sample_order(id, "a1", 5000);
    store_put_order(txn, &order);
    if (job->number == job->batch->guilty)
        store_txn_fail(txn, STORE_NO_MEMORY);
    if (job->number == 0 && job->runs == 1) {
        sem_post(&job->batch->entered);
        sem_wait(&job->batch->hold);
    }
}

static void job_done(void *arg, enum store_status status)
{
    struct test_job *job = arg;
    job->status = status;
    job->batch->order[job->batch->done++] = job->number;
    sem_post(&job->batch->finished);
}

static int batch_make(void **state)
{
    spy_reset();
    struct batch *batch = calloc(1, sizeof *batch);
    batch->guilty = -1;
    sem_init(&batch->hold, 0, 0);
    sem_init(&batch->entered, 0, 0);
    sem_init(&batch->finished, 0, 0);
    char why[STORE_WHY_SIZE];
    struct store_options options = { .driver = "spy" };
    assert_int_equal(store_open_driver(&driver_spy, &options, &batch->store, why), STORE_OK);
    for (int i = 0; i <= JOBS; i++)
        batch->jobs[i] = (struct test_job) { { job_work, job_done, &batch->jobs[i], NULL }, batch, i, 0, STORE_IO };
    *state = batch;
    return 0;
}

static int batch_drop(void **state)
{
    struct batch *batch = *state;
    store_drop(batch->store);
    sem_destroy(&batch->hold);
    sem_destroy(&batch->entered);
    sem_destroy(&batch->finished);
    free(batch);
    return 0;
}

/* Job 0 alone in its batch, the others all in the next one; `fail_call` then says which call of the driver fails. */
static void run_batch(struct batch *batch, int (*fail_call)(void))
{
    store_submit(batch->store, &batch->jobs[0].job);
    sem_wait(&batch->entered);
    for (int i = 1; i <= JOBS; i++)
        store_submit(batch->store, &batch->jobs[i].job);
    if (fail_call != NULL)
        atomic_store(&spy.fail_call, fail_call());
    sem_post(&batch->hold);
    for (int i = 0; i <= JOBS; i++)
        sem_wait(&batch->finished);
    for (int i = 0; i <= JOBS; i++)
        assert_int_equal(batch->order[i], i);
}

static bool order_is_there(struct store *store, int number)
{
    AUTO(arena) arena = arena_create(1 << 16);
    AUTO(store_txn) txn = store_begin_read(store);
    char id[8];
    snprintf(id, sizeof id, "o%d", number);
    struct order order;
    return store_get_order(txn, arena, id, &order);
}

static void many_jobs_share_one_commit(void **state)
{
    struct batch *batch = *state;
    int before = atomic_load(&spy.write_commits);
    run_batch(batch, NULL);
    assert_int_equal(atomic_load(&spy.write_commits) - before, 2);
    for (int i = 0; i <= JOBS; i++) {
        assert_int_equal(batch->jobs[i].status, STORE_OK);
        assert_int_equal(batch->jobs[i].runs, 1);
        assert_true(order_is_there(batch->store, i));
    }
}

static void a_guilty_job_fails_alone(void **state)
{
    struct batch *batch = *state;
    batch->guilty = 7;
    run_batch(batch, NULL);
    for (int i = 0; i <= JOBS; i++) {
        assert_int_equal(batch->jobs[i].status, i == 7 ? STORE_NO_MEMORY : STORE_OK);
        assert_true(order_is_there(batch->store, i) == (i != 7));
        assert_int_equal(batch->jobs[i].runs, i >= 1 && i <= 7 ? 2 : 1); /* behind 7 the batch was not run on */
    }
}

/* The commit of job 0 is the call after next; each job has a fixed number of calls. */
static int calls_until_second_commit(void)
{
    enum { CALLS_OF_JOB = 4 }; /* get, two index keys, the record */
    int commit_of_first = atomic_load(&spy.calls) + 1;
    return commit_of_first + 1 + JOBS * CALLS_OF_JOB + 1; /* begin, the jobs, commit */
}

static void a_failed_commit_is_tried_job_by_job(void **state)
{
    struct batch *batch = *state;
    int before = atomic_load(&spy.write_commits);
    run_batch(batch, calls_until_second_commit);
    assert_int_equal(atomic_load(&spy.write_commits) - before, 1 + JOBS);
    for (int i = 0; i <= JOBS; i++) {
        assert_int_equal(batch->jobs[i].status, STORE_OK);
        assert_true(order_is_there(batch->store, i));
    }
}

static void put_and_replace(struct store_txn *txn, void *arg)
{
    (void)arg;
    struct certificate certificate = sample_certificate("c1", "a1", 9000);
    store_put_certificate(txn, &certificate);
    certificate.account = "a2";
    certificate.identifiers.count = 1;
    store_put_certificate(txn, &certificate);
    store_delete_order(txn, "o1");
}

/* Whichever call of the driver fails, nothing of the job stays. */
static void every_failing_call_leaves_nothing(void **state)
{
    struct batch *batch = *state;
    struct fixture fixture = { .store = batch->store };
    struct order order = sample_order("o1", "a1", 5000);
    write_ok(&fixture, put_order, &order);
    size_t before = spy_count_keys();
    int failed = 0;
    for (;; failed++) {
        atomic_store(&spy.fail_call, atomic_load(&spy.calls) + failed + 1);
        enum store_status status = store_write(batch->store, put_and_replace, NULL);
        if (status == STORE_OK)
            break;
        assert_int_equal(status, STORE_IO);
        assert_int_equal(spy_count_keys(), before);
    }
    atomic_store(&spy.fail_call, 0);
    assert_true(failed > 15);
    assert_false(order_is_there(batch->store, 1));
}

static void drop_runs_what_is_queued(void **state)
{
    struct batch *batch = *state;
    store_submit(batch->store, &batch->jobs[0].job);
    sem_wait(&batch->entered);
    for (int i = 1; i <= JOBS; i++)
        store_submit(batch->store, &batch->jobs[i].job);
    sem_post(&batch->hold);
    store_drop(TAKE(batch->store));
    assert_int_equal(batch->done, JOBS + 1);
    for (int i = 0; i <= JOBS; i++)
        assert_int_equal(batch->jobs[i].status, STORE_OK);
}

struct chain {
    struct store_job job;
    struct store *store;
    int left;
    sem_t *end;
};

static void chain_work(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_setting(txn, "chain", "x");
}

/* A done may free its job and submit another. */
static void chain_done(void *arg, enum store_status status)
{
    struct chain *link = arg;
    assert_int_equal(status, STORE_OK);
    struct chain *next = malloc(sizeof *next);
    *next = *link;
    free(link);
    if (next->left-- == 0) {
        sem_post(next->end);
        free(next);
        return;
    }
    next->job.arg = next;
    store_submit(next->store, &next->job);
}

static void done_may_submit_and_free(void **state)
{
    struct batch *batch = *state;
    struct chain *first = malloc(sizeof *first);
    *first = (struct chain) { { chain_work, chain_done, first, NULL }, batch->store, 10, &batch->finished };
    store_submit(batch->store, &first->job);
    sem_wait(&batch->finished);
}

/* --- many threads, on both drivers --- */

/* Two settings that are always equal in any snapshot. */
static void count_up(struct store_txn *txn, void *arg)
{
    (void)arg;
    AUTO(arena) arena = arena_create(1 << 12);
    const char *text = store_get_setting(txn, arena, "left");
    char next[24];
    snprintf(next, sizeof next, "%ld", (text != NULL ? strtol(text, NULL, 10) : 0) + 1);
    store_put_setting(txn, "left", next);
    store_put_setting(txn, "right", next);
}

static void assert_equal_pair(struct store *store)
{
    AUTO(arena) arena = arena_create(1 << 12);
    AUTO(store_txn) txn = store_begin_read(store);
    const char *left = store_get_setting(txn, arena, "left");
    const char *right = store_get_setting(txn, arena, "right");
    CHECK((left == NULL) == (right == NULL) && (left == NULL || strcmp(left, right) == 0));
}

static void *submit_and_read(void *store)
{
    for (int i = 0; i < JOBS_PER_THREAD; i++) {
        CHECK(store_write(store, count_up, NULL) == STORE_OK);
        assert_equal_pair(store);
    }
    return NULL;
}

static void threads_lose_no_job(void **state)
{
    struct fixture *fixture = *state;
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_and_read, fixture->store), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    AUTO(store_txn) txn = store_begin_read(fixture->store);
    char expected[16];
    snprintf(expected, sizeof expected, "%d", THREADS * JOBS_PER_THREAD);
    assert_string_equal(store_get_setting(txn, fixture->arena, "left"), expected);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, batch_make, batch_drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(many_jobs_share_one_commit),
        CASE(a_guilty_job_fails_alone),
        CASE(a_failed_commit_is_tried_job_by_job),
        CASE(every_failing_call_leaves_nothing),
        CASE(drop_runs_what_is_queued),
        CASE(done_may_submit_and_free),
        CASE_ON_BOTH(threads_lose_no_job),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
