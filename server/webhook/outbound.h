/* JSON posted to services of the operator (the webhook, the approval of orders): many at once by one thread that waits
 * for the network and for nothing else. Each post carries a signature as receivers of "standard webhooks" check it:
 *   webhook-id: ID    webhook-timestamp: SECONDS    webhook-signature: v1,base64(HMAC-SHA256(ID "." SECONDS "." BODY))
 * Redirects are not followed. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "base/world.h"

struct outbound;

enum { OUTBOUND_ANSWER_MAX_BYTES = 64 * 1024, OUTBOUND_WHY_SIZE = 200 };

struct outbound_options {
    const char *secret_file; /* "": posts carry no signature */
    const char *ca_file;     /* "": the system's authorities */
    const char *user_agent;
    const struct world *world;
};
/* NULL with a sentence for the operator. */
MUST_USE struct outbound *outbound_start(const struct outbound_options *options, char why[static OUTBOUND_WHY_SIZE]);
/* Whatever is under way or comes later ends at once without an answer: before the end of those who submit. Takes NULL.
 */
void outbound_close(struct outbound *outbound);
/* Nobody may submit any more; done is called for what is left. */
void outbound_stop(struct outbound *outbound);
DEFINE_DROP(outbound, outbound_stop)

/* Caller's memory, texts included, until done has begun. */
struct outbound_post {
    const char *url, *id;
    struct bytes body;
    int64_t timeout_ms;
    void (*done)(struct outbound_post *post); /* on the engine's thread; must not block */
    void *arg;

    int status;                  /* out: HTTP; 0: no answer, and `why` says the reason */
    struct buf answer;           /* out: outbound_clear frees it */
    char why[OUTBOUND_WHY_SIZE]; /* out */

    void *easy, *headers; /* the engine's, with the link */
    struct list link;
};
void outbound_submit(struct outbound *outbound, struct outbound_post *post);
void outbound_clear(struct outbound_post *post);

/* The secret out of the text of its file: "whsec_" and base64, or the text itself without the line's end. False when it
 * is too short to be one. */
MUST_USE bool outbound_secret(struct bytes text, struct buf *out);
/* "v1,…" */
void outbound_sign(struct bytes secret, const char *id, int64_t seconds, struct bytes body, struct buf *out);
