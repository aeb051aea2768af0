/* DER (X.690 §10) in and out. In: a cursor that reads hostile bytes and never goes beyond them. Lengths are definite
 * and in their shortest form, tags are one byte. What is wrong sticks to `fault`, which a value shares with what is
 * inside it: a chain of reads is checked once, at its end. After a fault every read gives nothing and der_more says no.
 */
#pragma once

#include "base/buf.h"

enum der_tag {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

enum der_fault {
    DER_SOUND,
    DER_BROKEN,        /* another tag, cut off, or followed by more */
    DER_NOT_CANONICAL, /* BER has this form, DER has another for the same value */
};

struct der {
    struct bytes left;
    enum der_fault *fault;
};

#define DER_OVER(bytes, fault_at) ((struct der) { (bytes), (fault_at) })

bool der_more(const struct der *in);
uint8_t der_peek(const struct der *in); /* the next tag; 0, which no value has, when there is none */

struct bytes der_element(struct der *in, uint8_t tag); /* the next value with its tag and length */
struct bytes der_content(struct der *in, uint8_t tag); /* without */
struct bytes der_any(struct der *in, uint8_t *out_tag);
struct der der_enter(struct der *in, uint8_t tag);

struct bytes der_number(struct der *in); /* a positive INTEGER, big-endian, without a zero byte in front */
struct bytes der_octets(struct der *in); /* a BIT STRING of whole bytes */

void der_end(const struct der *in);   /* nothing may be left */
void der_sorted(struct der elements); /* of a SET OF: each in its order (X.690 §11.6) */

/* DER out: gives everything behind `start` its tag and length. */
void der_wrap(struct buf *out, size_t start, uint8_t tag);
