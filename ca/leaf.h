/* One leaf: is it allowed, then build, sign and encode it. */
#pragma once

#include "ca/cert.h"

/* Fills the request's result. */
void leaf_sign(const struct issuer *issuer, struct ca_request *request);
