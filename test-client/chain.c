#include "test-client/chain.h"

#include "base/clock_text.h"

#include "test-client/message.h"

#include <openssl/pem.h>

#include <stdio.h>
#include <time.h>

static const char end_line[] = "-----END CERTIFICATE-----";

DEFINE_DROP_TYPE(BIGNUM, BN_free)

static bool fail(char why[static TC_WHY_SIZE], const char *what)
{
    snprintf(why, TC_WHY_SIZE, "%s", what);
    return false;
}

/* Where the first certificate's last line ends. */
static size_t first_end(struct bytes pem)
{
    const char *found = memmem(pem.data, pem.len, end_line, sizeof end_line - 1);
    if (found == NULL)
        return pem.len;
    size_t end = (size_t)((const uint8_t *)found - pem.data) + sizeof end_line - 1;
    while (end < pem.len && (pem.data[end] == '\r' || pem.data[end] == '\n'))
        end++;
    return end;
}

static bool read_issuers(BIO *source, size_t *out_count, char why[static TC_WHY_SIZE])
{
    size_t count = 0;
    while (!BIO_eof(source)) {
        AUTO_TYPE(X509) issuer = PEM_read_bio_X509(source, NULL, NULL, NULL);
        if (issuer == NULL)
            return fail(why, "the server's chain holds something that is no certificate");
        if (++count > TC_CHAIN_MAX)
            return fail(why, "the server's chain is too long");
    }
    *out_count = count;
    return true;
}

bool tc_chain_read(struct bytes pem, struct tc_chain *out, char why[static TC_WHY_SIZE])
{
    struct tc_chain chain = { 0 };
    size_t end = first_end(pem);
    chain.leaf_pem = bytes_of(pem.data, end);
    chain.issuers = bytes_of(pem.data + end, pem.len - end);
    AUTO_TYPE(BIO) first = BIO_new_mem_buf(pem.data, (int)end);
    AUTO_TYPE(X509) leaf = first != NULL ? PEM_read_bio_X509(first, NULL, NULL, NULL) : NULL;
    if (leaf == NULL)
        return fail(why, "what the server gave as certificate is none in PEM");
    if (chain.issuers.len > 0) {
        AUTO_TYPE(BIO) rest = BIO_new_mem_buf(chain.issuers.data, (int)chain.issuers.len);
        TRY(rest != NULL && read_issuers(rest, &chain.issuer_count, why));
    }
    chain.leaf = TAKE(leaf);
    *out = chain;
    return true;
}

void tc_chain_clear(struct tc_chain *chain)
{
    X509_free(chain->leaf);
    *chain = (struct tc_chain) { 0 };
}

static void describe_serial(const X509 *leaf, struct buf *out)
{
    AUTO_TYPE(BIGNUM) number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *hex = number != NULL ? BN_bn2hex(number) : NULL;
    buf_printf(out, "serial %s", hex != NULL ? hex : "unreadable");
    OPENSSL_free(hex);
}

void tc_chain_describe(const struct tc_chain *chain, struct buf *out)
{
    struct tm parts;
    char until[TIME_TEXT_SIZE] = "unreadable";
    if (ASN1_TIME_to_tm(X509_get0_notAfter(chain->leaf), &parts) == 1)
        time_text((int64_t)timegm(&parts) * 1000, until);
    char *issuer = X509_NAME_oneline(X509_get_issuer_name(chain->leaf), NULL, 0);
    describe_serial(chain->leaf, out);
    buf_printf(out, ", valid until %s, issued by ", until);
    tc_print_harmless(out, issuer != NULL ? issuer : "?");
    OPENSSL_free(issuer);
}
