/* One exchange: what came in, who signed it, what goes out. A request belongs to the web thread of its connection,
 * and to the job it waits for while it is suspended; never to both. Everything in it dies with its arena. */
#pragma once

#include "acme/jws.h"
#include "ca/ca.h"
#include "storage/store.h"

struct caraway;
struct request;
struct stream;

enum method {
    METHOD_GET = 1,
    METHOD_HEAD = 2,
    METHOD_POST = 4,
    METHOD_OPTIONS = 8,
    METHOD_DELETE = 16,
    METHOD_OTHER = 32,
};

/* Who must have signed: nobody, a key that the request carries, or an account of ours (RFC 8555 §6.2). */
enum proof {
    PROOF_NONE,
    PROOF_JWK,
    PROOF_KID,
    PROOF_ANY, /* either: revocation (§7.6) */
};

/* What a signed request carries: nothing (POST-as-GET, §6.3), a JSON object, or either. */
enum payload {
    PAYLOAD_NONE,
    PAYLOAD_OBJECT,
    PAYLOAD_EITHER,
};

/* One of three ends: an answer and true; false, and rq->problem is the answer; or, as the last it does with the
 * request, request_submit, or request_wait and the handing over, and true. */
typedef bool request_handler(struct request *rq);

struct route {
    const char *pattern; /* segments; "{}" takes one into rq->params */
    unsigned methods;    /* HEAD comes with GET */
    enum proof proof;
    enum payload payload;
    uint32_t body_max; /* bytes */
    request_handler *handler;
};

struct routes {
    const struct route *rows;
    size_t count;
    bool acme; /* Link: index, Replay-Nonce, no-store on every answer */
};

enum { REQUEST_PARAMS = 2, REPLY_HEADERS = 16 + CA_ALTERNATES_MAX };

struct reply {
    int status; /* 0: not answered yet */
    const char *content_type;
    struct buf body;
    struct stream *stream; /* in place of a body that memory should not hold; owned */
    size_t header_count;
    struct {
        const char *name, *value;
    } headers[REPLY_HEADERS];
};

struct request {
    struct caraway *caraway;
    struct arena *arena;
    const struct routes *routes;
    const struct route *route;
    enum method method;
    const char *target;   /* as in the request line, with the query */
    const char *path;     /* decoded, without the query */
    const char *base_url; /* "https://localhost:14000": external-url, or as the client named us */
    const char *content_type;
    const char *accept;
    bool cross_origin; /* a browser's script asks from another site */
    const char *peer;  /* address without port */
    const char *params[REQUEST_PARAMS];
    struct buf body;

    struct jws jws;
    struct jwk *key;        /* the verified signer; owned */
    struct account account; /* PROOF_KID: the signer's account */
    json_t *payload;        /* the verified payload; NULL for POST-as-GET */
    struct bytes payload_bytes;

    struct reply reply;
    struct acme_problem problem;
    int64_t now_ms; /* one reading of the world's clock for the whole request */

    /* waiting */
    struct store_job job;
    bool (*work)(struct store_txn *txn, struct request *rq);
    request_handler *after;
    bool refused; /* rq->problem is the answer, whatever else was prepared */
    bool suspended;
    enum store_status store_status;
    struct limit_state *limit_states; /* what limits have left, for the answer's headers; NULL: they were not asked */
    void *state;                      /* the handler's own, in the arena */
    void (*release)(struct request *rq); /* frees what `state` holds outside the arena, or NULL */
    void *connection;                    /* the edge's */
};

/* ---- answers */

void reply_header(struct request *rq, const char *name, const char *value); /* value NULL: memory was out */
void reply_link(struct request *rq, const char *relation, const char *url);
/* Starts a JSON body with the status. */
struct json_out reply_json(struct request *rq, int status);
void reply_empty(struct request *rq, int status);
void reply_text(struct request *rq, int status, const char *content_type, const char *text);

/* An absolute URL below this server: request_url(rq, "/order/%s", id). NULL when memory is out. */
MUST_USE const char *request_url(struct request *rq, const char *format, ...) PRINTF_LIKE(2, 3);

/* The query's value under `name`, or NULL. */
const char *request_argument(struct request *rq, const char *name);

/* ---- waiting */

/* Suspends the exchange: what comes next may hand the request to another thread, which writes rq->refused, rq->problem
 * and rq->store_status and then calls request_resume. */
void request_wait(struct request *rq, request_handler *after);
/* On any thread: `after` runs on the web thread next. */
void request_resume(struct request *rq);
/* Suspends if needed and queues `work` for the writer. work: check, then write; false = refused, rq->problem filled. It
 * finds the account that signed still valid, with the same key; else the request is refused without it.
 * Then `after` runs on the web thread, unless the store failed or work refused: then the problem is the answer. */
void request_submit(struct request *rq, bool (*work)(struct store_txn *, struct request *), request_handler *after);

/* ---- the way in (called by the edge) */

/* Finds the route. Sets rq->route or fills the problem (404, 405 with Allow). */
MUST_USE bool request_route(struct request *rq);
/* Checks signature, URL and nonce as the route demands (RFC 8555 §6), then calls the handler. */
void request_dispatch(struct request *rq);
/* After a wait: the store's verdict, then `after`. */
void request_continue(struct request *rq);
/* Turns an unanswered request into its problem document; adds the headers that every answer carries. */
void request_finish(struct request *rq);

/* Adds a fresh nonce to the answer; the edge does so for every POST. */
void reply_nonce(struct request *rq);

/* Always false: why a page could not be read. A position that is none of ours is the asker's fault. */
bool problem_from_list(struct request *rq, const struct store_txn *txn);
/* Always false. Full or failing storage is a 503 that asks to come back (Retry-After). */
bool problem_from_store(struct acme_problem *problem, enum store_status status, const char *doing);
