/* External account binding (RFC 8555 §7.3.4): a new account proves that it belongs to someone we know by a MAC under a
 * key that he was given. The keys are made, listed and removed by the operator (`caraway eab`). */
#pragma once

#include "server/request.h"

/* Checks the payload's externalAccountBinding, required or not; fills the account's external_* members. */
MUST_USE bool external_check(struct request *rq, struct account *account);
/* In the job that stores the account: the key must still be there; it notes the account. */
MUST_USE bool external_note(struct store_txn *txn, struct request *rq, const struct account *account);

/* For the operator, over the admin socket. */
bool external_keys_get(struct request *rq);
bool external_key_post(struct request *rq); /* {"id": …, "secret": base64url}, both optional */
bool external_key_delete(struct request *rq);
