#include "server/web/routes.h"

#include "server/protocol/account.h"
#include "server/protocol/authorization.h"
#include "server/protocol/certificate.h"
#include "server/protocol/challenge.h"
#include "server/protocol/directory.h"
#include "server/protocol/finalize.h"
#include "server/protocol/key_change.h"
#include "server/protocol/order.h"
#include "server/limits/pause.h"
#include "server/protocol/renewal.h"
#include "server/protocol/revocation.h"
#include "server/protocol/terms.h"

/* Most bytes of a body: a JWS around nothing or a few names, and one around a CSR of up to CSR_MAX_BYTES. */
enum { BODY_NONE = 0, BODY_TEXT = 64 * 1024, BODY_CSR = 96 * 1024 };

static const struct route acme_rows[] = {
    { "/directory", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, directory_get },
    { "/directory", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT,
      directory_get }, /* RFC 8555 §6.3 wants both ways */
    { "/new-nonce", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, nonce_issue },
    { "/new-nonce", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, nonce_issue },
    { "/new-account", METHOD_POST, PROOF_JWK, PAYLOAD_OBJECT, BODY_TEXT, account_new },
    { "/account/{}", METHOD_POST, PROOF_KID, PAYLOAD_EITHER, BODY_TEXT, account_post },
    { "/account/{}/orders", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, orders_list },
    { "/new-order", METHOD_POST, PROOF_KID, PAYLOAD_OBJECT, BODY_TEXT, order_new },
    { "/order/{}", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, order_get },
    { "/order/{}/finalize", METHOD_POST, PROOF_KID, PAYLOAD_OBJECT, BODY_CSR, order_finalize },
    { "/authorization/{}", METHOD_POST, PROOF_KID, PAYLOAD_EITHER, BODY_TEXT, authorization_post },
    { "/challenge/{}/{}", METHOD_POST, PROOF_KID, PAYLOAD_EITHER, BODY_TEXT, challenge_post },
    { "/certificate/{}", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, certificate_get },
    { "/certificate/{}/{}", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, certificate_get },
    { "/issuer/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, issuer_get },
    { "/issuer/{}", METHOD_POST, PROOF_KID, PAYLOAD_NONE, BODY_TEXT, issuer_get },
    { "/revoke-cert", METHOD_POST, PROOF_ANY, PAYLOAD_OBJECT, BODY_CSR, revocation_post },
    { "/new-authz", METHOD_POST, PROOF_KID, PAYLOAD_OBJECT, BODY_TEXT, authorization_new },
    { "/renewal-info/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, renewal_info_get },
    { "/agree/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, terms_page_get },
    { "/agree/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_TEXT, terms_page_post },
    { "/unpause/{}", METHOD_GET, PROOF_NONE, PAYLOAD_NONE, BODY_NONE, pause_page_get },
    { "/unpause/{}", METHOD_POST, PROOF_NONE, PAYLOAD_NONE, BODY_TEXT, pause_page_post },
    { "/key-change", METHOD_POST, PROOF_KID, PAYLOAD_OBJECT, BODY_TEXT, key_change_post },
};

const struct routes acme_routes = { acme_rows, ARRAY_SIZE(acme_rows), .acme = true };
