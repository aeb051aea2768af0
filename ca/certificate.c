#include "ca/certificate.h"

#include "base/encode.h"

static X509 *parse(struct bytes der)
{
    const unsigned char *at = der.data;
    X509 *certificate = der.len <= INT32_MAX ? d2i_X509(NULL, &at, (long)der.len) : NULL;
    if (certificate != NULL && at == der.data + der.len)
        return certificate;
    X509_free(certificate);
    return NULL;
}

bool certificate_serial(struct bytes der, char out_hex[static CA_SERIAL_TEXT_SIZE])
{
    AUTO_TYPE(X509) certificate = parse(der);
    TRY(certificate != NULL);
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    TRY(ASN1_STRING_length(serial) == CA_SERIAL_BYTES && ASN1_STRING_type(serial) == V_ASN1_INTEGER);
    AUTO_BUF(hex, CA_SERIAL_TEXT_SIZE);
    buf_hex(&hex, bytes_of(ASN1_STRING_get0_data(serial), CA_SERIAL_BYTES));
    TRY(!hex.failed);
    memcpy(out_hex, buf_str(&hex), CA_SERIAL_TEXT_SIZE);
    return true;
}

bool certificate_key_is(struct bytes der, EVP_PKEY *key)
{
    AUTO_TYPE(X509) certificate = parse(der);
    return certificate != NULL && EVP_PKEY_eq(X509_get0_pubkey(certificate), key) == 1;
}
