/* Identifiers (RFC 8555 §9.7.7, RFC 8738): what a certificate is asked for. Plain data whose text lives in an arena. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

#define ACME_IDENTIFIER_TABLE(X)                                                                                       \
    X(DNS, "dns")                                                                                                      \
    X(IP, "ip")

enum acme_identifier_type {
#define X(name, text) IDENTIFIER_##name,
    ACME_IDENTIFIER_TABLE(X)
#undef X
        IDENTIFIER_TYPES
};

enum { IDENTIFIER_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

struct acme_identifier {
    enum acme_identifier_type type;
    const char *value; /* canonical: DNS lower case, no trailing dot, maybe "*." in front; IP as inet_ntop writes it */
};

const char *identifier_type_text(enum acme_identifier_type type);
MUST_USE bool identifier_type_from_text(const char *text, enum acme_identifier_type *out);

/* Makes the canonical form. A DNS name is one or more LDH labels of 1 to 63 bytes, at most 253 bytes in all, with one
 * "*" only as the whole left-most label of a longer name; refused are an address literal, a last label all of digits,
 * an "xn--" label that is no Punycode, and any other label with "--" in its third and fourth place. On refusal `why` is
 * a phrase that completes "Cannot issue for "x": …" ("label 2 is empty"). */
enum { IDENTIFIER_WHY_SIZE = 160 };
MUST_USE bool identifier_make(struct arena *arena, enum acme_identifier_type type, struct bytes text,
                              struct acme_identifier *out, char why[static IDENTIFIER_WHY_SIZE]);

bool identifier_is_wildcard(const struct acme_identifier *identifier);
/* The value without "*." */
const char *identifier_base(const struct acme_identifier *identifier);

/* Appends the DER of its GeneralName (RFC 5280 §4.2.1.6); false for an address that is none. */
MUST_USE bool identifier_general_name(const struct acme_identifier *identifier, struct buf *out);

/* By whole labels; nothing lies below itself (RFC 9444 §7.2). */
bool identifier_lies_below(const char *name, const char *domain);

int identifier_compare(const struct acme_identifier *a, const struct acme_identifier *b); /* type, then value */
/* Sorts and drops doubles in place; returns the new count. */
size_t identifier_sort_unique(struct acme_identifier *list, size_t count);
