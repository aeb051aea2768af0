#include "ca/ca.h"

#include "ca/chain.h"
#include "ca/files.h"
#include "ca/signer.h"
#include "ca/why.h"

#include "base/encode.h"

#include <stdio.h>

enum { KEY_ID_TEXT_SIZE = 2 * 32 + 1, MAX_THREADS = 256 };

struct ca {
    struct issuer issuer;
    struct signer *signer;
    struct chain chains[1 + CA_ALTERNATES_MAX];
    size_t chain_count;
    char issuer_id[KEY_ID_TEXT_SIZE];
};

static bool name_issuer(struct ca *ca, char why[static CA_WHY_SIZE])
{
    const ASN1_OCTET_STRING *key_id = ca->issuer.key_id;
    AUTO_BUF(id, KEY_ID_TEXT_SIZE - 1);
    buf_hex(&id, bytes_of(ASN1_STRING_get0_data(key_id), (size_t)ASN1_STRING_length(key_id)));
    if (id.failed)
        return why_fail(why, "out of memory, or a key identifier longer than 32 bytes");
    snprintf(ca->issuer_id, sizeof ca->issuer_id, "%s", buf_str(&id));
    return true;
}

bool ca_open(const struct ca_options *options, struct ca **out, char why[static CA_WHY_SIZE])
{
    CHECK(options->threads > 0 && options->threads <= MAX_THREADS && options->alternates <= CA_ALTERNATES_MAX);
    AUTO(ca) ca = calloc(1, sizeof *ca);
    if (ca == NULL)
        return why_fail(why, "out of memory");
    if (options->directory != NULL)
        TRY(files_make_directory(options->directory, why));
    for (; ca->chain_count <= options->alternates; ca->chain_count++)
        TRY(chain_open(options, (unsigned)ca->chain_count, &ca->issuer, &ca->chains[ca->chain_count], why));
    TRY(name_issuer(ca, why));
    (void)crypto_sha256(); /* now: the first signature may come when memory is short */
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
    for (size_t i = 0; i < ca->chain_count; i++)
        chain_clear(&ca->chains[i]);
    free(ca);
}

size_t ca_chain_count(const struct ca *ca)
{
    return ca->chain_count;
}

const char *ca_root_pem(const struct ca *ca, size_t n)
{
    CHECK(n < ca->chain_count);
    return ca->chains[n].root_pem;
}

const char *ca_chain_pem(const struct ca *ca, size_t n)
{
    CHECK(n < ca->chain_count);
    return ca->chains[n].pem;
}

const char *ca_issuer_id(const struct ca *ca)
{
    return ca->issuer_id;
}

void ca_submit(struct ca *ca, struct ca_request *request)
{
    signer_submit(ca->signer, request);
}
