/* RFC 8555 §6.1 and §6.3: how resources are reached. */
#include "test-client/conformance/check.h"

#include <openssl/ssl.h>

#include <strings.h>

DEFINE_DROP_TYPE(SSL_CTX, SSL_CTX_free)

static bool over_https(struct cf *cf)
{
    const char *name;
    json_t *value;
    json_object_foreach (cf->directory, name, value) {
        const char *url = json_string_value(value);
        if (url != NULL && strncmp(url, "https://", strlen("https://")) != 0)
            return cf_fail(cf, "\"%s\" is no https URL: %.200s", name, url);
    }
    return true;
}

/* "host:port" of the directory's URL */
static const char *authority(struct cf *cf)
{
    const char *start = strstr(cf->settings->directory_url, "://");
    start = start != NULL ? start + strlen("://") : cf->settings->directory_url;
    const char *text = cf_print(cf, "%.*s", (int)strcspn(start, "/"), start);
    return strchr(text, ':') != NULL ? text : cf_print(cf, "%s:443", text);
}

static bool old_tls(struct cf *cf)
{
    AUTO_TYPE(SSL_CTX) context = SSL_CTX_new(TLS_client_method());
    CHECK(context != NULL && SSL_CTX_set_cipher_list(context, "ALL:@SECLEVEL=0") == 1 &&
          SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1 &&
          SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION) == 1);
    AUTO_TYPE(BIO) connection = BIO_new_ssl_connect(context);
    CHECK(connection != NULL && BIO_set_conn_hostname(connection, authority(cf)) == 1);
    bool taken = BIO_do_connect(connection) == 1 && BIO_do_handshake(connection) == 1;
    return !taken || cf_fail(cf, "the server talks TLS 1.1 or older");
}

static const char *const foreign_origin[] = { "Origin: https://client.example", NULL };

static bool allows_origin(struct cf *cf)
{
    const char *allowed;
    TRY(cf_has_header(cf, "Access-Control-Allow-Origin", &allowed));
    return strcmp(allowed, "*") == 0 || cf_fail(cf, "Access-Control-Allow-Origin is \"%.100s\"", allowed);
}

static bool cors_directory(struct cf *cf)
{
    return cf_fetch(cf, "GET", cf->settings->directory_url, foreign_origin) && allows_origin(cf);
}

static bool cors_post(struct cf *cf)
{
    struct tc_post post = { .url = cf->pending.url, .headers = foreign_origin };
    return cf_post(cf, cf->first, &post) && cf_expect(cf, 200) && allows_origin(cf);
}

static bool cors_error(struct cf *cf)
{
    struct tc_post post = { .url = cf->pending.url, .headers = foreign_origin, .no_nonce = true };
    return cf_post(cf, cf->first, &post) && cf_refused(cf, 0, NULL) && allows_origin(cf);
}

/* Without it a browser does not let a client see what it needs for the next request. */
static bool cors_exposes(struct cf *cf)
{
    static const char *const needed[] = { "Replay-Nonce", "Location", "Link" };
    const char *exposed;
    TRY(cf_fetch(cf, "GET", cf_resource(cf, "newNonce"), foreign_origin));
    TRY(cf_has_header(cf, "Access-Control-Expose-Headers", &exposed));
    for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
        if (strcasestr(exposed, needed[i]) == NULL)
            return cf_fail(cf, "Access-Control-Expose-Headers lacks %s", needed[i]);
    }
    return true;
}

static bool cors_preflight(struct cf *cf)
{
    static const char *const asked[] = { "Origin: https://client.example", "Access-Control-Request-Method: POST",
                                         "Access-Control-Request-Headers: content-type", NULL };
    const char *headers;
    TRY(cf_fetch(cf, "OPTIONS", cf_resource(cf, "newOrder"), asked));
    if (cf->answer->status != 200 && cf->answer->status != 204)
        return cf_fail(cf, "the HTTP status is %d instead of 200 or 204", cf->answer->status);
    TRY(allows_origin(cf) && cf_has_header(cf, "Access-Control-Allow-Headers", &headers));
    return strcasestr(headers, "content-type") != NULL || strcmp(headers, "*") == 0 ||
           cf_fail(cf, "Access-Control-Allow-Headers lacks Content-Type");
}

