/* The directory and new-nonce (RFC 8555 §7.1.1, §7.2). */
#pragma once

#include "server/web/request.h"

bool directory_get(struct request *rq);
bool nonce_issue(struct request *rq);
