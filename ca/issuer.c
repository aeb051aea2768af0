#include "ca/issuer.h"

#include "ca/key.h"
#include "ca/why.h"

#include "base/clock_text.h"

#include <openssl/err.h>

bool issuer_pair(const struct issuer_texts *texts, struct issuer *out, char why[static CA_WHY_SIZE])
{
    AUTO_TYPE(X509) cert = cert_read(texts->cert);
    if (cert == NULL)
        return why_fail(why, "%s does not hold one PEM certificate", texts->cert_name);
    AUTO_TYPE(EVP_PKEY) key = key_read(texts->key);
    if (key == NULL)
        return why_fail(why, "%s does not hold a PEM private key without a passphrase", texts->key_name);
    bool fits = X509_check_private_key(cert, key) == 1;
    ERR_clear_error();
    if (!fits)
        return why_fail(why, "%s is not the key of %s", texts->key_name, texts->cert_name);
    *out = (struct issuer) { .cert = TAKE(cert), .key = TAKE(key) };
    return true;
}

bool issuer_read(const struct issuer_texts *texts, int64_t now_ms, struct issuer *out, char why[static CA_WHY_SIZE])
{
    AUTO_ISSUER issuer = { 0 };
    TRY(issuer_pair(texts, &issuer, why));
    issuer.digest = key_digest(issuer.key);
    if (issuer.digest == NULL)
        return why_fail(why, "%s is neither P-256, P-384 nor RSA of 2048 to 4096 bits", texts->key_name);
    issuer.key_id = X509_get0_subject_key_id(issuer.cert);
    if (X509_check_ca(issuer.cert) != 1 || issuer.key_id == NULL)
        return why_fail(why, "%s is not a CA certificate with a subject key identifier", texts->cert_name);
    issuer.not_after_s = cert_seconds(X509_get0_notAfter(issuer.cert));
    if (now_ms / 1000 > issuer.not_after_s) {
        char date[TIME_TEXT_SIZE];
        time_text(issuer.not_after_s * 1000, date);
        return why_fail(why, "%s expired at %s", texts->cert_name, date);
    }
    *out = issuer;
    issuer = (struct issuer) { 0 };
    return true;
}
