#include "ca/chain.h"

#include "ca/files.h"
#include "ca/issuer.h"
#include "ca/key.h"
#include "ca/why.h"

#include <openssl/err.h>
#include <stdio.h>

enum { MAX_NAME_BYTES = 40, FILE_NAME_SIZE = 40 };
enum { DAY_S = 86400, ROOT_DAYS = 10957, INTERMEDIATE_DAYS = 3652 }; /* 30 and 10 years */

/* in the order in which they are written; the key first, so that no certificate stands there without its key */
#define FILE_TABLE(X)                                                                                                  \
    X(ROOT_KEY, "root-key", FILE_MODE_KEY)                                                                             \
    X(ROOT, "root", FILE_MODE_CERTIFICATE)                                                                             \
    X(INTERMEDIATE_KEY, "intermediate-key", FILE_MODE_KEY)                                                             \
    X(INTERMEDIATE, "intermediate", FILE_MODE_CERTIFICATE)

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

/* The PEM texts of one chain, made or read, and the names of their files: root.pem, root-1.pem, … */
struct material {
    unsigned number;
    char name[FILES][FILE_NAME_SIZE];
    struct buf text[FILES];
};

/* The issuing key belongs to chain 0; the others have its text, but not its file. */
static bool owns(const struct material *material, int file)
{
    return file != INTERMEDIATE_KEY || material->number == 0;
}

static void material_start(struct material *material, unsigned number)
{
    material->number = number;
    for (int i = 0; i < FILES; i++) {
        material->text[i] = BUF_INIT(CA_TEXT_MAX);
        if (number > 0 && owns(material, i))
            snprintf(material->name[i], FILE_NAME_SIZE, "%s-%u.pem", files[i].name, number);
        else
            snprintf(material->name[i], FILE_NAME_SIZE, "%s.pem", files[i].name);
    }
}

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
        .cert_name = material->name[recipe->cert_file],
        .key_name = material->name[recipe->key_file],
        .cert = buf_bytes(&material->text[recipe->cert_file]),
        .key = buf_bytes(&material->text[recipe->key_file]),
    };
}

