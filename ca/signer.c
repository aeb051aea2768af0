#include "ca/signer.h"

#include "base/thread.h"
#include "ca/leaf.h"

struct signer {
    const struct issuer *issuer;
    pthread_mutex_t lock; /* guards the queue and `stopping` */
    pthread_cond_t work;
    struct ca_request *first, **last;
    bool stopping;
    unsigned started;
    pthread_t threads[];
};

/* NULL when the queue is empty and the signer stops. */
static struct ca_request *next_request(struct signer *signer)
{
    pthread_mutex_lock(&signer->lock);
    while (signer->first == NULL && !signer->stopping)
        pthread_cond_wait(&signer->work, &signer->lock);
    struct ca_request *request = signer->first;
    if (request != NULL) {
        signer->first = request->next;
        if (signer->first == NULL)
            signer->last = &signer->first;
    }
    pthread_mutex_unlock(&signer->lock);
    return request;
}

static void *run(void *arg)
{
    struct signer *signer = arg;
    for (struct ca_request *request; (request = next_request(signer)) != NULL;) {
        leaf_sign(signer->issuer, request);
        request->done(request, request->arg);
    }
    return NULL;
}

struct signer *signer_start(const struct issuer *issuer, unsigned threads)
{
    AUTO(signer) signer = calloc(1, sizeof *signer + threads * sizeof signer->threads[0]);
    if (signer == NULL)
        return NULL;
    signer->issuer = issuer;
    signer->last = &signer->first;
    pthread_mutex_init(&signer->lock, NULL);
    pthread_cond_init(&signer->work, NULL);
    for (; signer->started < threads; signer->started++)
        if (!thread_start(&signer->threads[signer->started], run, signer))
            return NULL;
    return TAKE(signer);
}

void signer_submit(struct signer *signer, struct ca_request *request)
{
    request->next = NULL;
    pthread_mutex_lock(&signer->lock);
    CHECK(!signer->stopping);
    *signer->last = request;
    signer->last = &request->next;
    pthread_cond_signal(&signer->work);
    pthread_mutex_unlock(&signer->lock);
}

void signer_drop(struct signer *signer)
{
    if (signer == NULL)
        return;
    pthread_mutex_lock(&signer->lock);
    signer->stopping = true;
    pthread_cond_broadcast(&signer->work);
    pthread_mutex_unlock(&signer->lock);
    for (unsigned i = 0; i < signer->started; i++)
        pthread_join(signer->threads[i], NULL);
    pthread_cond_destroy(&signer->work);
    pthread_mutex_destroy(&signer->lock);
    free(signer);
}