static bool method_refused(struct cf *cf, const char *method, const char *url)
{
    TRY(url != NULL && cf_fetch(cf, method, url, NULL));
    return cf_refused(cf, 405, "malformed");
}

static bool get(struct cf *cf)
{
    return method_refused(cf, "GET", cf_url_of(cf, cf->check->arg));
}

static bool other_method(struct cf *cf)
{
    TRY(cf_fetch(cf, cf->check->text, cf->pending.url, NULL));
    return cf_expect(cf, 405);
}

static bool says_allowed(struct cf *cf)
{
    const char *allowed;
    TRY(method_refused(cf, "GET", cf_resource(cf, "newOrder")) && cf_has_header(cf, "Allow", &allowed));
    return strstr(allowed, "POST") != NULL || cf_fail(cf, "Allow lacks POST: \"%.100s\"", allowed);
}

static bool post_as_get(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    return url != NULL && cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200);
}

static bool post_as_get_directory(struct cf *cf)
{
    const char *name;
    TRY(cf_call(cf, cf->first, cf->settings->directory_url, NULL) && cf_expect(cf, 200));
    TRY(cf_has_text(cf, "newNonce", &name));
    return strcmp(name, cf_resource(cf, "newNonce")) == 0 || cf_fail(cf, "this is another directory");
}

static bool post_as_get_nonce(struct cf *cf)
{
    const char *nonce;
    TRY(cf_call(cf, cf->first, cf_resource(cf, "newNonce"), NULL) && cf_expect(cf, 204));
    return cf_has_header(cf, "Replay-Nonce", &nonce);
}

static bool payload_refused(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    return url != NULL && cf_call(cf, cf->first, url, cf->check->text) && cf_refused(cf, 0, NULL);
}

