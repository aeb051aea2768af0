/* Whether a certificate proves control of an identifier in tls-alpn-01 (RFC 8737 §3, RFC 8738 §4). */
#pragma once

#include "acme/identifier.h"

#include "base/crypto.h"

enum { VAL_CERTIFICATE_WHY_SIZE = 560 };

/* The certificate must be self-signed, name the identifier and nothing else in its subjectAltName, carry no extension
 * twice, and hold `digest` (of the key authorization) in a critical acmeIdentifier. Otherwise `why` says what is wrong,
 * printable. */
MUST_USE bool val_certificate_proves(X509 *certificate, const struct acme_identifier *identifier,
                                     const uint8_t digest[static SHA256_BYTES],
                                     char why[static VAL_CERTIFICATE_WHY_SIZE]);

/* The subjectAltName as "dns:a.test, ip:192.0.2.1", printable and short; "none" without any. For traces. */
void val_certificate_names(const X509 *certificate, char out[static VAL_CERTIFICATE_WHY_SIZE]);
