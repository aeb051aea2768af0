#include "ca/files.h"
#include "ca/issuer.h"
#include "ca/key.h"
#include "ca/why.h"

#include <openssl/err.h>
#include <stdio.h>

enum { DAY_S = 86400, HOUR_S = 3600, AUTHORITY_DAYS = 3652, LEAF_DAYS = 397, RENEW_DAYS = 30, MAX_NAMES = 100 };

static const char authority_name[] = "ca.pem", authority_key_name[] = "ca-key.pem";
static const char leaf_name[] = "cert.pem", leaf_key_name[] = "key.pem";

struct names {
    struct acme_identifier list[MAX_NAMES];
    size_t count;
};

struct opening {
    const char *directory;
    const struct names *names;
    const struct world *world;
    int64_t now_s;
};

static bool read_names(struct arena *arena, const char *const *texts, size_t count, struct names *out,
                       char why[static CA_WHY_SIZE])
{
    if (count == 0 || count > MAX_NAMES)
        return why_fail(why, "%zu names for the server's certificate; it has 1 to %d", count, MAX_NAMES);
    for (size_t i = 0; i < count; i++) {
        char reason[IDENTIFIER_WHY_SIZE], reason_ip[IDENTIFIER_WHY_SIZE];
        struct acme_identifier *name = &out->list[out->count++];
        if (!identifier_make(arena, IDENTIFIER_IP, bytes_text(texts[i]), name, reason_ip) &&
            !identifier_make(arena, IDENTIFIER_DNS, bytes_text(texts[i]), name, reason))
            return why_fail(why, "the server's certificate cannot name \"%s\": %s", texts[i], reason);
    }
    return true;
}

static bool write_pair(const char *directory, const char *cert_name, struct bytes cert, const char *key_name,
                       struct bytes key, char why[static CA_WHY_SIZE])
{
    struct file_to_write list[] = {
        { key_name, key, FILE_MODE_KEY },
        { cert_name, cert, FILE_MODE_CERTIFICATE },
    };
    return files_write(directory, list, ARRAY_SIZE(list), why);
}

static bool make_authority(const struct opening *opening, struct buf *cert_pem, struct buf *key_pem,
                           char why[static CA_WHY_SIZE])
{
    uint8_t mark[3];
    char common_name[64], serial[CA_SERIAL_TEXT_SIZE];
    world_random(opening->world, mark, sizeof mark);
    snprintf(common_name, sizeof common_name, "Caraway HTTPS CA %02x%02x%02x", mark[0], mark[1], mark[2]);
    ca_make_serial(opening->world, serial);
    int64_t from_s = opening->now_s - DAY_S;
    struct cert_authority authority = {
        .organisation = "Caraway",
        .common_name = common_name,
        .path_length = 0,
        .dates = { from_s, from_s + (int64_t)AUTHORITY_DAYS * DAY_S - 1 },
        .serial = serial,
    };
    AUTO_TYPE(EVP_PKEY) key = ca_key_make(CA_KEY_P256);
    AUTO_TYPE(X509) cert = key == NULL ? NULL : cert_make_authority(&authority, key, NULL);
    buf_clear(cert_pem);
    buf_clear(key_pem);
    if (cert == NULL || !cert_write(cert, cert_pem) || !key_write(key, key_pem))
        return why_fail(why, "OpenSSL cannot make the HTTPS authority");
    return write_pair(opening->directory, authority_name, buf_bytes(cert_pem), authority_key_name, buf_bytes(key_pem),
                      why);
}

static bool read_pair(const char *directory, const char *cert_name, const char *key_name, struct buf *cert_pem,
                      struct buf *key_pem, char why[static CA_WHY_SIZE])
{
    return files_read(directory, cert_name, cert_pem, why) && files_read(directory, key_name, key_pem, why);
}

static bool read_authority(const struct opening *opening, struct buf *cert_pem, struct buf *key_pem, struct issuer *out,
                           char why[static CA_WHY_SIZE])
{
    TRY(read_pair(opening->directory, authority_name, authority_key_name, cert_pem, key_pem, why));
    struct issuer_texts texts = { authority_name, authority_key_name, buf_bytes(cert_pem), buf_bytes(key_pem) };
    return issuer_read(&texts, 0, out, why);
}

static bool renewal_due(const struct opening *opening, int64_t not_after_s)
{
    return not_after_s - opening->now_s < RENEW_DAYS * DAY_S;
}

static bool open_authority(const struct opening *opening, struct buf *cert_pem, struct issuer *out,
                           char why[static CA_WHY_SIZE])
{
    AUTO_SECRET(key_pem);
    const char *directory = opening->directory;
    bool exists = files_exists(directory, authority_name) || files_exists(directory, authority_key_name);
    if (exists && !read_authority(opening, cert_pem, &key_pem, out, why))
        return why_add(why, "; restore it, or delete %s and %s in %s to have them made anew", authority_name,
                       authority_key_name, directory);
    if (exists && !renewal_due(opening, out->not_after_s))
        return true;
    issuer_clear(out);
    TRY(make_authority(opening, cert_pem, &key_pem, why));
    struct issuer_texts texts = { authority_name, authority_key_name, buf_bytes(cert_pem), buf_bytes(&key_pem) };
    return issuer_read(&texts, opening->now_s * 1000, out, why);
}

