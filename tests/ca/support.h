/* What the tests of this room share: requests as clients make them, folders that vanish, signatures waited for. */
#pragma once

#include "ca/ca.h"

#include "base/buf.h"

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#include <openssl/x509v3.h>

struct request_recipe {
    EVP_PKEY *key;
    const char *common_name;       /* NULL for an empty subject */
    const char *alternative_names; /* as openssl.cnf writes them: "DNS:a.test,IP:::1"; NULL for none */
    const EVP_MD *digest;          /* NULL for SHA-256; ignored for Ed25519 */
};

/* `size` bits or curve number: test_key("RSA", "2048"), test_key("EC", "P-256"), test_key("ED25519", NULL). */
EVP_PKEY *test_key(const char *type, const char *size);

struct test_der {
    unsigned char *data;
    size_t len;
};
void test_der_clear(struct test_der *der);
#define AUTO_DER __attribute__((cleanup(test_der_clear))) struct test_der

X509_REQ *test_request(const struct request_recipe *recipe); /* signed */
void test_request_sign(X509_REQ *request, const struct request_recipe *recipe);
struct test_der test_request_der(const struct request_recipe *recipe);
struct test_der test_encode(X509_REQ *request);
struct csr *test_csr(const struct request_recipe *recipe); /* parsed; the test fails when it is refused */

void test_expect_csr(struct bytes der, enum csr_status want, const char *phrase);      /* `phrase` is in `why` */
void test_expect_request(X509_REQ *request, enum csr_status want, const char *phrase); /* takes over `request` */

/* Submits and waits. */
void test_sign(struct ca *ca, struct ca_request *request);

X509 *test_pem_cert(const char *pem);
/* `hex` as in "30:00" */
void test_expect_extension(X509 *cert, int nid, int critical, const char *hex);

/* A new empty folder under the system's folder for passing files. */
enum { TEST_FOLDER_SIZE = 64 };
void test_folder_make(char out[static TEST_FOLDER_SIZE]);
void test_folder_remove(const char *folder); /* and the files and folders in it */
