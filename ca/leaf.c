#include "ca/leaf.h"

#include "base/memory.h"
#include "ca/why.h"

#include <openssl/err.h>

/* Baseline Requirements §6.3.2 */
enum { DAY_S = 86400, MAX_LIFETIME_S = 398 * DAY_S, LEAF_MAX_BYTES = 128 * 1024 };

/* Only hours before 1970 would round the wrong way by a division. */
static int64_t seconds(int64_t ms)
{
    return ms >= 0 ? ms / 1000 : (ms - 999) / 1000;
}

static bool names_allowed(const struct ca_request *request, char why[static CA_WHY_SIZE])
{
    size_t count = request->identifier_count;
    if (count == 0 || count > CSR_MAX_NAMES)
        return why_fail(why, "%zu names; a certificate has 1 to %d", count, CSR_MAX_NAMES);
    const char *common_name = csr_common_name(request->csr);
    if (common_name == NULL)
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcmp(request->identifiers[i].value, common_name) == 0)
            return true;
    return why_fail(why, "the common name \"%s\" is not among the names", common_name);
}

static bool allowed(const struct issuer *issuer, const struct ca_request *request, struct cert_dates dates,
                    char why[static CA_WHY_SIZE])
{
    if (!cert_serial_valid(request->serial))
        return why_fail(why, "the serial \"%.40s\" is not 32 hexadecimal digits from 01… to 7f…", request->serial);
    if (dates.not_after_s < dates.not_before_s)
        return why_fail(why, "the certificate would end before it begins");
    if (dates.not_after_s - dates.not_before_s >= MAX_LIFETIME_S)
        return why_fail(why, "the certificate would live longer than %d days", MAX_LIFETIME_S / DAY_S);
    if (dates.not_after_s > issuer->not_after_s)
        return why_fail(why, "the certificate would outlive its issuer");
    return names_allowed(request, why);
}

static enum ca_status sign(const struct issuer *issuer, struct ca_request *request)
{
    struct cert_dates dates = { seconds(request->not_before_ms), seconds(request->not_after_ms) };
    if (!allowed(issuer, request, dates, request->why))
        return CA_REFUSED;
    struct cert_leaf leaf = {
        .key_info = csr_key_info(request->csr),
        .rsa = jwk_algorithm(csr_key(request->csr)) == JWS_RS256,
        .identifiers = request->identifiers,
        .identifier_count = request->identifier_count,
        .common_name = request->without & CA_WITHOUT_COMMON_NAME ? NULL : csr_common_name(request->csr),
        .without = request->without,
        .dates = dates,
        .serial = request->serial,
    };
    AUTO_BUF(der, LEAF_MAX_BYTES);
    if (!cert_make_leaf(&leaf, issuer, &der) || (request->der = OPENSSL_memdup(der.data, der.len)) == NULL) {
        why_fail(request->why, "the certificate could not be built, or OpenSSL could not sign it");
        return CA_FAILED;
    }
    request->der_len = der.len;
    return CA_OK;
}

void leaf_sign(const struct issuer *issuer, struct ca_request *request)
{
    request->der = NULL;
    request->der_len = 0;
    request->why[0] = '\0';
    (void)memory_was_out();
    request->status = sign(issuer, request);
    if (request->status != CA_OK && memory_was_out())
        request->status = CA_NO_MEMORY;
    ERR_clear_error();
}
