/* One validator thread: a uv loop, and on it a resolver, a fetcher and a prober that all its attempts share. Other
 * threads reach it only through val_worker_give and val_worker_stop. */
#pragma once

#include "validators/attempt.h"
#include "validators/dns.h"
#include "validators/fetch.h"
#include "validators/gate.h"
#include "validators/hosts.h"
#include "validators/peer.h"
#include "validators/reserved.h"

struct val_shared {                    /* what all workers read; immutable while they run, but for the mutex */
    struct validators_options options; /* its texts are ours; lists are NULL: see below */
    struct val_hosts *hosts;
    struct val_dns_plan dns_plan;
    struct val_gate *gate;
    struct val_reserve *reserve;
    pthread_mutex_t resolver_setup;
};

struct val_worker {
    struct val_shared *shared;
    uv_loop_t loop;
    uv_async_t wake;
    pthread_t thread;
    /* of the thread */
    struct val_deadlines attempts; /* all under way, oldest first */
    struct val_dns *dns;
    struct val_fetcher *fetcher;
    struct val_prober prober;
    /* between threads */
    pthread_mutex_t lock; /* guards what follows */
    struct validation *queue, **queue_end;
    bool stopping;
};

/* Starts the thread. The worker must not move afterwards. */
MUST_USE bool val_worker_start(struct val_worker *worker, struct val_shared *shared);
void val_worker_give(struct val_worker *worker, struct validation *validation);
void val_worker_stop(struct val_worker *worker); /* drops what is under way; returns when the thread has ended */
