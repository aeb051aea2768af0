/* Punycode (RFC 3492), only to tell whether what follows "xn--" is some text at all. */
#pragma once

#include "base/bytes.h"

/* True when `text` (lower-case letters, digits, hyphens; the label without "xn--") decodes to at least one character
 * beyond ASCII and to Unicode scalar values only, without a number that overflows. */
MUST_USE bool punycode_valid(struct bytes text);
