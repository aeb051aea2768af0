/* Between the halves of the webhook: noting events and delivering them. */
#pragma once

#include "base/json.h"
#include "server/webhook/webhook.h"

#include <pthread.h>
#include <stdatomic.h>

struct webhook {
    const struct settings *settings; /* loan */
    unsigned kinds;                  /* bit set of the events that are wanted */
    atomic_llong stored;             /* how many wait; counted anew every minute */
    atomic_llong dropped;            /* since the last word of it in the log */
    struct caraway *caraway;         /* of the thread, while it runs */
    struct world_watch watch;
    pthread_t thread;
    bool running;
    atomic_bool stop;
    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t wake;
    bool kicked;        /* there is a new event */
    bool hurry;         /* do not wait out a pause: the clock jumped, or the operator asks */
    unsigned under_way; /* posts */
};

const char *webhook_kind_text(enum webhook_kind kind);
void *webhook_run(void *webhook);
/* In a job: the oldest thousand, also those given up, are due at once. How many that were. */
int64_t webhook_retry_all(struct store_txn *txn, int64_t now_ms);
/* Notes an event for each certificate that came within the notice of its end since the last scan. */
void webhook_scan_expiring(struct webhook *webhook, struct arena *arena);
/* What is posted. */
void webhook_body(const struct webhook_event *event, struct buf *out);
/* How long after that many failures in a row the next attempt is due. */
int64_t webhook_backoff_ms(int64_t failures, int64_t first_ms, int64_t most_ms);
