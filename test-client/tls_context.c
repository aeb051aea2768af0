#include "test-client/tls_context.h"

#include <openssl/err.h>
#include <stdio.h>

SSL_CTX *tls_context_create(void)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return context;
}

static int choose_http(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *list,
                       unsigned len, void *arg)
{
    (void)ssl;
    (void)arg;
    static const unsigned char http[] = "\x08http/1.1"; /* with its length in front */
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_len, http, sizeof http - 1, list, len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *create_for_http(void)
{
    SSL_CTX *context = tls_context_create();
    if (context != NULL)
        SSL_CTX_set_alpn_select_cb(context, choose_http, NULL);
    return context;
}

bool tls_certificate_begin(X509 *certificate, EVP_PKEY *key, const char *common_name)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_set_version(certificate, X509_VERSION_3) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name, -1, -1, 0) == 1 &&
           X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notBefore(certificate), "20000101000000Z") == 1 &&
           ASN1_TIME_set_string_X509(X509_getm_notAfter(certificate), "20991231235959Z") == 1;
}

SSL_CTX *tls_context_self_signed(const char *common_name)
{
    AUTO_TYPE(EVP_PKEY) key = EVP_EC_gen("P-256");
    AUTO_TYPE(X509) certificate = X509_new();
    SSL_CTX *context = create_for_http();
    if (key != NULL && certificate != NULL && context != NULL && tls_certificate_begin(certificate, key, common_name) &&
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1 &&
        X509_sign(certificate, key, crypto_sha256()) != 0 && SSL_CTX_use_certificate(context, certificate) == 1 &&
        SSL_CTX_use_PrivateKey(context, key) == 1)
        return context;
    SSL_CTX_free(context);
    return NULL;
}

static bool load(SSL_CTX *context, const char *certificate_file, const char *key_file,
                 char why[static TLS_CONTEXT_WHY_SIZE])
{
    const char *file = certificate_file;
    if (SSL_CTX_use_certificate_chain_file(context, certificate_file) == 1) {
        file = key_file;
        if (SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1)
            return true; /* which has checked that the two belong together */
    }
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(why, TLS_CONTEXT_WHY_SIZE, "%.150s: %.80s", file, reason != NULL ? reason : "not usable");
    ERR_clear_error();
    return false;
}

bool tls_context_load(const char *certificate_file, const char *key_file, SSL_CTX **out,
                      char why[static TLS_CONTEXT_WHY_SIZE])
{
    SSL_CTX *context = create_for_http();
    snprintf(why, TLS_CONTEXT_WHY_SIZE, "out of memory");
    if (context == NULL || !load(context, certificate_file, key_file, why)) {
        SSL_CTX_free(context);
        return false;
    }
    *out = context;
    return true;
}
