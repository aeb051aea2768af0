/* Accounts (RFC 8555 §7.1.2, §7.3). */
#pragma once

#include "server/web/request.h"

bool account_new(struct request *rq);  /* POST new-account */
bool account_post(struct request *rq); /* POST account: read, update contacts, deactivate */

/* False, with unauthorized, unless the account is valid. */
MUST_USE bool account_may_act(const struct account *account, struct acme_problem *problem);
bool account_reply(struct request *rq, const struct account *account, int status);

/* The only writer of an account's state. */
void account_move(struct account *account, enum account_state to);
