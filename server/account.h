/* Accounts (RFC 8555 §7.1.2, §7.3). */
#pragma once

#include "server/request.h"

bool account_new(struct request *rq);  /* POST new-account */
bool account_post(struct request *rq); /* POST account: read, update contacts, deactivate */

bool account_is_closed(struct request *rq, const struct account *account); /* always false; the problem says so */
bool account_reply(struct request *rq, const struct account *account, int status);

/* The only writer of an account's state. */
void account_move(struct account *account, enum account_state to);
