#include "ca/ca.h"

#include "ca/files.h"
#include "ca/issuer.h"
#include "ca/key.h"
#include "ca/signer.h"
#include "ca/why.h"

#include "base/encode.h"

#include <openssl/err.h>
#include <stdio.h>

enum { KEY_ID_TEXT_SIZE = 2 * 32 + 1, MAX_THREADS = 256, MAX_NAME_BYTES = 40 };
enum { DAY_S = 86400, ROOT_DAYS = 10957, INTERMEDIATE_DAYS = 3652 }; /* 30 and 10 years */

/* in the order in which they are written; the key first, so that no certificate stands there without its key */
#define FILE_TABLE(X)                                                                                                  \
    X(ROOT_KEY, "root-key.pem", FILE_MODE_KEY)                                                                         \
    X(ROOT, "root.pem", FILE_MODE_CERTIFICATE)                                                                         \
    X(INTERMEDIATE_KEY, "intermediate-key.pem", FILE_MODE_KEY)                                                         \
    X(INTERMEDIATE, "intermediate.pem", FILE_MODE_CERTIFICATE)

enum file {
#define X(name, text, mode) name,
    FILE_TABLE(X)
#undef X
        FILES
};
static const struct {
    const char *name;
    mode_t mode;
} files[FILES] = {
#define X(name, text, mode) [name] = { text, mode },
    FILE_TABLE(X)
#undef X
};

struct ca {
    struct issuer issuer;
    struct signer *signer;
    char *root_pem, *chain_pem;
    char issuer_id[KEY_ID_TEXT_SIZE];
};

/* The four PEM texts, made or read. */
struct material {
    struct buf text[FILES];
};

static void material_free(struct material *material)
{
    for (int i = 0; i < FILES; i++)
        secret_free(&material->text[i]);
}
#define AUTO_MATERIAL __attribute__((cleanup(material_free))) struct material

/* What one of the two authorities is made of. */
struct recipe {
    const char *role;
    int path_length;
    int days;
    enum file key_file, cert_file;
};
static const struct recipe root_recipe = { "Root", CERT_PATH_UNLIMITED, ROOT_DAYS, ROOT_KEY, ROOT };
static const struct recipe intermediate_recipe = { "Intermediate", 0, INTERMEDIATE_DAYS, INTERMEDIATE_KEY,
                                                   INTERMEDIATE };

static struct issuer_texts texts_of(const struct material *material, const struct recipe *recipe)
{
    return (struct issuer_texts) {
        .cert_name = files[recipe->cert_file].name,
        .key_name = files[recipe->key_file].name,
        .cert = buf_bytes(&material->text[recipe->cert_file]),
        .key = buf_bytes(&material->text[recipe->key_file]),
    };
}

static X509 *make_cert(const struct ca_options *options, const struct recipe *recipe, EVP_PKEY *key,
                       const struct issuer *issuer)
{
    uint8_t mark[3];
    char common_name[MAX_NAME_BYTES + 32], serial[CA_SERIAL_TEXT_SIZE];
    world_random(options->world, mark, sizeof mark);
    snprintf(common_name, sizeof common_name, "%s %s CA %02x%02x%02x", options->name, recipe->role, mark[0], mark[1],
             mark[2]);
    ca_make_serial(options->world, serial);
    /* a day back, so that leaves backdated for slow clocks lie within */
    int64_t from_s = world_now_ms(options->world) / 1000 - DAY_S;
    struct cert_authority authority = {
        .organisation = options->name,
        .common_name = common_name,
        .path_length = recipe->path_length,
        .dates = { from_s, from_s + (int64_t)recipe->days * DAY_S - 1 },
        .serial = serial,
    };
    return cert_make_authority(&authority, key, issuer);
}

static bool make_pair(const struct ca_options *options, const struct recipe *recipe, const struct issuer *issuer,
                      struct material *material, char why[static CA_WHY_SIZE])
{
    AUTO_TYPE(EVP_PKEY) key = ca_key_make(options->key_type);
    AUTO_TYPE(X509) cert = key == NULL ? NULL : make_cert(options, recipe, key, issuer);
    bool made = cert != NULL && key_write(key, &material->text[recipe->key_file]) &&
                cert_write(cert, &material->text[recipe->cert_file]);
    ERR_clear_error();
    return made || why_fail(why, "OpenSSL cannot make the %s certificate", recipe->role);
}

static bool material_make(const struct ca_options *options, struct material *material, char why[static CA_WHY_SIZE])
{
    size_t len = strlen(options->name);
    if (len == 0 || len > MAX_NAME_BYTES)
        return why_fail(why, "the CA's name must have 1 to %d bytes", MAX_NAME_BYTES);
    TRY(make_pair(options, &root_recipe, NULL, material, why));
    AUTO_ISSUER root = { 0 };
    struct issuer_texts texts = texts_of(material, &root_recipe);
    TRY(issuer_read(&texts, world_now_ms(options->world), &root, why));
    return make_pair(options, &intermediate_recipe, &root, material, why);
}

