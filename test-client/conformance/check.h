/* What a conformance check is, and what it may use. A check is a row of a const table; its function says true when the
 * server does what the row says. Everything else is told through cf_fail and cf_skip, which are always false, so that a
 * check reads as a list of TRYs. Every text that a check gets lives as long as the run. */
#pragma once

#include "base/json.h"

#include "test-client/chain.h"
#include "test-client/key.h"
#include "test-client/options.h"
#include "test-client/session.h"

#include "test-client/conformance/prover.h"

struct cf;

/* What must be there before a check can run; made once and shared, so a check must leave it as it is. */
enum cf_need {
    CF_FIRST = 1 << 0,         /* an account, cf->first */
    CF_SECOND = 1 << 1,        /* another one, cf->second */
    CF_PENDING = 1 << 2,       /* a pending order of the first account, cf->pending */
    CF_ISSUED = 1 << 3,        /* a certificate of the first account, cf->issued */
    CF_REVOKE = 1 << 4,        /* the directory has revokeCert */
    CF_KEY_CHANGE = 1 << 5,    /* … keyChange */
    CF_NEW_AUTHZ = 1 << 6,     /* … newAuthz */
    CF_RENEWAL_INFO = 1 << 7,  /* … renewalInfo */
    CF_PROFILES = 1 << 8,      /* … meta.profiles */
    CF_EAB = 1 << 9,           /* a key for external account binding, from the command line */
    CF_EAB_REQUIRED = 1 << 10, /* … meta.externalAccountRequired */
    CF_SUBDOMAINS = 1 << 11,   /* … meta.subdomainAuthAllowed */
};

typedef bool cf_function(struct cf *cf);

struct cf_check {
    const char *id; /* "6.5.replayed-nonce", "9773/4.1.unknown": section and name, the RFC in front if not 8555 */
    const char *requirements; /* "[8555-6.5-4]" of tests/requirements, or "" */
    const char *what;         /* one sentence: what the server does if it is right */
    cf_function *run;
    unsigned needs;
    int arg;          /* for functions that serve several rows */
    const char *text; /* likewise */
};

struct cf_group {
    const char *spec, *section, *title;
    const struct cf_check *checks;
    size_t count;
};

#define CF_GROUP(name, spec, section, title)                                                                           \
    const struct cf_group cf_group_##name = { spec, section, title, name##_checks, ARRAY_SIZE(name##_checks) }

enum { CF_NAMES_MAX = 8, CF_AUTHORIZATIONS_MAX = 8 };

struct cf_order {
    struct tc_session *owner;
    const char *url, *finalize, *certificate;
    const char *name; /* the first identifier as asked for */
    const char *authorizations[CF_AUTHORIZATIONS_MAX];
    size_t authorization_count;
};

struct cf_certificate {
    struct cf_order order;
    EVP_PKEY *key; /* loan */
    const char *pem;
    X509 *leaf; /* loan */
};

/* The command line. */
struct cf_settings {
    const char *directory_url, *ca_file, *only, *skip, *json, *junit, *challtestsrv, *base, *address;
    struct tc_option_list eab;
    bool list, verbose;
    long http_port, tls_port, dns_port, patience_s;
};

struct cf {
    const struct cf_settings *settings;
    const struct cf_check *check; /* the one that runs */

    json_t *directory, *meta;   /* meta: {} when there is none */
    struct tc_session *visitor; /* no account */
    struct tc_session *first, *second;
    struct cf_order pending;
    struct cf_certificate issued;

    const struct tc_answer *answer; /* the last one */
    json_t *body;                   /* its JSON object, or NULL; lives until the check ends */

    struct arena *arena;
    struct cf_prover *prover;
    struct cf_inside *inside; /* the harness's own */
};

/* `thing` goes with the check, or with the run while what is shared is made. */
void cf_keep(struct cf *cf, void *thing, void (*drop)(void *thing));

/* --- verdicts; the first one counts --- */
bool cf_fail(struct cf *cf, const char *format, ...) PRINTF_LIKE(2, 3);
bool cf_skip(struct cf *cf, const char *format, ...) PRINTF_LIKE(2, 3); /* the server does not offer this */

