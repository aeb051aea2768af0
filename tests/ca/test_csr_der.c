/* Requests written by hand, one part of which is not as it should be: each says why it is refused. */
#include "tests/ca/support.h"

enum part { SUBJECT, KEY, ATTRIBUTES, ALGORITHM, SIGNATURE, PARTS };

#define BYTES(text) sizeof(text) - 1, (text)
#define EC_OID      "\x2a\x86\x48\xce\x3d\x02\x01"
#define ED25519     "\x30\x05\x06\x03\x2b\x65\x70"
#define P256        "\x30\x13\x06\x07" EC_OID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define RSA         "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"
#define BITS_31     "0123456789012345678901234567890"
#define BITS_32     BITS_31 "1"

struct text {
    size_t len;
    const char *bytes;
};

/* All is well but for the signature, which no one made. */
static const struct text good[PARTS] = {
    [SUBJECT] = { BYTES("\x30\x00") },
    [KEY] = { BYTES("\x30\x2a" ED25519 "\x03\x21\x00" BITS_32) },
    [ATTRIBUTES] = { BYTES("\xa0\x00") },
    [ALGORITHM] = { BYTES(ED25519) },
    [SIGNATURE] = { BYTES("\x03\x41\x00" BITS_32 BITS_32) },
};

static const char broken[] = "is not a DER-encoded PKCS#10";
static const char not_canonical[] = "is not encoded as DER";
static const char unverified[] = "does not verify with its own public key";
static const char unreadable[] = "has a public key that cannot be read";

