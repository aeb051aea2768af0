/* What a server answered, kept within limits, and the headers ACME uses. All of it is hostile input. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

enum { TC_BODY_MAX = 1 << 20, TC_HEADERS_MAX = 64 << 10, TC_NONCE_MAX = 256 };

struct tc_answer {
    int status;         /* HTTP; 0 before there is one */
    struct buf headers; /* "name: value" lines, each ended by a NUL */
    struct buf body;
};

#define TC_ANSWER_INIT ((struct tc_answer) { .headers = { .max = TC_HEADERS_MAX }, .body = { .max = TC_BODY_MAX } })

void tc_answer_free(struct tc_answer *answer);
void tc_answer_clear(struct tc_answer *answer); /* memory is kept for the next answer */

/* Takes one header line with or without its CRLF. A status line forgets the headers so far (they were a 1xx answer's);
 * a line without a colon or with a NUL inside is ignored. */
void tc_answer_take_header(struct tc_answer *answer, struct bytes line);

/* The value of the index-th header of that name (letter case does not matter), or NULL. Lives as long as the answer. */
const char *tc_answer_header(const struct tc_answer *answer, const char *name, unsigned index);

/* The answer's Replay-Nonce, or NULL when it has none or one that is not base64url of at most TC_NONCE_MAX bytes. */
const char *tc_answer_nonce(const struct tc_answer *answer);

/* Milliseconds to wait as Retry-After asks: a number of seconds or a date (RFC 9110 §10.2.3); false for anything else.
 * A date that is past gives 0. */
MUST_USE bool tc_retry_after(const char *value, int64_t now_ms, int64_t *out_ms);

/* One link of a Link header (RFC 8288 §3): its target and the value of its `rel` parameter, unquoted, maybe several
 * relations with spaces between. Moves `rest` behind it; false at the end or where the text is no link any more. */
struct tc_link {
    struct bytes target;
    struct bytes rel;
};
MUST_USE bool tc_link_next(struct bytes *rest, struct tc_link *out);
/* Whether one of the link's relations is `rel`; relations are compared without regard to case (RFC 8288 §2.1.1). */
bool tc_link_is(const struct tc_link *link, const char *rel);
/* The target of the index-th link with this relation in all Link headers, in the arena; NULL when there is none. */
const char *tc_answer_link(const struct tc_answer *answer, struct arena *arena, const char *rel, unsigned index);
