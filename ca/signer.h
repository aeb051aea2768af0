/* The signing threads and the queue in front of them. */
#pragma once

#include "ca/cert.h"

struct signer;

/* `issuer` must outlive the signer. NULL when threads or memory are out. */
MUST_USE struct signer *signer_start(const struct issuer *issuer, unsigned threads);
void signer_submit(struct signer *signer, struct ca_request *request);
void signer_drop(struct signer *signer); /* finishes what was submitted */
DEFINE_DROP(signer, signer_drop)
