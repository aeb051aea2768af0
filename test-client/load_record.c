#include "test-client/load_record.h"

#include "base/encode.h"
#include "test-client/chain.h"

enum { DER_TEXT_MAX = 1 << 20 };

FILE *tc_load_record_open(const char *path)
{
    FILE *record = fopen(path, "ae");
    if (record != NULL)
        setvbuf(record, NULL, _IOLBF, BUFSIZ);
    return record;
}

void tc_load_record_progress(FILE *record, const char *step, const char *text, const char *name)
{
    if (strcmp(step, "order") == 0)
        fprintf(record, "order %s %s\n", text, name);
    else if (strcmp(step, "account") == 0 || strcmp(step, "valid") == 0)
        fprintf(record, "%s %s\n", step, text);
}

void tc_load_record_certificate(FILE *record, const char *url, const char *name, struct bytes chain)
{
    struct tc_chain read;
    char why[TC_WHY_SIZE];
    uint8_t *der = NULL;
    if (!tc_chain_read(chain, &read, why))
        return;
    int len = i2d_X509(read.leaf, &der);
    AUTO_BUF(text, DER_TEXT_MAX);
    if (len > 0)
        buf_b64url(&text, bytes_of(der, (size_t)len));
    fprintf(record, "certificate %s %s %s\n", url, name, buf_str(&text));
    OPENSSL_free(der);
    tc_chain_clear(&read);
}
