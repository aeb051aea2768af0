#include "tests/server/loose_request.h"

#include "tests/unit.h"

enum { LOOSE_ARENA_MAX = 1 << 20, LOOSE_REPLY_MAX = 4 << 20 }; /* as the edge gives them */

/* ---- in place of the edge */

void request_wait(struct request *rq, request_handler *after)
{
    rq->after = after;
    rq->suspended = true;
}

void request_resume(struct request *rq)
{
    struct loose *loose = rq->connection;
    pthread_mutex_lock(&loose->lock);
    loose->resumed = true;
    pthread_cond_signal(&loose->wake);
    pthread_mutex_unlock(&loose->lock);
}

const char *request_argument(struct request *rq, const char *name)
{
    struct loose *loose = rq->connection;
    for (size_t i = 0; i < ARRAY_SIZE(loose->arguments) && loose->arguments[i].name != NULL; i++) {
        if (strcmp(loose->arguments[i].name, name) == 0)
            return loose->arguments[i].value;
    }
    return NULL;
}

/* ---- a request */

void loose_make(struct loose *loose, struct caraway *caraway, const char *body)
{
    *loose = (struct loose) { .rq = { .caraway = caraway } };
    struct request *rq = &loose->rq;
    rq->connection = loose;
    rq->arena = arena_create(LOOSE_ARENA_MAX);
    rq->reply.body = BUF_INIT(LOOSE_REPLY_MAX);
    rq->base_url = "https://ca.test";
    rq->target = rq->path = "/loose";
    rq->peer = "192.0.2.1";
    rq->now_ms = world_now_ms(caraway->world);
    rq->body = BUF_INIT(1 << 16);
    buf_text(&rq->body, body != NULL ? body : "");
    pthread_mutex_init(&loose->lock, NULL);
    pthread_cond_init(&loose->wake, NULL);
}

void loose_sign(struct loose *loose, const struct account *account)
{
    char why[JSON_WHY_SIZE];
    loose->rq.account = *account;
    loose->rq.payload = json_read_object(buf_bytes(&loose->rq.body), why);
    assert_non_null(loose->rq.payload);
}

void loose_drop(struct loose *loose)
{
    struct request *rq = &loose->rq;
    if (rq->release != NULL)
        rq->release(rq);
    json_decref(rq->payload);
    buf_free(&rq->body);
    buf_free(&rq->reply.body);
    arena_drop(rq->arena);
    pthread_cond_destroy(&loose->wake);
    pthread_mutex_destroy(&loose->lock);
}

void loose_begin(struct loose *loose, request_handler *handler)
{
    loose->rq.refused = false;
    if (!handler(&loose->rq))
        loose->rq.refused = true;
}

bool loose_end(struct loose *loose)
{
    while (loose->rq.suspended) {
        pthread_mutex_lock(&loose->lock);
        while (!loose->resumed)
            pthread_cond_wait(&loose->wake, &loose->lock);
        loose->rq.suspended = loose->resumed = false;
        pthread_mutex_unlock(&loose->lock);
        request_continue(&loose->rq);
    }
    return !loose->rq.refused;
}

bool loose_run(struct loose *loose, request_handler *handler)
{
    loose_begin(loose, handler);
    return loose_end(loose);
}

json_t *loose_answer(struct loose *loose)
{
    char why[JSON_WHY_SIZE];
    assert_false(loose->rq.reply.body.failed);
    json_t *answer = json_read_object(buf_bytes(&loose->rq.reply.body), why);
    assert_non_null(answer);
    return answer;
}

/* ---- the writer */

static void block_work(struct store_txn *txn, void *arg)
{
    (void)txn;
    struct loose_block *block = arg;
    pthread_mutex_lock(&block->lock);
    while (!block->released)
        pthread_cond_wait(&block->wake, &block->lock);
    pthread_mutex_unlock(&block->lock);
}

static void block_done(void *arg, enum store_status status)
{
    (void)status;
    struct loose_block *block = arg;
    pthread_mutex_lock(&block->lock);
    block->done = true;
    pthread_cond_broadcast(&block->wake);
    pthread_mutex_unlock(&block->lock);
}

void loose_block(struct loose_block *block, struct store *store)
{
    *block = (struct loose_block) { .job = { .work = block_work, .done = block_done, .arg = block } };
    pthread_mutex_init(&block->lock, NULL);
    pthread_cond_init(&block->wake, NULL);
    store_submit(store, &block->job);
}

void loose_release(struct loose_block *block)
{
    pthread_mutex_lock(&block->lock);
    block->released = true;
    pthread_cond_broadcast(&block->wake);
    while (!block->done)
        pthread_cond_wait(&block->wake, &block->lock);
    pthread_mutex_unlock(&block->lock);
    pthread_cond_destroy(&block->wake);
    pthread_mutex_destroy(&block->lock);
}
