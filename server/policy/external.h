/* External account binding (RFC 8555 §7.3.4): a new account proves that it belongs to someone we know by a MAC under a
 * key that he was given, and has what the rules of that key allow (server/policy/policy.h). */
#pragma once

#include "server/web/request.h"

/* Checks the payload's externalAccountBinding, required or not; fills the account's external_* members. */
MUST_USE bool external_check(struct request *rq, struct account *account);
/* In the job that stores the account: the key must still bind; it counts the account, which learns its owner. */
MUST_USE bool external_note(struct store_txn *txn, struct request *rq, struct account *account);

/* Whether it binds accounts: "valid", "revoked", "expired" or "used up". */
#define EXTERNAL_KEY_VALID "valid"
const char *external_key_status(const struct external_key *key, int64_t now_ms);
