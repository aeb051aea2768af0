#include "tests/validators/tls_server.h"

#include <errno.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACME_IDENTIFIER "1.3.6.1.5.5.7.1.31"

struct tls_server {
    struct tls_script script;
    SSL_CTX *tls;
    int fd, stop_fd;
    uint16_t port;
    pthread_t thread;
    struct tls_heard heard; /* of the thread */
};

static void add_text_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, NULL, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static void add_digest(X509 *certificate, enum tls_flaw flaw)
{
    uint8_t der[3 + SHA256_BYTES] = { V_ASN1_OCTET_STRING, SHA256_BYTES };
    int len = 2 + SHA256_BYTES;
    crypto_digest_sha256(bytes_text(KEY_AUTHORIZATION), der + 2);
    if (flaw == TLS_WRONG_DIGEST)
        der[10] ^= 1;
    if (flaw == TLS_DIGEST_OF_OTHER_TYPE)
        der[0] = V_ASN1_UTF8STRING;
    if (flaw == TLS_MORE_BEHIND_DIGEST)
        len++;
    if (flaw == TLS_SHORT_DIGEST)
        len = 1 + (der[1] = SHA256_BYTES - 1) + 1;
    if (flaw == TLS_LONG_DIGEST)
        len = 1 + (der[1] = SHA256_BYTES + 1) + 1;
    ASN1_OBJECT *oid = OBJ_txt2obj(ACME_IDENTIFIER, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(value, der, len), 1);
    X509_EXTENSION *extension = X509_EXTENSION_create_by_OBJ(NULL, oid, flaw != TLS_NOT_CRITICAL, value);
    for (int i = 0; i < (flaw == TLS_DOUBLE_EXTENSION ? 2 : 1); i++)
        assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(oid);
}

static void set_name(X509_NAME *name, const char *text)
{
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)text, -1, -1, 0), 1);
}

static void break_signature(X509 *certificate)
{
    const ASN1_BIT_STRING *signature;
    X509_get0_signature(&signature, NULL, certificate);
    ASN1_BIT_STRING *changed = (ASN1_BIT_STRING *)signature;
    changed->data[changed->length - 1] ^= 1;
}

X509 *tls_certificate(const struct tls_script *script, EVP_PKEY **out_key)
{
    X509 *certificate = X509_new();
    EVP_PKEY *key = EVP_EC_gen("P-256"), *other = EVP_EC_gen("P-256");
    assert_true(certificate != NULL && key != NULL && other != NULL);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), script->flaw == TLS_EXPIRED ? -60 : 3600);
    set_name(X509_get_subject_name(certificate), "challenge");
    set_name(X509_get_issuer_name(certificate), script->flaw == TLS_OTHER_ISSUER_NAME ? "other" : "challenge");
    X509_set_pubkey(certificate, key);
    for (int i = 0; script->names != NULL && i < (script->flaw == TLS_TWO_NAME_EXTENSIONS ? 2 : 1); i++)
        add_text_extension(certificate, NID_subject_alt_name, script->names);
    if (script->flaw != TLS_NO_EXTENSION)
        add_digest(certificate, script->flaw);
    assert_true(X509_sign(certificate, script->flaw == TLS_NOT_SELF_SIGNED ? other : key, EVP_sha256()) > 0);
    if (script->flaw == TLS_BROKEN_SIGNATURE)
        break_signature(certificate);
    EVP_PKEY_free(other);
    *out_key = key;
    return certificate;
}

static int choose_alpn(SSL *tls, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                       unsigned in_len, void *arg)
{
    const struct tls_script *script = arg;
    struct tls_server *server = SSL_get_app_data(tls);
    char *p = server != NULL ? server->heard.alpn : NULL, *end = p + TLS_NAME_SIZE;
    for (unsigned at = 0; p != NULL && at < in_len; at += 1U + in[at])
        p += snprintf(p, (size_t)(end - p), "%s%.*s", at == 0 ? "" : ",", in[at], (const char *)in + at + 1);
    if (script->alpn == NULL)
        return SSL_TLSEXT_ERR_NOACK;
    if (strcmp(script->alpn, "!") == 0)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = (const unsigned char *)script->alpn;
    *out_len = (unsigned char)strlen(script->alpn);
    return SSL_TLSEXT_ERR_OK;
}

static void listen_on(struct tls_server *server, SSL *tls, int fd)
{
    const char *name = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    struct timeval patience = { .tv_sec = TLS_PATIENCE_S };
    struct tls_heard *heard = &server->heard;
    char byte;
    snprintf(heard->sni, sizeof heard->sni, "%s", name != NULL ? name : "");
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    heard->data = SSL_read(tls, &byte, 1) == 1;
    ssize_t got = heard->data ? 1 : recv(fd, &byte, 1, 0);
    heard->closed = got == 0 || (got < 0 && errno == ECONNRESET);
}

static void serve(struct tls_server *server, int fd)
{
    SSL *tls = SSL_new(server->tls);
    assert_true(tls != NULL && SSL_set_fd(tls, fd) == 1);
    SSL_set_app_data(tls, server);
    if (SSL_accept(tls) == 1)
        listen_on(server, tls, fd);
    SSL_free(tls);
    close(fd);
}

static void *run(void *arg)
{
    struct tls_server *server = arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = server->fd, .events = POLLIN }, { .fd = server->stop_fd, .events = POLLIN } };
        poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            serve(server, fd);
    }
}

SSL_CTX *tls_server_context(const struct tls_script *script)
{
    EVP_PKEY *key;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    X509 *certificate = tls_certificate(script, &key);
    assert_int_equal(SSL_CTX_use_certificate(tls, certificate), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(tls, key), 1);
    SSL_CTX_set_max_proto_version(tls, script->max_version);
    SSL_CTX_set_min_proto_version(tls, script->max_version);
    SSL_CTX_set_security_level(tls, 0);
    SSL_CTX_set_alpn_select_cb(tls, choose_alpn, (void *)script);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return tls;
}

struct tls_server *tls_server_start(const struct tls_script *script)
{
    struct tls_server *server = calloc(1, sizeof *server);
    assert_non_null(server);
    server->script = *script;
    server->tls = tls_server_context(&server->script);
    server->fd = bound_socket(SOCK_STREAM, &server->port);
    server->stop_fd = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(listen(server->fd, SOMAXCONN), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, run, server), 0);
    return server;
}

uint16_t tls_server_port(const struct tls_server *server)
{
    return server->port;
}

void tls_server_stop(struct tls_server *server, struct tls_heard *out)
{
    assert_int_equal(write(server->stop_fd, &(uint64_t) { 1 }, 8), 8);
    pthread_join(server->thread, NULL);
    close(server->fd);
    close(server->stop_fd);
    SSL_CTX_free(server->tls);
    *out = server->heard;
    free(server);
}
