/* Flattened JSON Web Signatures as RFC 8555 §6.2 restricts them: parse, verify, and (for clients and tests) sign. */
#pragma once

#include "acme/jwk.h"

struct jws {
    enum jws_algorithm algorithm;
    struct jwk *jwk;            /* owned; NULL when `kid` is set: exactly one of both */
    const char *kid;            /* arena */
    const char *url;            /* arena; never NULL */
    const char *nonce;          /* arena; NULL when absent (inner JWS of RFC 8555 §7.3.4, §7.3.5) */
    struct bytes payload;       /* decoded, arena; len 0 for POST-as-GET */
    struct bytes signature;     /* decoded, arena */
    struct bytes signing_input; /* "protected.payload", arena */
    bool hmac;                  /* EAB: the algorithm is HS256/384/512 and stands in hmac_bits; `algorithm` is unset */
    int hmac_bits;
};

/* Parses the body of a POST. Refused with malformed: not an object, members other than protected/payload/signature that
 * RFC 8555 forbids (`header`, `signatures`), bad base64url, a `crit` or `b64` header, both or neither of jwk and kid,
 * no url, a nonce that is not base64url. Unknown or MAC `alg` and `none` give badSignatureAlgorithm with the list of
 * ours; an algorithm that does not fit the jwk's key type too. The caller drops out->jwk (jws_clear). */
MUST_USE bool jws_parse(struct arena *arena, struct bytes body, struct jws *out, struct acme_problem *problem);
/* The same for the external account binding's inner JWS, which must be HS256/384/512 with a kid and no nonce. Here and
 * in jws_verify_hmac a detail begins with "externalAccountBinding". */
MUST_USE bool jws_parse_hmac(struct arena *arena, const json_t *object, struct jws *out, struct acme_problem *problem);
void jws_clear(struct jws *jws);

/* malformed ("JWS signature …") when the signature is not the key's, or an ECDSA one not exactly r and s at the curve's
 * width (RFC 7518 §3.4: old clients drop leading zeros); badSignatureAlgorithm when alg and key differ. */
MUST_USE bool jws_verify(const struct jws *jws, const struct jwk *key, struct acme_problem *problem);
/* unauthorized when the MAC is not the one that `secret` makes. */
MUST_USE bool jws_verify_hmac(const struct jws *jws, struct bytes secret, struct acme_problem *problem);

/* Makes a signed flattened JWS into `out`. `kid` NULL embeds the jwk; nonce may be NULL. payload "" is POST-as-GET. */
struct jws_header {
    const char *kid, *nonce, *url;
};
MUST_USE bool jws_sign(struct buf *out, const struct jwk *key, const struct jws_header *header, struct bytes payload);
/* Signs any protected header as it stands: also one a client must not send, to see it refused. */
MUST_USE bool jws_sign_protected(struct buf *out, const struct jwk *key, struct bytes header, struct bytes payload);
