#include "server/limits/limit_subject.h"

#include "server/limits/limit.h"
#include "server/web/network.h"

#include <arpa/inet.h>
#include <libpsl.h>
#include <stdio.h>

enum { NAMES_MAX = 1000 };

/* ---- who asks */

const char *limit_caller(struct arena *arena, const char *peer, unsigned bits)
{
    struct in6_addr raw;
    char text[INET6_ADDRSTRLEN];
    size_t len = strcspn(peer, "%"); /* a link-local address may name its interface */
    if (len >= sizeof text)
        return arena_text(arena, peer);
    snprintf(text, sizeof text, "%.*s", (int)len, peer);
    if (inet_pton(AF_INET6, text, &raw) != 1)
        return arena_text(arena, peer);
    if (IN6_IS_ADDR_V4MAPPED(&raw))
        return arena_text(arena, inet_ntop(AF_INET, &raw.s6_addr[12], text, sizeof text));
    memset(raw.s6_addr + bits / 8, 0, sizeof raw.s6_addr - bits / 8);
    return arena_printf(arena, "%s/%u", inet_ntop(AF_INET6, &raw, text, sizeof text), bits);
}

bool limit_caller_is_v6(const char *caller)
{
    return strchr(caller, ':') != NULL;
}

bool limit_caller_is_loopback(const char *peer)
{
    static const char *const networks[] = { "127.0.0.0/8", "::1" };
    struct network network;
    if (strcmp(peer, "local") == 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
        CHECK(network_read(networks[i], &network));
        if (network_holds(&network, peer))
            return true;
    }
    return false;
}

/* ---- what for */

const char *limit_domain(struct arena *arena, const struct acme_identifier *identifier)
{
    if (identifier->type == IDENTIFIER_IP)
        return limit_caller(arena, identifier->value, CALLER_BITS);
    const char *name = identifier_base(identifier);
    const char *registered = psl_registrable_domain(psl_builtin(), name);
    return arena_text(arena, registered != NULL ? registered : name);
}

const char *limit_account_name(struct arena *arena, const char *account, const struct acme_identifier *identifier)
{
    return arena_printf(arena, "%s/%s", account, identifier_base(identifier));
}

const char *limit_account_domain(struct arena *arena, const char *account, const struct acme_identifier *identifier)
{
    const char *domain = limit_domain(arena, identifier);
    return domain != NULL ? arena_printf(arena, "%s/%s", account, domain) : NULL;
}

