/* Many exchanges at once on one libuv loop: curl's multi interface with the loop as its eyes and its clock. Connections
 * are kept between exchanges. Belongs to the loop's thread. */
#pragma once

#include "test-client/exchange.h"

#include <uv.h>

struct tc_fetcher;

/* Called on the loop when the exchange is over; `why` is NULL when there is an answer. It may start the next one. */
typedef void tc_fetch_done(void *arg, const char *why);

/* The loop outlives the fetcher. `connections` is how many are kept open. NULL when memory is out. */
MUST_USE struct tc_fetcher *tc_fetcher_create(uv_loop_t *loop, long connections);
/* Every exchange that runs must be stopped before. Run the loop once more behind it, so that its handles can close. */
void tc_fetcher_drop(struct tc_fetcher *fetcher);
DEFINE_DROP(tc_fetcher, tc_fetcher_drop)

/* A seat for one exchange in the fetcher; the owner keeps it still while the exchange runs. */
struct tc_fetch {
    struct tc_exchange *exchange;
    tc_fetch_done *done;
    void *arg;
    bool running;
};

/* Starts a prepared exchange. False when curl refuses it (memory is out). */
MUST_USE bool tc_fetch_start(struct tc_fetcher *fetcher, struct tc_fetch *fetch);
/* How many exchanges have been started so far. */
uint64_t tc_fetcher_started(const struct tc_fetcher *fetcher);
void tc_fetch_stop(struct tc_fetcher *fetcher, struct tc_fetch *fetch); /* done is not called; harmless when idle */