/* --- texts --- */
const char *cf_print(struct cf *cf, const char *format, ...) PRINTF_LIKE(2, 3); /* aborts when memory is out */
const char *cf_name(struct cf *cf);                                             /* a DNS name not used before */
const char *cf_b64(struct cf *cf, struct bytes bytes);
/* The bytes of a base64url text; len 0 when it is none. */
struct bytes cf_unb64(struct cf *cf, const char *text);
const char *cf_resource(struct cf *cf, const char *name); /* of the directory; NULL when it has none */

/* --- exchanges; false only when there is no answer, which fails the check. badNonce is tried again unless the post
 * brings its own nonce. --- */
MUST_USE bool cf_post(struct cf *cf, struct tc_session *session, const struct tc_post *post);
/* By kid, with a payload; NULL: POST-as-GET. */
MUST_USE bool cf_call(struct cf *cf, struct tc_session *session, const char *url, const char *payload);
/* A POST of any body. */
MUST_USE bool cf_post_body(struct cf *cf, struct tc_session *session, const char *url, const char *body);
/* Without a signature; headers are NULL-ended lines or NULL. */
MUST_USE bool cf_fetch(struct cf *cf, const char *method, const char *url, const char *const *headers);
const char *cf_header(const struct cf *cf, const char *name);      /* of the last answer */
const char *cf_link(struct cf *cf, const char *relation);          /* likewise; NULL */
const char *cf_member(const struct cf *cf, const char *name);      /* text of the last body; NULL */
bool cf_status_is(const struct cf *cf, const char *object_status); /* its "status" */
MUST_USE bool cf_take_nonce(struct cf *cf, struct tc_session *session, const char **out);

/* --- protected headers by hand: NULL stands for what is right, "" leaves the member out --- */
struct cf_jws {
    const char *alg, *kid, *jwk, *nonce, *url;
    const char *more;      /* further members with their comma: ",\"crit\":[\"x\"]" */
    const struct jwk *key; /* signs; NULL: the session's */
    bool embed;            /* jwk instead of kid */
};
/* The body of a POST to `url`, signed; NULL fails the check. */
const char *cf_sign(struct cf *cf, struct tc_session *session, const char *url, const char *payload,
                    const struct cf_jws *jws);
/* The same body with another text or (value NULL) without the member. */
const char *cf_replace(struct cf *cf, const char *body, const char *member, const char *value);

/* --- expectations of the last answer; false fails the check and says what came instead --- */
MUST_USE bool cf_expect(struct cf *cf, int status);
/* An error with a problem document. `types`: "malformed|unauthorized", NULL for any; status 0: any of 400 to 499. */
MUST_USE bool cf_refused(struct cf *cf, int status, const char *types);
/* The header is there. */
MUST_USE bool cf_has_header(struct cf *cf, const char *name, const char **out);
MUST_USE bool cf_media_type(struct cf *cf, const char *type);
/* The member of the last body is a text. */
MUST_USE bool cf_has_text(struct cf *cf, const char *member, const char **out);
bool cf_is_url(const char *text);
bool cf_is_b64(const char *text);
MUST_USE bool cf_is_problem(struct cf *cf); /* a well-formed problem document */

/* --- accounts, orders, certificates --- */
MUST_USE bool cf_open(struct cf *cf, EVP_PKEY *key, struct tc_session **out); /* no account yet; NULL: new key */
MUST_USE bool cf_account(struct cf *cf, struct tc_session **out);             /* a new one */
/* newAccount for the session with these members ("\"contact\":[…]" or ""); what a server asks for besides is added.
 * Keeps the kid when it succeeds; looks at nothing. */
MUST_USE bool cf_register(struct cf *cf, struct tc_session *session, const char *members);

/* newOrder; "*.x", "x" or an IP address; up to CF_NAMES_MAX, NULL-ended. `more` as in cf_jws, or NULL. */
MUST_USE bool cf_order_names(struct cf *cf, struct tc_session *session, const char *const *names, const char *more,
                             struct cf_order *out);
MUST_USE bool cf_order(struct cf *cf, struct tc_session *session, struct cf_order *out); /* for one fresh name */
const char *cf_order_payload(struct cf *cf, const char *const *names, const char *more);
MUST_USE bool cf_read_order(struct cf *cf, struct cf_order *order); /* from the last body */
/* Fetches an authorization and finds its challenge of that type; skips when it is not offered. */
struct cf_challenge {
    const char *url, *token, *key_authorization;
    const char *name; /* of the authorization */
    enum acme_challenge_type type;
};
MUST_USE bool cf_challenge(struct cf *cf, struct tc_session *session, const char *authorization, const char *type,
                           struct cf_challenge *out);
