/* The certificate authority: values in, values out. It holds the issuer keys; no one else names them. Thread-safe. */
#pragma once

#include "acme/identifier.h"
#include "base/crypto.h"
#include "base/world.h"
#include "ca/csr.h"

/* name on the command line, what it makes */
#define CA_KEY_TYPE_TABLE(X)                                                                                           \
    X(P256, "p-256")                                                                                                   \
    X(P384, "p-384")                                                                                                   \
    X(RSA2048, "rsa-2048")                                                                                             \
    X(RSA4096, "rsa-4096")

enum ca_key_type {
#define X(name, text) CA_KEY_##name,
    CA_KEY_TYPE_TABLE(X)
#undef X
        CA_KEY_TYPES
};
MUST_USE bool ca_key_type_from_text(const char *text, enum ca_key_type *out);
MUST_USE EVP_PKEY *ca_key_make(enum ca_key_type type); /* NULL when OpenSSL cannot */

struct ca;

struct ca_options {
    const char *directory;     /* "<data>/ca"; made in <data> when missing; NULL keeps everything in memory */
    enum ca_key_type key_type; /* of root and intermediate, when they are made */
    const char *name;          /* organisation in the subjects: "Caraway"; at most 40 bytes */
    unsigned threads;          /* signing threads, 1 to 256 */
    const struct world *world;
    unsigned alternates; /* further chains, at most CA_ALTERNATES_MAX */
};
enum { CA_WHY_SIZE = 256, CA_ALTERNATES_MAX = 16 };
/* Loads root and intermediate, or makes them at first start: root.pem (30 years, CN "<name> Root CA <6 hex>"),
 * root-key.pem, intermediate.pem (10 years, pathlen 0), intermediate-key.pem; keys 0600. A half-made, mismatched or
 * expired directory is refused; `why` says which file is wrong and what to do. Files appear whole or not at all.
 * Alternate chain N has a root of its own, root-N.pem and root-key-N.pem, and intermediate-N.pem, which gives the
 * intermediate's key, subject and key identifier to that root. It is made whenever none of its files is there, so the
 * number may be raised at any start; files beyond it are left alone. */
MUST_USE bool ca_open(const struct ca_options *options, struct ca **out, char why[static CA_WHY_SIZE]);
bool ca_exists(const char *directory); /* whether any file of root and intermediate is there: ca_open makes none */
void ca_drop(struct ca *ca);           /* waits for the signatures under way */
DEFINE_DROP(ca, ca_drop)

size_t ca_chain_count(const struct ca *ca); /* 1 + alternates */
/* of chain `n`, 0 being the default one; both live as long as the CA */
const char *ca_root_pem(const struct ca *ca, size_t n);
const char *ca_chain_pem(const struct ca *ca, size_t n); /* what follows a leaf: intermediates, without the root */
const char *ca_issuer_id(const struct ca *ca);           /* hex of the issuing certificate's SKI */

/* Serials: 6 bytes of time and 10 random bytes, positive, ordered by time, never padded by DER (first byte 1..127). */
enum { CA_SERIAL_BYTES = 16, CA_SERIAL_TEXT_SIZE = 33 };
void ca_make_serial(const struct world *world, char out_hex[static CA_SERIAL_TEXT_SIZE]);

#define CA_STATUS_TABLE(X)                                                                                             \
    X(OK, "signed")                                                                                                    \
    X(REFUSED, "what was asked for is not allowed by the profile")                                                     \
    X(NO_MEMORY, "memory was out")                                                                                     \
    X(FAILED, "the signature could not be made")
enum ca_status {
#define X(name, text) CA_##name,
    CA_STATUS_TABLE(X)
#undef X
};

/* What a profile leaves out of a leaf; a set of bits. */
enum ca_leaf_without {
    CA_WITHOUT_COMMON_NAME = 1,
    CA_WITHOUT_KEY_ENCIPHERMENT = 2, /* of RSA keys */
    CA_WITHOUT_SUBJECT_KEY_ID = 4,
};

/* One leaf to sign; refused when it would live longer than 398 days or than its issuer, has no or more than
 * CSR_MAX_NAMES names, a CN that is none of them, or no good serial. SAN (critical when the subject is empty; CN is
 * promoted from the CSR or left out), critical KU digitalSignature (+ keyEncipherment for RSA), EKU serverAuth,
 * critical BC CA:false, SKI, AKI. All inputs live until done. */
struct ca_request {
    const struct csr *csr;
    const struct acme_identifier *identifiers;
    size_t identifier_count;
    const char *serial; /* hex */
    int64_t not_before_ms, not_after_ms;
    unsigned without; /* enum ca_leaf_without */
    /* result */
    enum ca_status status;
    unsigned char *der; /* malloc'ed by OpenSSL; the caller frees it with OPENSSL_free; NULL unless CA_OK */
    size_t der_len;
    char why[CA_WHY_SIZE]; /* for the log */
    /* on a signing thread; must not block */
    void (*done)(struct ca_request *request, void *arg);
    void *arg;
    struct ca_request *next; /* the CA's, from submit to done */
};
void ca_submit(struct ca *ca, struct ca_request *request);

/* The little authority behind the server's own HTTPS: directory "<data>/tls", files ca.pem, ca-key.pem, cert.pem (the
 * leaf; the authority signs it itself), key.pem. Names are DNS names and IP addresses. The leaf is made anew when it is
 * damaged, a name is missing or less than 30 days are left; so is the authority when less than 30 days are left. */
struct ca_tls {
    char *ca_pem, *cert_pem, *key_pem; /* malloc'ed */
};
MUST_USE bool ca_tls_open(const char *directory, const char *const *names, size_t name_count, const struct world *world,
                          struct ca_tls *out, char why[static CA_WHY_SIZE]);
void ca_tls_clear(struct ca_tls *tls);
