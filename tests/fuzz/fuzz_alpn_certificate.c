#include "validators/alpn_certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any certificate is judged, and the words about it are printable. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t digest[SHA256_BYTES];
    static const struct acme_identifier identifiers[] = { { IDENTIFIER_DNS, "a.test" }, { IDENTIFIER_IP, "::1" } };
    const uint8_t *p = data;
    AUTO_TYPE(X509) certificate = d2i_X509(NULL, &p, (long)size);
    if (certificate == NULL)
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(identifiers); i++) {
        char why[VAL_CERTIFICATE_WHY_SIZE] = "", names[VAL_CERTIFICATE_WHY_SIZE];
        (void)!val_certificate_proves(certificate, &identifiers[i], digest, why);
        val_certificate_names(certificate, names);
        for (const char *c = names; *c != '\0'; c++)
            CHECK(*c >= 0x20 && *c < 0x7f);
        for (const char *c = why; *c != '\0'; c++)
            CHECK(*c >= 0x20 && *c < 0x7f);
    }
    return 0;
}
