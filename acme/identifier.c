#include "acme/identifier.h"

#include "base/text.h"
#include "acme/punycode.h"
#include "base/der.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const identifier_types[IDENTIFIER_TYPES] = {
#define X(name, text) [IDENTIFIER_##name] = text,
    ACME_IDENTIFIER_TABLE(X)
#undef X
};

const char *identifier_type_text(enum acme_identifier_type type)
{
    CHECK(type < IDENTIFIER_TYPES);
    return identifier_types[type];
}

bool identifier_type_from_text(const char *text, enum acme_identifier_type *out)
{
    size_t i = text_index(identifier_types, IDENTIFIER_TYPES, text);
    TRY(i < IDENTIFIER_TYPES);
    *out = (enum acme_identifier_type)i;
    return true;
}

static bool PRINTF_LIKE(2, 3) refuse(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, IDENTIFIER_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* The one canonical text of an IPv4 or IPv6 address. */
static bool address_text(struct bytes text, char out[static INET6_ADDRSTRLEN])
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address; /* the larger of both */
    TRY(text.len < sizeof copy && memchr(text.data, '\0', text.len) == NULL);
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    int family = memchr(copy, ':', text.len) != NULL ? AF_INET6 : AF_INET;
    return inet_pton(family, copy, &address) == 1 && inet_ntop(family, &address, out, INET6_ADDRSTRLEN) != NULL;
}

