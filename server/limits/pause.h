/* Names that failed so often for an account that its orders for them are refused until a person says that it is mended:
 * the refusal carries the URL of a page with one button. */
#pragma once

#include "server/web/request.h"

void pause_name(struct store_txn *txn, struct arena *arena, const struct authorization *authorization, int64_t now_ms);
/* rateLimited with the page's URL when the name is paused for the signing account. */
MUST_USE bool pause_check(struct store_txn *txn, struct request *rq, const struct acme_identifier *identifier);
/* The names that are paused for an account, the first thousand of them; none for NULL. */
MUST_USE bool pause_list(struct store_txn *txn, struct request *rq, const char *account, struct texts *out);
/* In a job: they can be ordered again, a thousand at most; when it were as many, in another job go on. */
enum { PAUSE_RESUMED_AT_ONCE = 1000 };
MUST_USE bool pause_resume(struct store_txn *txn, struct request *rq, const char *account, size_t *out_count);

bool pause_page_get(struct request *rq);  /* GET unpause/{token} */
bool pause_page_post(struct request *rq); /* POST unpause/{token}: resumes every paused name of the account */
