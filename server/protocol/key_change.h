/* Rolling an account over to a new key (RFC 8555 §7.3.5). */
#pragma once

#include "server/web/request.h"

bool key_change_post(struct request *rq); /* POST key-change: the old key signs around the new key's signature */