json_t *cf_find_challenge(const struct cf *cf, const char *type); /* in the last body; NULL */
/* Proves what is still pending of the order; it is ready then. */
MUST_USE bool cf_authorize(struct cf *cf, struct cf_order *order);
MUST_USE bool cf_solve(struct cf *cf, struct tc_session *session, const char *authorization);
/* A ready order for a fresh name. */
MUST_USE bool cf_ready(struct cf *cf, struct tc_session *session, struct cf_order *out);
/* Polls until "status" is none of pending and processing. */
MUST_USE bool cf_settle(struct cf *cf, struct tc_session *session, const char *url);
/* Responds to the challenge and waits: for the authorization to be "valid", or for the challenge to be "invalid" or to
 * have an error while the server means to try again (RFC 8555 §8.2). What becomes of the authorization then is another
 * question. */
MUST_USE bool cf_ends_as(struct cf *cf, const struct cf_order *order, const struct cf_challenge *challenge,
                         const char *status);
MUST_USE bool cf_finalize(struct cf *cf, const struct cf_order *order, const char *csr);
/* Waits for the order to be valid, gets the certificate; `key` is a loan that must live as long as the run. */
MUST_USE bool cf_collect(struct cf *cf, const struct cf_order *order, EVP_PKEY *key, struct cf_certificate *out);
MUST_USE bool cf_issue(struct cf *cf, struct tc_session *session, const char *const *names, const char *more,
                       struct cf_certificate *out);
/* One for a fresh name. */
MUST_USE bool cf_issue_one(struct cf *cf, struct tc_session *session, struct cf_certificate *out);

/* --- the resources that checks go through one by one; what a URL needs stands beside it --- */
#define CF_RESOURCE_TABLE(X)                                                                                           \
    X(NEW_NONCE, "newNonce", 0)                                                                                        \
    X(NEW_ACCOUNT, "newAccount", 0)                                                                                    \
    X(NEW_ORDER, "newOrder", 0)                                                                                        \
    X(NEW_AUTHZ, "newAuthz", CF_NEW_AUTHZ)                                                                             \
    X(REVOKE_CERT, "revokeCert", CF_REVOKE)                                                                            \
    X(KEY_CHANGE, "keyChange", CF_KEY_CHANGE)                                                                          \
    X(ACCOUNT, "account", CF_FIRST)                                                                                    \
    X(ORDERS, "orders list", CF_FIRST)                                                                                 \
    X(ORDER, "order", CF_PENDING)                                                                                      \
    X(FINALIZE, "finalize", CF_PENDING)                                                                                \
    X(AUTHORIZATION, "authorization", CF_PENDING)                                                                      \
    X(CHALLENGE, "challenge", CF_PENDING)                                                                              \
    X(CERTIFICATE, "certificate", CF_ISSUED)
enum cf_resource_kind {
#define X(name, text, needs) CF_##name##_URL,
    CF_RESOURCE_TABLE(X)
#undef X
};
/* The first account's; NULL decides the check. */
const char *cf_url_of(struct cf *cf, int resource_kind);

/* --- keys and requests for certificates --- */
EVP_PKEY *cf_key(struct cf *cf, enum tc_key_type type); /* a new one, a loan */
EVP_PKEY *cf_key_rsa(struct cf *cf, unsigned bits);
struct jwk *cf_jwk(struct cf *cf, EVP_PKEY *key); /* a loan */
struct cf_csr {
    EVP_PKEY *key;
    const char *const *names; /* subjectAltName, NULL-ended; NULL: none */
    const char *common_name;  /* NULL: empty subject */
    const char *digest;       /* NULL: SHA256 */
    bool break_signature;
};
const char *cf_make_csr(struct cf *cf, const struct cf_csr *csr); /* base64url */
const char *cf_csr_for(struct cf *cf, EVP_PKEY *key, const char *name);
const char *cf_certificate_b64(struct cf *cf, X509 *certificate); /* DER */
X509 *cf_read_der(struct cf *cf, struct bytes der);               /* a loan; NULL */
/* The certificates of a PEM chain, at most TC_CHAIN_MAX of them, as loans; 0 when something else is in it. */
size_t cf_read_chain(struct cf *cf, const char *pem, X509 **out);
