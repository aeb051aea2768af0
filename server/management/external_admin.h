/* The operator's side of external account keys (`caraway eab …`), over the admin socket; all may be read on the
 * management interface too. A key that rules over accounts cannot be removed, for they would then have no rules: it is
 * revoked. */
#pragma once

#include "server/web/request.h"

/* What may be shown of it: all but the secret. */
void external_key_write(struct json_out *out, const void *key, int64_t now_ms);
bool external_key_get(struct request *rq); /* with a page of its accounts, the newest first */
/* A JSON object, every member optional: id, secret (base64url), names, types, profiles, challenges, wildcards,
 * pre_authorized, lifetime ("7d"), limits ("private", …), expires ("7d" or a time), uses, owner, comment. */
bool external_key_post(struct request *rq);
bool external_key_change(struct request *rq); /* the same but id and secret; members that are absent stay */
bool external_key_revoke(struct request *rq);
bool external_key_delete(struct request *rq);
