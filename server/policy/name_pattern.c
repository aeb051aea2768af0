#include "server/policy/name_pattern.h"

#include "server/web/network.h"

#include <stdio.h>

static const char *below_what(const char *pattern)
{
    return strncmp(pattern, "*.", 2) == 0 ? pattern + 2 : NULL;
}

bool name_pattern_read(struct arena *arena, const char *text, const char **out, char why[static NAME_PATTERN_WHY_SIZE])
{
    struct network network;
    struct acme_identifier name;
    char reason[IDENTIFIER_WHY_SIZE] = "out of memory";
    bool is_network = network_read(text, &network);
    const char *copy = is_network ? arena_text(arena, text) : NULL;
    if (!is_network && identifier_make(arena, IDENTIFIER_DNS, bytes_text(text), &name, reason))
        copy = name.value;
    if (copy == NULL)
        snprintf(why, NAME_PATTERN_WHY_SIZE, "\"%.80s\" is no name, *.NAME, address or network: %s", text, reason);
    TRY(copy != NULL);
    *out = copy;
    return true;
}

/* By whole labels. */
static bool lies_below(const char *name, const char *above)
{
    size_t name_len = strlen(name), len = strlen(above);
    return name_len > len && strcmp(name + name_len - len, above) == 0 && name[name_len - len - 1] == '.';
}

/* An IPv4 network speaks for no IPv6 address, mapped ones included: they are other identifiers. */
static bool network_covers(const char *pattern, const char *address)
{
    struct network network;
    bool one_family = (strchr(pattern, ':') != NULL) == (strchr(address, ':') != NULL);
    return one_family && network_read(pattern, &network) && network_holds(&network, address);
}

bool name_pattern_covers(const char *pattern, const struct acme_identifier *identifier, enum authorization_scope scope)
{
    const char *below = below_what(pattern);
    if (identifier->type == IDENTIFIER_IP)
        return network_covers(pattern, identifier->value);
    const char *base = identifier_base(identifier);
    bool many = identifier_is_wildcard(identifier) || scope != SCOPE_NAME;
    if (below == NULL)
        return !many && strcmp(pattern, base) == 0;
    return lies_below(base, below) || (many && strcmp(base, below) == 0);
}

bool name_pattern_touches(const char *pattern, const struct acme_identifier *identifier)
{
    struct network network;
    const char *base = identifier_base(identifier);
    if (identifier->type == IDENTIFIER_IP)
        return network_read(pattern, &network) && network_holds(&network, identifier->value);
    if (name_pattern_covers(pattern, identifier, SCOPE_NAME))
        return true;
    /* a wildcard holds every name one label below its base */
    const char *dot = strchr(pattern, '.');
    return identifier_is_wildcard(identifier) && below_what(pattern) == NULL && dot != NULL &&
           strcmp(dot + 1, base) == 0;
}
