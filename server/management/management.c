#include "server/management/management.h"

#include "server/management/account_admin.h"
#include "server/caraway.h"
#include "server/protocol/chains.h"
#include "server/management/clock.h"
#include "server/management/dry_run.h"
#include "server/management/external_admin.h"
#include "server/management/limit_admin.h"
#include "server/management/objects.h"
#include "server/management/upkeep.h"
#include "server/webhook/webhook.h"

enum { BODY_MAX_BYTES = 64 * 1024 };

/* ---- health and certificates */

static bool healthz(struct request *rq)
{
    reply_text(rq, 200, "text/plain", "ok\n");
    return true;
}

/* /roots/0 is the default chain's root, /intermediates/0 what stands between it and a leaf. */
static bool root_get(struct request *rq)
{
    size_t chain;
    TRY(chain_read(rq, rq->params[0], &chain));
    reply_text(rq, 200, "application/pem-certificate-chain", ca_root_pem(rq->caraway->ca, chain));
    return true;
}

static bool intermediate_get(struct request *rq)
{
    size_t chain;
    TRY(chain_read(rq, rq->params[0], &chain));
    reply_text(rq, 200, "application/pem-certificate-chain", ca_chain_pem(rq->caraway->ca, chain));
    return true;
}

#define READING_ROWS                                                                                                   \
    { "/healthz", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, healthz },                                                  \
        { "/roots/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, root_get },                                            \
        { "/intermediates/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, intermediate_get },                            \
        { "/api/external-keys/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, external_key_get },                        \
        { "/api/limits", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, limits_get },                                        \
        { "/api/limits/overrides", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, limit_overrides_get },                     \
        { "/api/clock", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, clock_get },                                          \
        { "/api/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, objects_get },                                           \
    {                                                                                                                  \
        "/api/{}/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, 0, object_get                                              \
    }

static const struct route management_rows[] = { READING_ROWS };

static const struct route admin_rows[] = {
    READING_ROWS,
    { "/api/external-keys", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, external_key_post },
    { "/api/external-keys/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, external_key_change },
    { "/api/external-keys/{}/revoke", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, external_key_revoke },
    { "/api/webhook-events/{}/retry", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, webhook_retry },
    { "/api/accounts/{}/suspend", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, account_suspend },
    { "/api/accounts/{}/resume", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, account_resume },
    { "/api/external-keys/{}", METHOD_DELETE, PROOF_NONE, PAYLOAD_NONE, 0, external_key_delete },
    { "/api/dry-run", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, dry_run_post },
    { "/api/limits/reset", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, limits_reset_post },
    { "/api/limits/overrides", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, limit_override_post },
    { "/api/limits/overrides", METHOD_DELETE, PROOF_NONE, PAYLOAD_NONE, 0, limit_override_delete },
    { "/api/clock", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_MAX_BYTES, clock_post },
    { UPKEEP_PATH "{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, 0, upkeep_post },
};

const struct routes management_routes = { management_rows, ARRAY_SIZE(management_rows), .acme = false };
const struct routes admin_routes = { admin_rows, ARRAY_SIZE(admin_rows), .acme = false };
