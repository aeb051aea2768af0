#include "validators/ede.h"

#include "base/buf.h"
#include "validators/printable.h"

#include <stdio.h>

enum {
    HEADER_BYTES = 12,
    TYPE_OPT = 41,
    OPT_BYTES = 11,
    CLASS_IN = 1,
    OPTION_EDE = 15,
    LABEL_MAX = 63,
    NAME_MAX_BYTES = 255,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RESPONSE = 0x80 /* in the third byte */
};

/* IANA's registry of extended DNS error codes, in order */
static const char *const codes[] = {
    "Other Error",
    "Unsupported DNSKEY Algorithm",
    "Unsupported DS Digest Type",
    "Stale Answer",
    "Forged Answer",
    "DNSSEC Indeterminate",
    "DNSSEC Bogus",
    "Signature Expired",
    "Signature Not Yet Valid",
    "DNSKEY Missing",
    "RRSIGs Missing",
    "No Zone Key Bit Set",
    "NSEC Missing",
    "Cached Error",
    "Not Ready",
    "Blocked",
    "Censored",
    "Filtered",
    "Prohibited",
    "Stale NXDOMAIN Answer",
    "Not Authoritative",
    "Not Supported",
    "No Reachable Authority",
    "Network Error",
    "Invalid Data",
    "Signature Expired before Valid",
    "Too Early",
    "Unsupported NSEC3 Iterations Value",
    "Unable to conform to policy",
    "Synthesized",
    "Invalid Query Type",
};

/* ---- the question */

static void put16(struct buf *out, unsigned value)
{
    buf_char(out, (char)(value >> 8));
    buf_char(out, (char)value);
}

static bool put_name(struct buf *out, const char *name)
{
    size_t from = out->len;
    while (*name != '\0') {
        size_t len = strcspn(name, ".");
        TRY(len > 0 && len <= LABEL_MAX);
        buf_char(out, (char)len);
        buf_append(out, name, len);
        name += len + (name[len] == '.');
    }
    buf_char(out, '\0');
    return out->len - from <= NAME_MAX_BYTES;
}

size_t val_ede_question(uint16_t id, const char *name, int type, uint8_t out[static VAL_EDE_QUESTION_MAX])
{
    AUTO_BUF(message, VAL_EDE_QUESTION_MAX);
    const unsigned header[] = { id, FLAG_RECURSION_DESIRED, 1, 0, 0, 1 };
    for (size_t i = 0; i < ARRAY_SIZE(header); i++)
        put16(&message, header[i]);
    if (!put_name(&message, name))
        return 0;
    put16(&message, (unsigned)type);
    put16(&message, CLASS_IN);
    const unsigned opt[] = { TYPE_OPT, VAL_EDE_ANSWER_MAX, 0, 0, 0 }; /* RFC 6891 §6.1.2 */
    buf_char(&message, '\0');
    for (size_t i = 0; i < ARRAY_SIZE(opt); i++)
        put16(&message, opt[i]);
    if (message.failed)
        return 0;
    memcpy(out, message.data, message.len);
    return message.len;
}

/* ---- the answer */

static bool take(struct bytes *rest, size_t len, struct bytes *out)
{
    TRY(len <= rest->len);
    *out = bytes_of(rest->data, len);
    *rest = bytes_of(rest->data + len, rest->len - len);
    return true;
}

static bool take16(struct bytes *rest, unsigned *out)
{
    struct bytes two;
    TRY(take(rest, 2, &two));
    *out = (unsigned)two.data[0] << 8 | two.data[1];
    return true;
}

/* A name ends with an empty label or with a pointer, which need not be followed (RFC 1035 §4.1.4). */
static bool skip_name(struct bytes *rest)
{
    struct bytes part;
    for (;;) {
        TRY(take(rest, 1, &part));
        unsigned length = part.data[0];
        if (length > LABEL_MAX)
            return length >= 0xc0 && take(rest, 1, &part);
        if (length == 0)
            return true;
        TRY(take(rest, length, &part));
    }
}

static bool take_record(struct bytes *rest, unsigned *out_type, struct bytes *out_data)
{
    struct bytes class_and_ttl;
    unsigned length;
    return skip_name(rest) && take16(rest, out_type) && take(rest, 6, &class_and_ttl) && take16(rest, &length) &&
           take(rest, length, out_data);
}

static bool read_option(struct bytes option, char out[static VAL_EDE_TEXT_SIZE])
{
    char text[VAL_EDE_TEXT_SIZE - 60];
    unsigned code;
    TRY(take16(&option, &code));
    while (option.len > 0 && option.data[option.len - 1] == '\0') /* RFC 8914 §2: a text may end in NUL */
        option.len--;
    val_printable_long(option, text, sizeof text);
    int len = code < ARRAY_SIZE(codes) ? snprintf(out, VAL_EDE_TEXT_SIZE, "%s", codes[code])
                                       : snprintf(out, VAL_EDE_TEXT_SIZE, "extended error %u", code);
    if (text[0] != '\0')
        snprintf(out + len, VAL_EDE_TEXT_SIZE - (size_t)len, ": \"%s\"", text);
    return true;
}

static bool read_options(struct bytes rest, char out[static VAL_EDE_TEXT_SIZE])
{
    unsigned code, length;
    struct bytes option;
    while (take16(&rest, &code) && take16(&rest, &length) && take(&rest, length, &option)) {
        if (code == OPTION_EDE)
            return read_option(option, out);
    }
    return false;
}

/* Same number, same question (all of it but the EDNS record), and a response. */
static bool answers(struct bytes answer, struct bytes question)
{
    size_t asked = question.len - OPT_BYTES;
    return answer.len >= asked && memcmp(answer.data, question.data, 2) == 0 && (answer.data[2] & FLAG_RESPONSE) != 0 &&
           memcmp(answer.data + 4, question.data + 4, 2) == 0 &&
           memcmp(answer.data + HEADER_BYTES, question.data + HEADER_BYTES, asked - HEADER_BYTES) == 0;
}

bool val_ede_read(struct bytes answer, struct bytes question, char out[static VAL_EDE_TEXT_SIZE])
{
    unsigned records = 0, type;
    struct bytes data, rest = answer, part;
    CHECK(question.len > HEADER_BYTES + OPT_BYTES);
    TRY(answers(answer, question) && take(&rest, 6, &part));
    for (int section = 0; section < 3; section++) {
        unsigned count;
        TRY(take16(&rest, &count));
        records += count;
    }
    TRY(take(&rest, question.len - OPT_BYTES - HEADER_BYTES, &part));
    for (; records > 0 && take_record(&rest, &type, &data); records--) {
        if (type == TYPE_OPT)
            return read_options(data, out);
    }
    return false;
}
