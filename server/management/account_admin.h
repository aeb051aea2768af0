/* The operator's hold on accounts, over the admin socket. */
#pragma once

#include "server/web/request.h"

/* A suspended account is refused whatever it asks (403 unauthorized) until it is resumed. */
bool account_suspend(struct request *rq);
bool account_resume(struct request *rq);