static bool material_write(const char *directory, const struct material *material, char why[static CA_WHY_SIZE])
{
    struct file_to_write list[FILES];
    for (int i = 0; i < FILES; i++)
        list[i] = (struct file_to_write) { files[i].name, buf_bytes(&material->text[i]), files[i].mode };
    return files_write(directory, list, FILES, why);
}

static bool material_read(const char *directory, struct material *material, char why[static CA_WHY_SIZE])
{
    for (int i = 0; i < FILES; i++) {
        if (!files_exists(directory, files[i].name))
            return why_fail(why, "%s is missing", files[i].name);
        TRY(files_read(directory, files[i].name, &material->text[i], why));
    }
    return true;
}

static bool check_signed_by(const struct issuer *issuer, X509 *cert, const char *name, char why[static CA_WHY_SIZE])
{
    bool good = X509_check_issued(issuer->cert, cert) == X509_V_OK && X509_verify(cert, issuer->key) == 1;
    ERR_clear_error();
    return good || why_fail(why, "%s is not signed by %s", name, files[ROOT].name);
}

/* Takes what a material says into the CA; the root's key is checked and forgotten. */
static bool adopt(struct ca *ca, const struct material *material, int64_t now_ms, char why[static CA_WHY_SIZE])
{
    AUTO_ISSUER root = { 0 };
    struct issuer_texts root_texts = texts_of(material, &root_recipe);
    struct issuer_texts texts = texts_of(material, &intermediate_recipe);
    TRY(issuer_read(&root_texts, now_ms, &root, why));
    TRY(check_signed_by(&root, root.cert, files[ROOT].name, why));
    TRY(issuer_read(&texts, now_ms, &ca->issuer, why));
    TRY(check_signed_by(&root, ca->issuer.cert, files[INTERMEDIATE].name, why));
    AUTO_BUF(root_pem, CA_TEXT_MAX);
    AUTO_BUF(chain_pem, CA_TEXT_MAX);
    AUTO_BUF(id, KEY_ID_TEXT_SIZE);
    buf_hex(&id, bytes_of(ASN1_STRING_get0_data(ca->issuer.key_id), (size_t)ASN1_STRING_length(ca->issuer.key_id)));
    if (!cert_write(root.cert, &root_pem) || !cert_write(ca->issuer.cert, &chain_pem) || id.failed)
        return why_fail(why, "out of memory, or a key identifier longer than 32 bytes");
    snprintf(ca->issuer_id, sizeof ca->issuer_id, "%s", buf_str(&id));
    size_t len;
    ca->root_pem = buf_take(&root_pem, &len);
    ca->chain_pem = buf_take(&chain_pem, &len);
    return true;
}

static bool any_exists(const char *directory)
{
    for (int i = 0; i < FILES; i++)
        if (files_exists(directory, files[i].name))
            return true;
    return false;
}

static bool open_directory(const struct ca_options *options, struct material *material, struct ca *ca,
                           char why[static CA_WHY_SIZE])
{
    const char *directory = options->directory;
    int64_t now_ms = world_now_ms(options->world);
    TRY(files_make_directory(directory, why));
    if (!any_exists(directory))
        return material_make(options, material, why) && material_write(directory, material, why) &&
               adopt(ca, material, now_ms, why);
    if (material_read(directory, material, why) && adopt(ca, material, now_ms, why))
        return true;
    return why_add(why, "; put the right file there, or move %s away to have a new authority made", directory);
}

static bool open_memory(const struct ca_options *options, struct material *material, struct ca *ca,
                        char why[static CA_WHY_SIZE])
{
    return material_make(options, material, why) && adopt(ca, material, world_now_ms(options->world), why);
}

bool ca_open(const struct ca_options *options, struct ca **out, char why[static CA_WHY_SIZE])
{
    CHECK(options->threads > 0 && options->threads <= MAX_THREADS);
    AUTO_MATERIAL material;
    for (int i = 0; i < FILES; i++)
        material.text[i] = BUF_INIT(CA_TEXT_MAX);
    AUTO(ca) ca = calloc(1, sizeof *ca);
    if (ca == NULL)
        return why_fail(why, "out of memory");
    TRY(options->directory != NULL ? open_directory(options, &material, ca, why)
                                   : open_memory(options, &material, ca, why));
    ca->signer = signer_start(&ca->issuer, options->threads);
    if (ca->signer == NULL)
        return why_fail(why, "cannot start %u signing threads", options->threads);
    *out = TAKE(ca);
    return true;
}

void ca_drop(struct ca *ca)
{
    if (ca == NULL)
        return;
    signer_drop(ca->signer);
    issuer_clear(&ca->issuer);
    free(ca->root_pem);
    free(ca->chain_pem);
    free(ca);
}

const char *ca_root_pem(const struct ca *ca)
{
    return ca->root_pem;
}

const char *ca_chain_pem(const struct ca *ca)
{
    return ca->chain_pem;
}

const char *ca_issuer_id(const struct ca *ca)
{
    return ca->issuer_id;
}

void ca_submit(struct ca *ca, struct ca_request *request)
{
    signer_submit(ca->signer, request);
}
