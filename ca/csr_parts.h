/* The steps of csr_parse; only ca/csr*.c include this. */
#pragma once

#include "ca/csr.h"

struct csr {
    struct arena *arena;
    X509_REQ *request;
    EVP_PKEY *key; /* loan from request */
    struct acme_identifier *identifiers;
    size_t identifier_count;
    const char *common_name;
    uint8_t key_hash[SHA256_BYTES];
};

/* Writes `why` and returns the status, for `return`. */
enum csr_status csr_fail(char why[static CSR_WHY_SIZE], enum csr_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);

MUST_USE enum csr_status csr_check_key(struct csr *csr, char why[static CSR_WHY_SIZE]);  /* sets key and key_hash */
MUST_USE enum csr_status csr_read_names(struct csr *csr, char why[static CSR_WHY_SIZE]); /* and the common name */
