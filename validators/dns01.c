/* dns-01 (RFC 8555 §8.4): a TXT record at _acme-challenge.NAME holds the digest of the key authorization. CNAMEs on the
 * way are the resolver's business. dns-account-01 differs in the name alone: the account's label stands in front. */
#include "validators/printable.h"
#include "validators/txt_lookup.h"

#include "base/encode.h"

#include <stdio.h>

enum { VALUE_BYTES = B64URL_LEN(SHA256_BYTES) };

static enum val_turn refuse(struct val_txt_lookup *lookup)
{
    uint8_t joined[VAL_SHOWN_BYTES + 1];
    char shown[VAL_SHOWN_SIZE], more[40] = "";
    size_t count = val_question_records(&lookup->question);
    size_t len = val_txt_join(val_question_record(&lookup->question, 0), joined, sizeof joined);
    val_printable(bytes_of(joined, len < sizeof joined ? len : sizeof joined), shown);
    if (count > 1)
        snprintf(more, sizeof more, " (and %zu more)", count - 1);
    return val_attempt_fail(&lookup->attempt, PROBLEM_UNAUTHORIZED,
                            "TXT %s: found \"%s\"%s, asked %s; one record should be \"%s\"", lookup->name, shown, more,
                            val_txt_server(lookup), lookup->wanted);
}

static enum val_turn compare(struct val_attempt *attempt)
{
    struct val_txt_lookup *lookup = val_txt_of(attempt);
    for (size_t i = 0; i < val_question_records(&lookup->question); i++) {
        uint8_t joined[VALUE_BYTES];
        size_t len = val_txt_join(val_question_record(&lookup->question, i), joined, sizeof joined);
        if (len == sizeof joined && memcmp(joined, lookup->wanted, len) == 0)
            return val_attempt_ok(attempt);
    }
    return refuse(lookup);
}

static enum val_turn ask(struct val_attempt *attempt)
{
    struct val_txt_lookup *lookup = val_txt_of(attempt);
    uint8_t digest[SHA256_BYTES];
    AUTO_BUF(value, VALUE_BYTES);
    crypto_digest_sha256(bytes_text(attempt->validation->key_authorization), digest);
    buf_b64url(&value, bytes_of(digest, sizeof digest));
    if (value.failed)
        return val_attempt_internal(attempt, "dns-01: out of memory");
    memcpy(lookup->wanted, buf_str(&value), VALUE_BYTES + 1);
    return val_txt_ask(lookup, compare);
}

const struct val_method val_dns01 = { sizeof(struct val_txt_lookup), ask, val_txt_drop };
