/* dns-persist-01 on the server's side. What is said to clients and which accounts a record may name differ between the
 * drafts (setting dns-persist.draft); only this module knows how. */
#pragma once

#include "server/web/request.h"
#include "server/settings/settings.h"

enum {
    PERSIST_ISSUERS_MAX = 10, /* draft -02 §3.1 */
    PERSIST_KEYS_MAX = 256    /* of one account; none of them may be forgotten (§4.2) */
};

/* In the list of challenges, and this authority has a name that a record can give. */
bool persist_is_offered(const struct settings *settings);

/* Members of the directory's meta, if any. False when memory is out. */
MUST_USE bool persist_write_meta(struct json_out *out, struct request *rq);
/* What stands in the challenge in place of a token. */
void persist_write_challenge(struct json_out *out, struct request *rq);

/* Before the account takes another key: keeps the one it has, since records in DNS go on naming it. False, with the
 * request's problem, when it has had too many. */
MUST_USE bool persist_keep_key(struct request *rq, struct account *account);

/* What a validation of this type needs to know of the account; for others nothing is done. The rest is filled in
 * before. Texts in the arena. False when memory is out. */
MUST_USE bool persist_fill(struct arena *arena, const struct settings *settings, const struct account *account,
                           struct validation *inout);
