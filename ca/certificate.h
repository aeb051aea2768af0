/* Reading a certificate that a client sent: just enough to find it again and to know its key. */
#pragma once

#include "ca/ca.h"

/* The serial as ca_make_serial writes it. False for what is no certificate, has bytes behind it, or a serial that
 * cannot be one of ours. */
MUST_USE bool certificate_serial(struct bytes der, char out_hex[static CA_SERIAL_TEXT_SIZE]);
/* True when the certificate is for this public key. */
bool certificate_key_is(struct bytes der, EVP_PKEY *key);
