/* Faults a server might have, one row each: what is done to which answers, and which checks must notice. */
#pragma once

#include <stddef.h>

enum mutation_kind {
    NOTHING,
    DROP_HEADER, /* `what` */
    SET_HEADER,  /* `what` to `with` */
    SET_STATUS,  /* to `with`, a reason phrase included */
    RENAME,      /* the text `what` in the body to `with` */
    IN_FRONT,    /* `with` goes before the body */
    SUCCEED,     /* 200 and `with` as the body */
};

struct mutation {
    const char *name;
    const char *method, *path; /* of the request: the whole method, a part of the path; NULL: any */
    int status;                /* of the answer; 0: any */
    const char *having;        /* a text that the answer's body must have; NULL: any */
    enum mutation_kind kind;
    const char *what, *with;
    const char *checks; /* glob of the checks of which one must fail at least */
};

/* clang-format off */
static const struct mutation mutations[] = {
    { "nothing", NULL, NULL, 0, NULL, NOTHING, NULL, NULL, "[79]*" },
    { "no-nonce-in-success", "POST", NULL, 200, NULL, DROP_HEADER, "Replay-Nonce", NULL, "6.5.in-success" },
    { "no-nonce-in-creation", "POST", NULL, 201, NULL, DROP_HEADER, "Replay-Nonce", NULL, "6.5.in-creation" },
    { "no-nonce-in-errors", "POST", NULL, 400, NULL, DROP_HEADER, "Replay-Nonce", NULL, "6.5.in-error" },
    { "no-nonce-from-head", "HEAD", NULL, 0, NULL, DROP_HEADER, "Replay-Nonce", NULL, "7.2.head" },
    { "one-nonce-for-all", "HEAD", NULL, 0, NULL, SET_HEADER, "Replay-Nonce", "AAAAAAAAAAAAAAAAAAAAAA", "6.5.1.unique" },
    { "nonce-not-base64url", "HEAD", NULL, 0, NULL, SET_HEADER, "Replay-Nonce", "a+b/c==", "6.5.1.*" },
    { "replays-accepted", NULL, NULL, 400, ":badNonce", SUCCEED, NULL, "{}", "6.5.replayed-request" },
    { "made-up-nonces-accepted", NULL, NULL, 400, ":badNonce", SUCCEED, NULL, "{}", "6.5.never-issued" },
    { "bad-nonce-is-malformed", NULL, NULL, 400, NULL, RENAME, ":badNonce", ":malformed", "6.5.reused-nonce" },
    { "bad-nonce-with-403", NULL, NULL, 400, ":badNonce", SET_STATUS, NULL, "403 Forbidden", "6.5.missing" },
    { "head-nonce-204", "HEAD", NULL, 200, NULL, SET_STATUS, NULL, "204 No Content", "7.2.head" },
    { "get-nonce-200", "GET", "nonce", 204, NULL, SET_STATUS, NULL, "200 OK", "7.2.get" },
    { "nonces-may-be-stored", "HEAD", NULL, 0, NULL, DROP_HEADER, "Cache-Control", NULL, "7.2.head-no-store" },
    { "no-index", "POST", "order", 200, NULL, DROP_HEADER, "Link", NULL, "7.1.index-of-order" },
    { "no-up", "POST", "challenge", 200, NULL, DROP_HEADER, "Link", NULL, "7.1.up-of-challenge" },
    { "no-cors", NULL, NULL, 0, NULL, DROP_HEADER, "Access-Control-Allow-Origin", NULL, "6.1.cors-*" },
    { "errors-are-plain-json", NULL, NULL, 400, NULL, SET_HEADER, "Content-Type", "application/json", "6.7.*" },
    { "errors-without-type", NULL, NULL, 400, NULL, RENAME, "\"type\"", "\"tape\"", "6.7.*" },
    { "unregistered-type", NULL, NULL, 400, NULL, RENAME, "error:malformed", "error:misformed", "6.7.*" },
    { "get-not-found", "GET", NULL, 405, NULL, SET_STATUS, NULL, "404 Not Found", "6.3.get-order" },
    { "no-allow", "GET", NULL, 405, NULL, DROP_HEADER, "Allow", NULL, "6.3.says-allowed" },
    { "media-type-400", NULL, NULL, 415, NULL, SET_STATUS, NULL, "400 Bad Request", "6.2.media-type-json" },
    { "signatures-not-checked", NULL, NULL, 400, ":malformed", SUCCEED, NULL, "{}", "6.2.flipped-signature" },
    { "wrong-url-is-malformed", NULL, NULL, 0, NULL, RENAME, ":unauthorized", ":malformed", "6.4.another-resource" },
    { "wrong-url-accepted", NULL, NULL, 0, ":unauthorized", SUCCEED, NULL, "{}", "6.4.slash-behind" },
    { "no-algorithms", NULL, NULL, 400, NULL, RENAME, "\"algorithms\"", "\"logarithms\"", "6.2.lists-algorithms" },
    { "strangers-are-let-in", NULL, NULL, 403, ":unauthorized", SUCCEED, NULL, "{}", "6.3.foreign-order" },
    { "no-location-of-account", NULL, "account", 201, NULL, DROP_HEADER, "Location", NULL, "7.3.created" },
    { "account-with-200", NULL, "account", 201, NULL, SET_STATUS, NULL, "200 OK", "7.3.created" },
    { "account-without-orders", NULL, "account", 201, NULL, RENAME, "\"orders\"", "\"borders\"", "7.3.created" },
    { "unknown-key-is-malformed", NULL, NULL, 400, NULL, RENAME, ":accountDoesNotExist", ":malformed",
      "7.3.only-return-existing" },
    { "deactivated-with-403", NULL, NULL, 401, NULL, SET_STATUS, NULL, "403 Forbidden", "7.3.6.cannot-look" },
    { "key-in-use-400", NULL, NULL, 409, NULL, SET_STATUS, NULL, "400 Bad Request", "7.3.5.in-use-location" },
    { "key-in-use-accepted", NULL, NULL, 409, NULL, SUCCEED, NULL, "", "7.3.5.in-use" },
    { "no-location-of-order", NULL, "order", 201, NULL, DROP_HEADER, "Location", NULL, "7.4.created" },
    { "order-with-200", NULL, "order", 201, NULL, SET_STATUS, NULL, "200 OK", "7.4.created" },
    { "order-without-expires", NULL, "order", 0, NULL, RENAME, "\"expires\"", "\"aspires\"", "7.4.created" },
    { "order-without-finalize", NULL, "order", 0, NULL, RENAME, "\"finalize\"", "\"penalize\"", "7.4.created" },
    { "order-never-ready", NULL, "order", 0, NULL, RENAME, "\"ready\"", "\"pending\"", "7.1.6.pending-until-*" },
    { "not-ready-with-400", NULL, NULL, 403, ":orderNotReady", SET_STATUS, NULL, "400 Bad Request", "7.4.too-early" },
    { "finalize-twice", NULL, "finalize", 403, NULL, SUCCEED, NULL, "{}", "7.4.twice" },
    { "bad-csr-accepted", NULL, "finalize", 400, NULL, SUCCEED, NULL, "{}", "7.4.csr-other-name" },
    { "valid-without-certificate", NULL, "order", 200, NULL, RENAME, "\"certificate\"", "\"cartificate\"",
      "7.4.valid-has-certificate" },
    { "wildcard-not-told", NULL, "authorization", 200, NULL, RENAME, "\"wildcard\"", "\"mildcard\"", "7.1.3.wildcard" },
    { "no-validated", NULL, "authorization", 200, NULL, RENAME, "\"validated\"", "\"salivated\"", "8.validated" },
    { "short-tokens", NULL, "authorization", 200, NULL, RENAME, "\"token\": \"", "\"token\": \"\", \"x\": \"", "8.3.token" },
    { "certificate-as-text", NULL, "certificate", 200, NULL, SET_HEADER, "Content-Type", "text/plain",
      "7.4.2.media-type" },
    { "certificate-with-words", NULL, "certificate", 200, NULL, IN_FRONT, NULL, "subject=/CN=here it is\n",
      "9.1.strict-pem" },
    { "revoked-with-204", NULL, "revoke", 200, NULL, SET_STATUS, NULL, "204 No Content", "7.6.by-account" },
    { "revoked-twice", NULL, "revoke", 400, NULL, SUCCEED, NULL, "", "7.6.twice" },
    { "strangers-revoke", NULL, "revoke", 403, NULL, SUCCEED, NULL, "", "7.6.by-stranger" },
    { "bad-reason-is-malformed", NULL, "revoke", 400, NULL, RENAME, ":badRevocationReason", ":malformed",
      "7.6.reason-7" },
    { "no-window", "GET", "renewal", 200, NULL, RENAME, "\"suggestedWindow\"", "\"window\"", "9773/4.1.get" },
    { "window-turned-round", "GET", "renewal", 200, NULL, RENAME, "\"end\": \"2", "\"end\": \"1", "9773/4.2.in-order" },
    { "no-retry-after", "GET", "renewal", 200, NULL, DROP_HEADER, "Retry-After", NULL, "9773/4.3.1.retry-after" },
    { "replaced-with-400", NULL, NULL, 409, NULL, SET_STATUS, NULL, "400 Bad Request", "9773/5.twice" },
    { "replaces-not-told", NULL, "order", 0, NULL, RENAME, "\"replaces\"", "\"deplaces\"", "9773/5.echoed" },
    { "profile-not-told", NULL, "order", 0, NULL, RENAME, "\"profile\"", "\"beguile\"", "profiles/4.chosen" },
    { "any-profile", NULL, NULL, 400, ":invalidProfile", SUCCEED, NULL, "{}", "profiles/4.unknown" },
    { "subdomains-not-told", NULL, "authz", 201, NULL, RENAME, "\"subdomainAuthAllowed\"", "\"x\"", "9444/4.2.granted" },
};
/* clang-format on */