static bool make_address(struct arena *arena, struct bytes text, const char **out, char *why)
{
    char canonical[INET6_ADDRSTRLEN];
    if (!address_text(text, canonical))
        return refuse(why, "it is not an IPv4 or IPv6 address in text form (RFC 8738), without brackets, prefix length "
                           "or zone");
    char *value = arena_text(arena, canonical);
    if (value == NULL)
        return refuse(why, "the server is out of memory");
    *out = value;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool check_character(char c, size_t number, char *why)
{
    if ((c >= 'a' && c <= 'z') || is_digit(c) || c == '-')
        return true;
    if (c == '_')
        return refuse(why, "label %zu has an underscore, which a host name cannot have", number);
    if (c == '*')
        return refuse(why, "\"*\" may stand only alone as the first label of a longer name");
    if ((uint8_t)c >= 0x80)
        return refuse(why, "label %zu is not ASCII; send international names in their \"xn--\" form", number);
    if (c <= 0x20 || c == 0x7f)
        return refuse(why, "label %zu has a space or control character", number);
    return refuse(why, "label %zu has the character \"%c\"; only letters, digits and hyphens are allowed", number, c);
}

static bool check_hyphens(const char *label, size_t len, size_t number, char *why)
{
    if (label[0] == '-' || label[len - 1] == '-')
        return refuse(why, "label %zu begins or ends with a hyphen", number);
    if (len < 4 || label[2] != '-' || label[3] != '-')
        return true;
    /* RFC 5890 §2.3.1: of the labels with hyphens in third and fourth place only "xn--" has a meaning */
    if (label[0] != 'x' || label[1] != 'n')
        return refuse(why, "label %zu has hyphens in its third and fourth place, which only \"xn--\" labels may",
                      number);
    if (!punycode_valid(bytes_of(label + 4, len - 4)))
        return refuse(why, "label %zu begins with \"xn--\" but what follows is not Punycode (RFC 3492)", number);
    return true;
}

static bool check_label(const char *label, size_t len, size_t number, char *why)
{
    if (len == 0)
        return refuse(why, "label %zu is empty", number);
    if (len > LABEL_MAX_BYTES)
        return refuse(why, "label %zu is %zu bytes long; at most %d are allowed", number, len, LABEL_MAX_BYTES);
    for (size_t i = 0; i < len; i++)
        TRY(check_character(label[i], number, why));
    return check_hyphens(label, len, number, why);
}

static bool check_labels(const char *name, size_t first_number, char *why)
{
    const char *label = name;
    for (size_t number = first_number;; number++) {
        const char *end = strchrnul(label, '.');
        TRY(check_label(label, (size_t)(end - label), number, why));
        if (*end == '\0')
            break;
        label = end + 1;
    }
    /* RFC 1123 §2.1: so that a name is never taken for an address */
    if (label[strspn(label, "0123456789")] == '\0')
        return refuse(why, "the last label is all digits, as in an IP address");
    return true;
}

static bool check_whole(struct bytes text, char *why)
{
    char address[INET6_ADDRSTRLEN];
    if (text.len == 0)
        return refuse(why, "the name is empty");
    if (text.len > IDENTIFIER_MAX_BYTES)
        return refuse(why, "the name is %zu bytes long; at most %d are allowed", text.len, IDENTIFIER_MAX_BYTES);
    if (memchr(text.data, '\0', text.len) != NULL)
        return refuse(why, "the name has a zero byte");
    if (address_text(text, address))
        return refuse(why, "it is an IP address; send it with the identifier type \"ip\" (RFC 8738)");
    if (text.len > 1 && text.data[text.len - 1] == '.')
        return refuse(why, "the name ends with a dot; leave the dot out");
    return true;
}

static bool make_name(struct arena *arena, struct bytes text, const char **out, char *why)
{
    TRY(check_whole(text, why));
    char *name = arena_text_of(arena, text);
    if (name == NULL)
        return refuse(why, "the server is out of memory");
    for (char *c = name; *c != '\0'; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c - 'A' + 'a') : *c;
    bool wildcard = strncmp(name, "*.", 2) == 0;
    TRY(check_labels(wildcard ? name + 2 : name, wildcard ? 2 : 1, why));
    *out = name;
    return true;
}

bool identifier_make(struct arena *arena, enum acme_identifier_type type, struct bytes text,
                     struct acme_identifier *out, char why[static IDENTIFIER_WHY_SIZE])
{
    CHECK(type < IDENTIFIER_TYPES);
    const char *value;
    TRY(type == IDENTIFIER_IP ? make_address(arena, text, &value, why) : make_name(arena, text, &value, why));
    *out = (struct acme_identifier) { type, value };
    return true;
}

bool identifier_is_wildcard(const struct acme_identifier *identifier)
{
    return identifier->type == IDENTIFIER_DNS && strncmp(identifier->value, "*.", 2) == 0;
}

const char *identifier_base(const struct acme_identifier *identifier)
{
    return identifier->value + (identifier_is_wildcard(identifier) ? 2 : 0);
}

bool identifier_general_name(const struct acme_identifier *identifier, struct buf *out)
{
    enum { NAME_DNS = 0x82, NAME_ADDRESS = 0x87 };
    uint8_t address[sizeof(struct in6_addr)];
    struct bytes value = bytes_text(identifier->value);
    size_t start = out->len;
    if (identifier->type == IDENTIFIER_IP) {
        bool v6 = strchr(identifier->value, ':') != NULL;
        TRY(inet_pton(v6 ? AF_INET6 : AF_INET, identifier->value, address) == 1);
        value = bytes_of(address, v6 ? sizeof(struct in6_addr) : sizeof(struct in_addr));
    }
    buf_append(out, value.data, value.len);
    der_wrap(out, start, identifier->type == IDENTIFIER_IP ? NAME_ADDRESS : NAME_DNS);
    return true;
}

bool identifier_lies_below(const char *name, const char *domain)
{
    size_t name_len = strlen(name), len = strlen(domain);
    return name_len > len && strcmp(name + name_len - len, domain) == 0 && name[name_len - len - 1] == '.';
}

int identifier_compare(const struct acme_identifier *a, const struct acme_identifier *b)
{
    if (a->type != b->type)
        return a->type < b->type ? -1 : 1;
    return strcmp(a->value, b->value);
}

static int compare_entries(const void *a, const void *b)
{
    return identifier_compare(a, b);
}

size_t identifier_sort_unique(struct acme_identifier *list, size_t count)
{
    if (count == 0)
        return 0;
    qsort(list, count, sizeof *list, compare_entries);
    size_t kept = 1;
    for (size_t i = 1; i < count; i++) {
        if (identifier_compare(&list[kept - 1], &list[i]) != 0)
            list[kept++] = list[i];
    }
    return kept;
}
