/* Agreement to the terms of service (RFC 8555 §7.3, §7.3.3). */
#pragma once

#include "server/web/request.h"

/* new-account's "termsOfServiceAgreed": noted in the account; userActionRequired when there are terms and it is
 * missing. */
MUST_USE bool terms_read(struct request *rq, struct account *account);
/* userActionRequired when the account agreed to other terms than those in force and a setting makes that matter; its
 * `instance` is a page on which a person agrees. */
MUST_USE bool terms_check(struct request *rq);

bool terms_page_get(struct request *rq);  /* GET agree/{token} */
bool terms_page_post(struct request *rq); /* POST agree/{token} */