static const struct {
    enum part part;
    enum csr_status want;
    const char *phrase;
    struct text text;
} cases[] = {
#define CASE(part, want, phrase, text) { part, CSR_##want, phrase, { BYTES(text) } },
    CASE(SUBJECT, BAD_SIGNATURE, unverified,
         "\x30\x00") CASE(SUBJECT, BAD_SIGNATURE, unverified,
                          "\x30\x09\x31\x07\x30\x05\x06\x01\x2a\x0c\x00") CASE(SUBJECT, MALFORMED, broken, "\x31\x00")
        CASE(SUBJECT, MALFORMED, broken, "\x30\x02\x30\x00") CASE(SUBJECT, MALFORMED, broken, "\x30\x02\x31\x00") CASE(
            SUBJECT, MALFORMED, broken,
            "\x30\x07\x31\x05\x30\x03\x06\x01\x2a") CASE(SUBJECT, MALFORMED, broken,
                                                         "\x30\x0b\x31\x09\x30\x07\x06\x01\x2a\x0c\x00\x05\x00")
            CASE(SUBJECT, MALFORMED, not_canonical, "\x30\x0a\x31\x81\x07\x30\x05\x06\x01\x2a\x0c\x00") CASE(
                SUBJECT, MALFORMED, not_canonical, "\x30\x80\x00\x00") CASE(ATTRIBUTES, BAD_SIGNATURE, unverified, "")
                CASE(ATTRIBUTES, BAD_SIGNATURE, unverified, "\xa0\x07\x30\x05\x06\x01\x2a\x31\x00") CASE(
                    ATTRIBUTES, MALFORMED, broken, "\xa0\x00\x05\x00") CASE(ATTRIBUTES, MALFORMED, broken, "\x80\x00")
                    CASE(ATTRIBUTES, MALFORMED, broken, "\xa0\x05\x30\x03\x06\x01\x2a")
                        CASE(ATTRIBUTES, MALFORMED, broken, "\xa0\x09\x30\x07\x06\x01\x2a\x31\x00\x05\x00") CASE(
                            ATTRIBUTES, MALFORMED, not_canonical,
                            "\xa0\x0e\x30\x05\x06\x01\x2b\x31\x00\x30\x05\x06\x01\x2a\x31\x00")
                            CASE(ATTRIBUTES, MALFORMED, not_canonical,
                                 "\xa0\x0b\x30\x09\x06\x01\x2b\x31\x04\x05\x00\x04\x00") CASE(ALGORITHM, MALFORMED,
                                                                                              broken, "\x30\x00")
                                CASE(ALGORITHM, MALFORMED, broken, "\x30\x09\x06\x03\x2b\x65\x70\x05\x00\x05\x00") CASE(
                                    ALGORITHM, BAD_SIGNATURE, unverified, "\x30\x07\x06\x03\x2b\x65\x70\x05\x00")
                                    CASE(ALGORITHM, BAD_SIGNATURE, "is signed with ED25519 and parameters",
                                         "\x30\x07\x06\x03\x2b\x65\x70\x30\x00") CASE(ALGORITHM, BAD_SIGNATURE,
                                                                                      "is signed with undefined",
                                                                                      "\x30\x05\x06\x03\x2b\x65\x7f")
                                        CASE(ALGORITHM, BAD_SIGNATURE, unverified,
                                             "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04"
                                             "\x03\x02") CASE(SIGNATURE, MALFORMED, broken,
                                                              "\x04\x41\x00" BITS_32 BITS_32)
                                            CASE(SIGNATURE, MALFORMED, broken, "\x03\x41\x01" BITS_32 BITS_32) CASE(
                                                SIGNATURE, MALFORMED, broken,
                                                "\x03\x41\x00" BITS_32 BITS_32 "\x05\x00") CASE(KEY, MALFORMED, broken,
                                                                                                "\x30\x2c" ED25519
                                                                                                "\x03\x21\x00" BITS_32
                                                                                                "\x05\x00")
                                                CASE(KEY, MALFORMED, broken,
                                                     "\x30\x2a" ED25519
                                                     "\x04\x21\x00" BITS_32) CASE(KEY, MALFORMED, broken,
                                                                                  "\x30\x2a" ED25519
                                                                                  "\x03\x21\x04" BITS_32)
                                                    CASE(KEY, BAD_KEY, "neither RSA, ECDSA nor Ed25519",
                                                         "\x30\x2a\x30\x05\x06\x03\x2b\x65\x6f\x03\x21\x00" BITS_32)
                                                        CASE(KEY, BAD_KEY, "another length than 32 bytes",
                                                             "\x30\x29" ED25519 "\x03\x20\x00" BITS_31)
                                                            CASE(KEY, BAD_KEY, "with parameters",
                                                                 "\x30\x2c\x30\x07\x06\x03\x2b\x65\x70\x05\x00\x03\x21"
                                                                 "\x00" BITS_32) CASE(KEY, BAD_KEY,
                                                                                      "instead of naming it",
                                                                                      "\x30\x2e\x30\x09\x06\x07" EC_OID
                                                                                      "\x03\x21\x00" BITS_32)
                                                                CASE(KEY, BAD_KEY, "instead of naming it",
                                                                     "\x30\x30\x30\x0b\x06\x07" EC_OID
                                                                     "\x05\x00\x03\x21\x00" BITS_32)
                                                                    CASE(
                                                                        KEY,
                                                                        BAD_KEY, "not in uncompressed form",
                                                                        "\x30\x18" P256
                                                                        "\x03\x01\x00") CASE(KEY, BAD_KEY,
                                                                                             "not in uncompressed "
                                                                                             "form",
                                                                                             "\x30\x39" P256
                                                                                             "\x03\x22\x00"
                                                                                             "\x02" BITS_32)
                                                                        CASE(KEY, BAD_KEY, "not a point on its curve",
                                                                             "\x30\x39" P256 "\x03\x22\x00\x04" BITS_32)
                                                                            CASE(KEY, BAD_KEY,
                                                                                 "not a point on its curve",
                                                                                 "\x30\x59" P256
                                                                                 "\x03\x42\x00\x04" BITS_32 BITS_32)
                                                                                CASE(KEY, BAD_KEY, unreadable,
                                                                                     "\x30\x1b" RSA
                                                                                     "\x03\x0a\x00\x30\x06\x02\x01\x03"
                                                                                     "\x02\x01\x03\x00")
                                                                                    CASE(KEY, BAD_KEY, unreadable,
                                                                                         "\x30\x1b" RSA
                                                                                         "\x03\x0a\x00\x30\x07\x02\x01"
                                                                                         "\x03\x02\x01\x03\x00")
                                                                                        CASE(KEY, BAD_KEY, unreadable,
                                                                                             "\x30\x17" RSA
                                                                                             "\x03\x06\x00\x30\x03\x02"
                                                                                             "\x01\x03")
                                                                                            CASE(KEY, BAD_KEY,
                                                                                                 unreadable,
                                                                                                 "\x30\x1a" RSA
                                                                                                 "\x03\x09\x00\x30\x06"
                                                                                                 "\x02\x01\x83\x02\x01"
                                                                                                 "\x03")
                                                                                                CASE(KEY, BAD_KEY,
                                                                                                     unreadable,
                                                                                                     "\x30\x12" RSA
                                                                                                     "\x03\x01\x00")
                                                                                                    CASE(KEY, BAD_KEY,
                                                                                                         "has an RSA "
                                                                                                         "key of 7 "
                                                                                                         "bits",
                                                                                                         "\x30\x1a" RSA
                                                                                                         "\x03\x09\x00"
                                                                                                         "\x30\x06\x02"
                                                                                                         "\x01\x7f\x02"
                                                                                                         "\x01\x03")
#undef CASE
};

static void append(struct buf *out, struct text text)
{
    buf_append(out, text.bytes, text.len);
}

static void append_sequence(struct buf *out, const struct buf *content)
{
    assert_true(content->len < 0x100);
    buf_text(out, content->len < 0x80 ? "\x30" : "\x30\x81");
    buf_char(out, (char)content->len);
    buf_append(out, content->data, content->len);
}

static void test_each_part_is_read_strictly(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct text parts[PARTS];
        memcpy(parts, good, sizeof parts);
        parts[cases[i].part] = cases[i].text;
        AUTO_BUF(info, 300);
        AUTO_BUF(content, 300);
        AUTO_BUF(request, 300);
        append(&info, (struct text) { BYTES("\x02\x01\x00") });
        for (enum part part = SUBJECT; part <= ATTRIBUTES; part++)
            append(&info, parts[part]);
        append_sequence(&content, &info);
        append(&content, parts[ALGORITHM]);
        append(&content, parts[SIGNATURE]);
        append_sequence(&request, &content);
        assert_false(request.failed);
        test_expect_csr(buf_bytes(&request), cases[i].want, cases[i].phrase);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_part_is_read_strictly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
