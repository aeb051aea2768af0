/* A request without a connection: a test makes it by hand, gives it to a handler, and waits for the job that the
 * handler submitted. The library loose_request stands in for the edge; link it in front of server_core. */
#pragma once

#include "server/caraway.h"
#include "server/web/request.h"

struct loose_argument {
    const char *name, *value; /* of the query */
};

struct loose {
    struct request rq;
    struct loose_argument arguments[4];
    pthread_mutex_t lock; /* guards resumed */
    pthread_cond_t wake;
    bool resumed;
};

/* body: or NULL. Its params and arguments are the test's to set. */
void loose_make(struct loose *loose, struct caraway *caraway, const char *body);
/* As if the account had signed it, with the body as payload. */
void loose_sign(struct loose *loose, const struct account *account);
void loose_drop(struct loose *loose);

/* The handler, until it has answered or waits for its job; and the rest. */
void loose_begin(struct loose *loose, request_handler *handler);
bool loose_end(struct loose *loose); /* false: rq.problem is the answer */
bool loose_run(struct loose *loose, request_handler *handler);
/* What was answered, as JSON; the caller drops it. */
json_t *loose_answer(struct loose *loose);

/* Keeps the store's writer busy, so that what is submitted meanwhile comes in its order behind it. */
struct loose_block {
    struct store_job job;
    pthread_mutex_t lock; /* guards both */
    pthread_cond_t wake;
    bool released, done;
};
void loose_block(struct loose_block *block, struct store *store);
void loose_release(struct loose_block *block); /* and waits for its end */