/* A day back, so that leaves backdated for slow clocks lie within. */
static int64_t valid_from_s(const struct ca_options *options)
{
    return world_now_ms(options->world) / 1000 - DAY_S;
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
    int64_t from_s = valid_from_s(options);
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

/* It ends with the intermediate it stands in for, so that a leaf's lifetime does not depend on the chain. */
static bool make_cross(const struct ca_options *options, const struct issuer *root, const struct issuer *issuer,
                       struct material *material, char why[static CA_WHY_SIZE])
{
    char serial[CA_SERIAL_TEXT_SIZE];
    struct cert_dates dates = { valid_from_s(options), issuer->not_after_s };
    ca_make_serial(options->world, serial);
    AUTO_TYPE(X509) cert = cert_cross_sign(issuer->cert, dates, serial, root);
    bool made = cert != NULL && cert_write(cert, &material->text[INTERMEDIATE]);
    ERR_clear_error();
    return made || why_fail(why, "OpenSSL cannot make %s", material->name[INTERMEDIATE]);
}

static bool material_make(const struct ca_options *options, const struct issuer *issuer, struct material *material,
                          char why[static CA_WHY_SIZE])
{
    size_t len = strlen(options->name);
    if (len == 0 || len > MAX_NAME_BYTES)
        return why_fail(why, "the CA's name must have 1 to %d bytes", MAX_NAME_BYTES);
    TRY(make_pair(options, &root_recipe, NULL, material, why));
    AUTO_ISSUER root = { 0 };
    struct issuer_texts texts = texts_of(material, &root_recipe);
    TRY(issuer_read(&texts, world_now_ms(options->world), &root, why));
    return material->number == 0 ? make_pair(options, &intermediate_recipe, &root, material, why)
                                 : make_cross(options, &root, issuer, material, why);
}

static bool material_write(const char *directory, const struct material *material, char why[static CA_WHY_SIZE])
{
    struct file_to_write list[FILES];
    size_t count = 0;
    for (int i = 0; i < FILES; i++)
        if (owns(material, i))
            list[count++] = (struct file_to_write) { material->name[i], buf_bytes(&material->text[i]), files[i].mode };
    return files_write(directory, list, count, why);
}

static bool material_read(const char *directory, struct material *material, char why[static CA_WHY_SIZE])
{
    for (int i = 0; i < FILES; i++) {
        if (!owns(material, i))
            continue;
        if (!files_exists(directory, material->name[i]))
            return why_fail(why, "%s is missing", material->name[i]);
        TRY(files_read(directory, material->name[i], &material->text[i], why));
    }
    return true;
}

static bool check_signed_by(const struct issuer *issuer, X509 *cert, const struct material *material, enum file file,
                            char why[static CA_WHY_SIZE])
{
    bool good = X509_check_issued(issuer->cert, cert) == X509_V_OK && X509_verify(cert, issuer->key) == 1;
    ERR_clear_error();
    return good || why_fail(why, "%s is not signed by %s", material->name[file], material->name[ROOT]);
}

/* A leaf names its issuer by subject and key identifier: with others it would not lie under this certificate. */
static bool check_stands_in(X509 *cert, const struct issuer *issuer, const struct material *material,
                            char why[static CA_WHY_SIZE])
{
    bool good = X509_NAME_cmp(X509_get_subject_name(cert), X509_get_subject_name(issuer->cert)) == 0 &&
                ASN1_OCTET_STRING_cmp(X509_get0_subject_key_id(cert), issuer->key_id) == 0;
    return good || why_fail(why, "%s has another subject or key identifier than %s.pem", material->name[INTERMEDIATE],
                            files[INTERMEDIATE].name);
}

/* Takes what a material says; the root's key is checked and forgotten. */
static bool adopt(const struct material *material, int64_t now_ms, struct issuer *issuer, struct chain *out,
                  char why[static CA_WHY_SIZE])
{
    AUTO_ISSUER root = { 0 };
    AUTO_ISSUER own = { 0 };
    struct issuer_texts root_texts = texts_of(material, &root_recipe);
    struct issuer_texts texts = texts_of(material, &intermediate_recipe);
    TRY(issuer_read(&root_texts, now_ms, &root, why));
    TRY(check_signed_by(&root, root.cert, material, ROOT, why));
    TRY(issuer_read(&texts, now_ms, &own, why));
    TRY(material->number == 0 || check_stands_in(own.cert, issuer, material, why));
    TRY(check_signed_by(&root, own.cert, material, INTERMEDIATE, why));
    AUTO_BUF(root_pem, CA_TEXT_MAX);
    AUTO_BUF(pem, CA_TEXT_MAX);
    if (!cert_write(root.cert, &root_pem) || !cert_write(own.cert, &pem))
        return why_fail(why, "out of memory");
    if (material->number == 0) {
        *issuer = own;
        own = (struct issuer) { 0 };
    }
    size_t len;
    *out = (struct chain) { buf_take(&root_pem, &len), buf_take(&pem, &len) };
    return true;
}

static bool any_exists(const char *directory, const struct material *material)
{
    for (int i = 0; i < FILES; i++)
        if (owns(material, i) && files_exists(directory, material->name[i]))
            return true;
    return false;
}

static bool advise(const char *directory, const struct material *material, char why[static CA_WHY_SIZE])
{
    if (material->number == 0)
        return why_add(why, "; put the right file there, or move %s away to have a new authority made", directory);
    return why_add(why, "; put the right file there, or move %s, %s and %s away to have new ones made",
                   material->name[ROOT_KEY], material->name[ROOT], material->name[INTERMEDIATE]);
}

bool ca_exists(const char *directory)
{
    AUTO_MATERIAL material = { 0 };
    material_start(&material, 0);
    return any_exists(directory, &material);
}

bool chain_open(const struct ca_options *options, unsigned number, struct issuer *issuer, struct chain *out,
                char why[static CA_WHY_SIZE])
{
    AUTO_MATERIAL material = { 0 };
    const char *directory = options->directory;
    int64_t now_ms = world_now_ms(options->world);
    material_start(&material, number);
    if (number > 0 && !key_write(issuer->key, &material.text[INTERMEDIATE_KEY]))
        return why_fail(why, "out of memory");
    if (directory == NULL)
        return material_make(options, issuer, &material, why) && adopt(&material, now_ms, issuer, out, why);
    if (!any_exists(directory, &material))
        return material_make(options, issuer, &material, why) && material_write(directory, &material, why) &&
               adopt(&material, now_ms, issuer, out, why);
    return (material_read(directory, &material, why) && adopt(&material, now_ms, issuer, out, why)) ||
           advise(directory, &material, why);
}

void chain_clear(struct chain *chain)
{
    free(chain->root_pem);
    free(chain->pem);
}