/* Looking at a challenge is no response to it. */
static bool looking_starts_nothing(struct cf *cf)
{
    const char *url = cf_url_of(cf, CF_CHALLENGE_URL);
    for (int i = 0; i < 2; i++) {
        TRY(url != NULL && cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
        if (!cf_status_is(cf, "pending"))
            return cf_fail(cf, "the challenge is no longer pending");
    }
    return true;
}

/* Everything that an account owns, asked for by another one. */
static bool foreign(struct cf *cf)
{
    const char *url = cf_url_of(cf, cf->check->arg);
    return url != NULL && cf_call(cf, cf->second, url, cf->check->text) && cf_refused(cf, 0, NULL);
}

static bool foreign_finalize(struct cf *cf)
{
    const char *csr = cf_csr_for(cf, cf_key(cf, TC_KEY_P256), cf->pending.name);
    return cf_call(cf, cf->second, cf->pending.finalize, cf_print(cf, "{\"csr\":\"%s\"}", csr)) &&
           cf_refused(cf, 0, NULL);
}

static bool foreign_challenge(struct cf *cf)
{
    const char *url = cf_url_of(cf, CF_CHALLENGE_URL);
    TRY(url != NULL && cf_call(cf, cf->second, url, "{}") && cf_refused(cf, 0, NULL));
    TRY(cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
    return cf_status_is(cf, "pending") || cf_fail(cf, "another account's response was refused, and taken all the same");
}

/* By an account of its own, because some servers take the sender's account for the one that is meant. */
static bool foreign_update(struct cf *cf)
{
    struct tc_session *stranger;
    const char *url = cf_url_of(cf, cf->check->arg);
    TRY(url != NULL && cf_account(cf, &stranger) && cf_call(cf, stranger, url, cf->check->text));
    TRY(cf_refused(cf, 0, NULL) && cf_call(cf, cf->first, url, NULL) && cf_expect(cf, 200));
    return (!cf_status_is(cf, "deactivated") && strstr(buf_str(&cf->answer->body), "stranger@") == NULL) ||
           cf_fail(cf, "what was refused was carried out");
}

#define SHARED (CF_PENDING | CF_SECOND)

static const struct cf_check https_checks[] = {
    { "6.1.https", "[8555-6.1-1]", "Every URL of the directory is an https URL.", over_https },
    { "6.1.tls-1.1", "[8555-6.1-2]", "The server should refuse TLS 1.1 and older.", old_tls },
    { "6.1.cors-directory", "[8555-6.1-3]", "The directory should allow every origin.", cors_directory },
    { "6.1.cors-post", "[8555-6.1-3]", "An answer to a POST should allow every origin.", cors_post, CF_PENDING },
    { "6.1.cors-error", "[8555-6.1-3]", "An error should allow every origin.", cors_error, CF_PENDING },
    { "6.1.cors-exposes", "[8555-6.1-3]", "Scripts should be let see Replay-Nonce, Location and Link.", cors_exposes },
    { "6.1.cors-preflight", "[8555-6.1-3]", "A browser's preflight for a POST should succeed.", cors_preflight },
    { "6.3.get-new-account", "[8555-6.3-1]", "GET on newAccount is answered 405, malformed.", get, 0,
      CF_NEW_ACCOUNT_URL },
    { "6.3.get-new-order", "[8555-6.3-1]", "GET on newOrder is answered 405, malformed.", get, 0, CF_NEW_ORDER_URL },
    { "6.3.get-new-authz", "[8555-6.3-1]", "GET on newAuthz is answered 405, malformed.", get, CF_NEW_AUTHZ,
      CF_NEW_AUTHZ_URL },
    { "6.3.get-revoke-cert", "[8555-6.3-1]", "GET on revokeCert is answered 405, malformed.", get, CF_REVOKE,
      CF_REVOKE_CERT_URL },
    { "6.3.get-key-change", "[8555-6.3-1]", "GET on keyChange is answered 405, malformed.", get, CF_KEY_CHANGE,
      CF_KEY_CHANGE_URL },
    { "6.3.get-account", "[8555-6.3-1]", "GET on an account is answered 405, malformed.", get, CF_FIRST,
      CF_ACCOUNT_URL },
    { "6.3.get-orders", "[8555-6.3-1]", "GET on a list of orders is answered 405, malformed.", get, CF_FIRST,
      CF_ORDERS_URL },
    { "6.3.get-order", "[8555-6.3-1]", "GET on an order is answered 405, malformed.", get, CF_PENDING, CF_ORDER_URL },
    { "6.3.get-finalize", "[8555-6.3-1]", "GET on finalize is answered 405, malformed.", get, CF_PENDING,
      CF_FINALIZE_URL },
    { "6.3.get-authorization", "[8555-6.3-1]", "GET on an authorization is answered 405, malformed.", get, CF_PENDING,
      CF_AUTHORIZATION_URL },
    { "6.3.get-challenge", "[8555-6.3-1]", "GET on a challenge is answered 405, malformed.", get, CF_PENDING,
      CF_CHALLENGE_URL },
    { "6.3.get-certificate", "[8555-6.3-1]", "GET on a certificate is answered 405, malformed.", get, CF_ISSUED,
      CF_CERTIFICATE_URL },
    { "6.3.put", "[8555-6.3-1]", "PUT on an order is answered 405.", other_method, CF_PENDING, .text = "PUT" },
    { "6.3.delete", "[8555-6.3-1]", "DELETE on an order is answered 405.", other_method, CF_PENDING, .text = "DELETE" },
    { "6.3.says-allowed", "", "A 405 has an Allow header that names POST (RFC 9110 §15.5.6).", says_allowed },
    { "6.3.directory", "[8555-6.3-7]", "POST-as-GET works on the directory.", post_as_get_directory, CF_FIRST },
    { "6.3.new-nonce", "[8555-6.3-7]", "POST-as-GET works on newNonce.", post_as_get_nonce, CF_FIRST },
    { "6.3.account", "[8555-6.3-5]", "POST-as-GET works on an account.", post_as_get, CF_FIRST, CF_ACCOUNT_URL },
    { "6.3.orders", "[8555-6.3-5]", "POST-as-GET works on a list of orders.", post_as_get, CF_FIRST, CF_ORDERS_URL },
    { "6.3.order", "[8555-6.3-5]", "POST-as-GET works on an order.", post_as_get, CF_PENDING, CF_ORDER_URL },
    { "6.3.authorization", "[8555-6.3-5]", "POST-as-GET works on an authorization.", post_as_get, CF_PENDING,
      CF_AUTHORIZATION_URL },
    { "6.3.challenge", "[8555-6.3-5]", "POST-as-GET works on a challenge.", post_as_get, CF_PENDING, CF_CHALLENGE_URL },
    { "6.3.certificate", "[8555-6.3-5]", "POST-as-GET works on a certificate.", post_as_get, CF_ISSUED,
      CF_CERTIFICATE_URL },
    { "6.3.looking-starts-nothing", "[8555-6.3-5]", "POST-as-GET on a challenge does not start its validation.",
      looking_starts_nothing, CF_PENDING },
    { "6.3.payload-for-order", "", "An order refuses the payload {}.", payload_refused, CF_PENDING, CF_ORDER_URL,
      "{}" },
    { "6.3.payload-for-orders", "", "A list of orders refuses the payload {}.", payload_refused, CF_FIRST,
      CF_ORDERS_URL, "{}" },
    { "6.3.payload-for-certificate", "", "A certificate refuses the payload {}.", payload_refused, CF_ISSUED,
      CF_CERTIFICATE_URL, "{}" },
    { "6.3.no-payload-for-new-order", "[8555-7.4-2]", "newOrder refuses an empty payload.", payload_refused, CF_FIRST,
      CF_NEW_ORDER_URL },
    { "6.3.no-payload-for-finalize", "[8555-7.4-5]", "finalize refuses an empty payload.", payload_refused, CF_PENDING,
      CF_FINALIZE_URL },
};

CF_GROUP(https, "RFC 8555", "6.1,6.3", "HTTPS, methods and POST-as-GET");

static const struct cf_check foreign_checks[] = {
    { "6.3.foreign-account", "[8555-6.3-4]", "An account is not shown to another account.", foreign,
      CF_FIRST | CF_SECOND, CF_ACCOUNT_URL },
    { "6.3.foreign-orders", "[8555-6.3-4]", "A list of orders is not shown to another account.", foreign,
      CF_FIRST | CF_SECOND, CF_ORDERS_URL },
    { "6.3.foreign-order", "[8555-6.3-4]", "An order is not shown to another account.", foreign, SHARED, CF_ORDER_URL },
    { "6.3.foreign-authorization", "[8555-6.3-4]", "An authorization is not shown to another account.", foreign, SHARED,
      CF_AUTHORIZATION_URL },
    { "6.3.foreign-challenge", "[8555-6.3-4]", "A challenge is not shown to another account.", foreign, SHARED,
      CF_CHALLENGE_URL },
    { "6.3.foreign-certificate", "[8555-6.3-4]", "A certificate is not given to another account.", foreign,
      CF_ISSUED | CF_SECOND, CF_CERTIFICATE_URL },
    { "6.3.foreign-finalize", "[8555-6.3-4]", "An order cannot be finalized by another account.", foreign_finalize,
      SHARED },
    { "7.5.1.foreign-response", "[8555-6.3-4]", "A challenge cannot be responded to by another account.",
      foreign_challenge, SHARED },
    { "7.3.2.foreign-update", "[8555-6.3-4]", "An account cannot be changed by another account.", foreign_update,
      CF_FIRST, CF_ACCOUNT_URL, "{\"contact\":[\"mailto:stranger@example.com\"]}" },
    { "7.3.6.foreign-deactivation", "[8555-7.3.6-2]", "An account cannot be deactivated by another account.",
      foreign_update, CF_FIRST, CF_ACCOUNT_URL, "{\"status\":\"deactivated\"}" },
    { "7.5.2.foreign-deactivation", "[8555-7.5.2-1]", "An authorization cannot be deactivated by another account.",
      foreign_update, CF_PENDING, CF_AUTHORIZATION_URL, "{\"status\":\"deactivated\"}" },
};

CF_GROUP(foreign, "RFC 8555", "6.3", "what belongs to another account");
