/* The steps of csr_parse; only ca/csr*.c include this. */
#pragma once

#include "base/der.h"
#include "ca/csr.h"

/* An AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
struct csr_algorithm {
    struct bytes oid;
    uint8_t parameter_tag; /* 0 when there are none */
    struct bytes parameter;
};

/* Where things stand in the request (RFC 2986 §4.2); set by csr_walk_*. */
struct csr_names {
    size_t common_names;
    uint8_t common_name_tag;
    struct bytes common_name; /* the last one */
    size_t extension_requests;
    struct bytes extension_request; /* the last one's values */
};

struct csr {
    struct arena *arena;
    struct bytes info;     /* what is signed */
    struct bytes key_info; /* SubjectPublicKeyInfo */
    struct csr_algorithm algorithm;
    struct bytes signature;
    struct csr_names found;
    struct jwk *key;
    struct acme_identifier *identifiers;
    size_t identifier_count;
    const char *common_name;
    uint8_t key_hash[SHA256_BYTES];
};

/* Writes `why` and returns the status, for `return`. */
enum csr_status csr_fail(char why[static CSR_WHY_SIZE], enum csr_status status, const char *format, ...)
    PRINTF_LIKE(3, 4);
enum csr_status csr_fail_der(char why[static CSR_WHY_SIZE], enum der_fault fault);

struct csr_algorithm csr_read_algorithm(struct der *in);
bool csr_algorithm_is(const struct csr_algorithm *algorithm, int nid);

void csr_walk_subject(struct der subject, struct csr_names *out);
void csr_walk_attributes(struct der attributes, struct csr_names *out);

MUST_USE enum csr_status csr_check_key(struct csr *csr, char why[static CSR_WHY_SIZE]);  /* sets key and key_hash */
MUST_USE enum csr_status csr_read_names(struct csr *csr, char why[static CSR_WHY_SIZE]); /* and the common name */