static bool has_name(const GENERAL_NAMES *names, const struct acme_identifier *wanted)
{
    GENERAL_NAME *name = cert_general_name(wanted);
    bool found = false;
    for (int i = 0; name != NULL && !found && i < sk_GENERAL_NAME_num(names); i++)
        found = GENERAL_NAME_cmp(sk_GENERAL_NAME_value(names, i), name) == 0;
    GENERAL_NAME_free(name);
    return found;
}

static bool leaf_serves(const struct opening *opening, X509 *cert, const struct issuer *authority)
{
    TRY(X509_check_issued(authority->cert, cert) == X509_V_OK && X509_verify(cert, authority->key) == 1);
    TRY(cert_seconds(X509_get0_notBefore(cert)) <= opening->now_s);
    TRY(!renewal_due(opening, cert_seconds(X509_get0_notAfter(cert))));
    AUTO_TYPE(GENERAL_NAMES) names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (size_t i = 0; i < opening->names->count; i++)
        TRY(has_name(names, &opening->names->list[i]));
    return true;
}

/* A leaf that is missing, damaged or does not serve is no error: it is made anew. */
static bool leaf_usable(const struct opening *opening, const struct issuer *authority, struct buf *cert_pem,
                        struct buf *key_pem)
{
    char why[CA_WHY_SIZE];
    TRY(read_pair(opening->directory, leaf_name, leaf_key_name, cert_pem, key_pem, why));
    AUTO_ISSUER pair = { 0 };
    struct issuer_texts texts = { leaf_name, leaf_key_name, buf_bytes(cert_pem), buf_bytes(key_pem) };
    return issuer_pair(&texts, &pair, why) && leaf_serves(opening, pair.cert, authority);
}

static bool make_leaf_cert(const struct opening *opening, const struct issuer *authority, EVP_PKEY *key,
                           struct buf *out_pem)
{
    unsigned char *key_info = NULL;
    int key_info_len = i2d_PUBKEY(key, &key_info);
    TRY(key_info_len > 0);
    char serial[CA_SERIAL_TEXT_SIZE];
    ca_make_serial(opening->world, serial);
    int64_t from_s = opening->now_s - HOUR_S, until_s = from_s + (int64_t)LEAF_DAYS * DAY_S - 1;
    struct cert_leaf leaf = {
        .key_info = bytes_of(key_info, (size_t)key_info_len),
        .identifiers = opening->names->list,
        .identifier_count = opening->names->count,
        .dates = { from_s, until_s < authority->not_after_s ? until_s : authority->not_after_s },
        .serial = serial,
    };
    AUTO_BUF(der, CA_TEXT_MAX);
    bool made = cert_make_leaf(&leaf, authority, &der);
    OPENSSL_free(key_info);
    TRY(made);
    crypto_pem(out_pem, "CERTIFICATE", buf_bytes(&der));
    return !out_pem->failed;
}

static bool make_leaf(const struct opening *opening, const struct issuer *authority, struct buf *cert_pem,
                      struct buf *key_pem, char why[static CA_WHY_SIZE])
{
    AUTO_TYPE(EVP_PKEY) key = ca_key_make(CA_KEY_P256);
    buf_clear(cert_pem);
    buf_clear(key_pem);
    if (key == NULL || !make_leaf_cert(opening, authority, key, cert_pem) || !key_write(key, key_pem))
        return why_fail(why, "OpenSSL cannot make the server's certificate");
    return write_pair(opening->directory, leaf_name, buf_bytes(cert_pem), leaf_key_name, buf_bytes(key_pem), why);
}

static bool open_all(const struct opening *opening, struct ca_tls *out, char why[static CA_WHY_SIZE])
{
    AUTO_ISSUER authority = { 0 };
    AUTO_BUF(ca_pem, CA_TEXT_MAX);
    AUTO_BUF(cert_pem, CA_TEXT_MAX);
    AUTO_SECRET(key_pem);
    TRY(files_make_directory(opening->directory, why));
    TRY(open_authority(opening, &ca_pem, &authority, why));
    TRY(leaf_usable(opening, &authority, &cert_pem, &key_pem) ||
        make_leaf(opening, &authority, &cert_pem, &key_pem, why));
    size_t len;
    *out = (struct ca_tls) { buf_take(&ca_pem, &len), buf_take(&cert_pem, &len), buf_take(&key_pem, &len) };
    return true;
}

bool ca_tls_open(const char *directory, const char *const *names, size_t name_count, const struct world *world,
                 struct ca_tls *out, char why[static CA_WHY_SIZE])
{
    AUTO(arena) arena = arena_create(MAX_NAMES * (IDENTIFIER_MAX_BYTES + 64));
    if (arena == NULL)
        return why_fail(why, "out of memory");
    struct names list = { 0 };
    TRY(read_names(arena, names, name_count, &list, why));
    struct opening opening = { directory, &list, world, world_now_ms(world) / 1000 };
    bool opened = open_all(&opening, out, why);
    ERR_clear_error();
    return opened;
}

void ca_tls_clear(struct ca_tls *tls)
{
    free(tls->ca_pem);
    free(tls->cert_pem);
    if (tls->key_pem != NULL)
        explicit_bzero(tls->key_pem, strlen(tls->key_pem));
    free(tls->key_pem);
    *tls = (struct ca_tls) { 0 };
}