const char *limit_set_shown(struct arena *arena, const struct identifiers *set)
{
    AUTO_BUF(text, 256);
    for (size_t i = 0; i < set->count && !text.failed; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", set->items[i].value);
    return text.failed ? arena_printf(arena, "%.100s and %zu more", set->items[0].value, set->count - 1)
                       : arena_text(arena, buf_str(&text));
}

/* ---- as operators write them */

static bool read_name(struct arena *arena, const char *text, size_t len, struct acme_identifier *out,
                      char why[static IDENTIFIER_WHY_SIZE])
{
    char unused[IDENTIFIER_WHY_SIZE];
    return identifier_make(arena, IDENTIFIER_IP, bytes_of(text, len), out, unused) ||
           identifier_make(arena, IDENTIFIER_DNS, bytes_of(text, len), out, why);
}

bool limit_names_read(struct arena *arena, const char *text, struct identifiers *out,
                      char why[static IDENTIFIER_WHY_SIZE])
{
    size_t count = 1, len;
    for (const char *c = text; *c != '\0'; c++)
        count += *c == ',';
    struct acme_identifier *items = count <= NAMES_MAX ? arena_array(arena, count, sizeof *items) : NULL;
    if (items == NULL) {
        snprintf(why, IDENTIFIER_WHY_SIZE, "there are more than %d", NAMES_MAX);
        return false;
    }
    for (size_t i = 0; i < count; i++, text += len + 1) {
        len = strcspn(text, ",");
        TRY(read_name(arena, text, len, &items[i], why));
    }
    *out = (struct identifiers) { items, identifier_sort_unique(items, count) };
    return true;
}

static bool fail(char why[static LIMIT_WHY_SIZE], const char *format, ...) PRINTF_LIKE(2, 3);
static bool fail(char why[static LIMIT_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, LIMIT_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

/* An address, or the network of one with its length. */
static const char *read_caller(struct arena *arena, const char *text, unsigned bits, char why[static LIMIT_WHY_SIZE])
{
    size_t len = strcspn(text, "/");
    char length[8] = "", unused[IDENTIFIER_WHY_SIZE];
    struct acme_identifier address;
    snprintf(length, sizeof length, "/%u", bits);
    if (!identifier_make(arena, IDENTIFIER_IP, bytes_of(text, len), &address, unused) ||
        (text[len] != '\0' && strcmp(text + len, length) != 0)) {
        fail(why, "\"%.100s\" is no address", text);
        return NULL;
    }
    return limit_caller(arena, address.value, bits);
}

static const char *read_domain(struct arena *arena, const char *text, char why[static LIMIT_WHY_SIZE])
{
    struct acme_identifier name;
    char reason[IDENTIFIER_WHY_SIZE];
    if (strchr(text, '/') != NULL)
        return read_caller(arena, text, CALLER_BITS, why);
    if (read_name(arena, text, strlen(text), &name, reason))
        return limit_domain(arena, &name);
    fail(why, "\"%.100s\" is no domain: %s", text, reason);
    return NULL;
}

static const char *read_account(struct arena *arena, const char *text, size_t len, char why[static LIMIT_WHY_SIZE])
{
    bool plain = len == ID_SIZE - 1 && strspn(text, "0123456789abcdefghijklmnopqrstuv") >= len;
    if (!plain)
        fail(why, "\"%.*s\" is no account's id", (int)(len < 100 ? len : 100), text);
    return plain ? arena_text_of(arena, bytes_of(text, len)) : NULL;
}

/* "ACCOUNT/NAME" or "ACCOUNT/DOMAIN" */
static const char *read_pair(struct arena *arena, const char *text, bool domain, char why[static LIMIT_WHY_SIZE])
{
    struct acme_identifier name;
    char reason[IDENTIFIER_WHY_SIZE];
    size_t len = strcspn(text, "/");
    const char *account = read_account(arena, text, len, why);
    if (account == NULL || text[len] == '\0') {
        fail(why, "\"%.100s\" is not ACCOUNT/NAME", text);
        return NULL;
    }
    const char *rest = text + len + 1;
    if (domain) {
        const char *registered = read_domain(arena, rest, why);
        return registered != NULL ? arena_printf(arena, "%s/%s", account, registered) : NULL;
    }
    if (read_name(arena, rest, strlen(rest), &name, reason))
        return limit_account_name(arena, account, &name);
    fail(why, "\"%.100s\" is no name: %s", rest, reason);
    return NULL;
}

static const char *read_set(struct arena *arena, const char *text, char why[static LIMIT_WHY_SIZE])
{
    struct identifiers names;
    char reason[IDENTIFIER_WHY_SIZE];
    if (limit_names_read(arena, text, &names, reason))
        return store_subject_of_set(arena, &names);
    fail(why, "\"%.100s\" is no list of names with commas: %s", text, reason);
    return NULL;
}

bool limit_subject_read(struct arena *arena, enum limit limit, const char *text, const char **out,
                        char why[static LIMIT_WHY_SIZE])
{
    const char *subject = NULL;
    fail(why, "out of memory");
    switch (limit_whose(limit)) {
    case LIMIT_OF_ADDRESS:
        subject = read_caller(arena, text, CALLER_BITS, why);
        break;
    case LIMIT_OF_NETWORK:
        subject = read_caller(arena, text, CALLER_NETWORK_BITS, why);
        break;
    case LIMIT_OF_ACCOUNT:
        subject = read_account(arena, text, strlen(text), why);
        break;
    case LIMIT_OF_ACCOUNT_NAME:
        subject = read_pair(arena, text, false, why);
        break;
    case LIMIT_OF_DOMAIN:
        subject = read_domain(arena, text, why);
        break;
    case LIMIT_OF_ACCOUNT_DOMAIN:
        subject = read_pair(arena, text, true, why);
        break;
    case LIMIT_OF_SET:
        subject = read_set(arena, text, why);
        break;
    }
    if (subject != NULL)
        *out = subject;
    return subject != NULL;
}
