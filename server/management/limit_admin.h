/* The limits over the admin interface: what is left, overrides, giving back. What is asked for is a `subject`, as an
 * operator writes it (names and addresses with commas, or an account's id), and perhaps an `account` beside names. */
#pragma once

#include "server/limits/limit.h"
#include "server/web/request.h"

bool limits_get(struct request *rq);          /* GET ?subject=…&account=…: every bucket that it would spend */
bool limits_reset_post(struct request *rq);   /* {"subject", "account"}: those buckets are full, paused names resumed */
bool limit_overrides_get(struct request *rq); /* all of them */
bool limit_override_post(struct request *rq); /* {"limit", "subject", "rate", "comment"}: made or replaced */
bool limit_override_delete(struct request *rq); /* ?limit=…&subject=… */

/* An array of what is left in each. */
void limit_write_buckets(struct request *rq, struct store_txn *txn, struct json_out *out, const char *key,
                         const struct limit_asks *asks);
