#include "validators/reserved.h"

#include <stdio.h>
#include <unistd.h>

struct network {
    struct val_address base;
    unsigned bits;
};

static const struct {
    const char *word, *phrase;
} kinds[VAL_RESERVED_KINDS] = {
#define X(name, word, phrase) [VAL_RESERVED_##name] = { word, phrase },
    VAL_RESERVED_TABLE(X)
#undef X
};

/* IANA's special-purpose address registries for IPv4 and IPv6, IPv4 multicast, and of IPv6 whatever is not global
 * unicast. The longest prefix that fits counts; `embeds` is where an IPv4 address starts inside. */
#define NETWORK_TABLE(X)                                                                                               \
    X("0.0.0.0/0", GLOBAL, 0)                                                                                          \
    X("0.0.0.0/8", UNSPECIFIED, 0)                                                                                     \
    X("10.0.0.0/8", PRIVATE, 0)                                                                                        \
    X("100.64.0.0/10", SHARED, 0)                                                                                      \
    X("100.100.100.200/32", METADATA, 0)                                                                               \
    X("127.0.0.0/8", LOOPBACK, 0)                                                                                      \
    X("169.254.0.0/16", LINK_LOCAL, 0)                                                                                 \
    X("169.254.169.254/32", METADATA, 0)                                                                               \
    X("172.16.0.0/12", PRIVATE, 0)                                                                                     \
    X("192.0.0.0/24", PROTOCOL, 0)                                                                                     \
    X("192.0.0.9/32", GLOBAL, 0)                                                                                       \
    X("192.0.0.10/32", GLOBAL, 0)                                                                                      \
    X("192.0.2.0/24", DOCUMENTATION, 0)                                                                                \
    X("192.88.99.0/24", TUNNEL, 0)                                                                                     \
    X("192.168.0.0/16", PRIVATE, 0)                                                                                    \
    X("198.18.0.0/15", BENCHMARK, 0)                                                                                   \
    X("198.51.100.0/24", DOCUMENTATION, 0)                                                                             \
    X("203.0.113.0/24", DOCUMENTATION, 0)                                                                              \
    X("224.0.0.0/4", MULTICAST, 0)                                                                                     \
    X("240.0.0.0/4", PROTOCOL, 0)                                                                                      \
    X("::/0", PROTOCOL, 0)                                                                                             \
    X("::/128", UNSPECIFIED, 0)                                                                                        \
    X("::1/128", LOOPBACK, 0)                                                                                          \
    X("::ffff:0:0/96", MAPPED, 12)                                                                                     \
    X("64:ff9b::/96", GLOBAL, 12)                                                                                      \
    X("64:ff9b:1::/48", TUNNEL, 0)                                                                                     \
    X("2000::/3", GLOBAL, 0)                                                                                           \
    X("2001::/23", PROTOCOL, 0)                                                                                        \
    X("2001::/32", TUNNEL, 0)                                                                                          \
    X("2001:1::1/128", GLOBAL, 0)                                                                                      \
    X("2001:1::2/128", GLOBAL, 0)                                                                                      \
    X("2001:1::3/128", GLOBAL, 0)                                                                                      \
    X("2001:2::/48", BENCHMARK, 0)                                                                                     \
    X("2001:3::/32", GLOBAL, 0)                                                                                        \
    X("2001:4:112::/48", GLOBAL, 0)                                                                                    \
    X("2001:20::/28", GLOBAL, 0)                                                                                       \
    X("2001:30::/28", GLOBAL, 0)                                                                                       \
    X("2001:db8::/32", DOCUMENTATION, 0)                                                                               \
    X("2002::/16", TUNNEL, 2)                                                                                          \
    X("3fff::/20", DOCUMENTATION, 0)                                                                                   \
    X("fc00::/7", PRIVATE, 0)                                                                                          \
    X("fd00:ec2::254/128", METADATA, 0)                                                                                \
    X("fd20:ce::254/128", METADATA, 0)                                                                                 \
    X("fe80::/10", LINK_LOCAL, 0)                                                                                      \
    X("ff00::/8", MULTICAST, 0)

static const struct {
    const char *text;
    enum val_reserved kind;
    unsigned embeds;
} rows[] = {
#define X(text, kind, embeds) { text, VAL_RESERVED_##kind, embeds },
    NETWORK_TABLE(X)
#undef X
};

struct val_reserve {
    bool allowed[VAL_RESERVED_KINDS];
    struct network known[ARRAY_SIZE(rows)];
    size_t count; /* of networks */
    struct network networks[];
};

const char *val_reserved_word(enum val_reserved kind)
{
    return kinds[kind].word;
}

const char *val_reserved_phrase(enum val_reserved kind)
{
    return kinds[kind].phrase;
}

static bool parse_bits(const char *text, unsigned most, unsigned *out)
{
    char *end;
    TRY(text[0] >= '0' && text[0] <= '9');
    unsigned long bits = strtoul(text, &end, 10);
    TRY(*end == '\0' && bits <= most);
    *out = (unsigned)bits;
    return true;
}

static bool parse_network(const char *text, struct network *out)
{
    char address[VAL_ADDRESS_SIZE];
    size_t len = strcspn(text, "/");
    TRY(len < sizeof address);
    memcpy(address, text, len);
    address[len] = '\0';
    TRY(val_address_parse(address, &out->base));
    out->bits = out->base.family == AF_INET ? 32 : 128;
    return text[len] == '\0' || parse_bits(text + len + 1, out->bits, &out->bits);
}

static bool contains(const struct network *network, const struct val_address *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    TRY(network->base.family == address->family && memcmp(network->base.ip, address->ip, whole) == 0);
    return rest == 0 || (network->base.ip[whole] ^ address->ip[whole]) >> (8 - rest) == 0;
}

static bool find_word(const char *text, enum val_reserved *out)
{
    for (unsigned kind = VAL_RESERVED_GLOBAL + 1; kind < VAL_RESERVED_KINDS; kind++) {
        if (strcmp(text, kinds[kind].word) == 0) {
            *out = kind;
            return true;
        }
    }
    return false;
}

static bool add(struct val_reserve *reserve, const char *text, char why[static VALIDATORS_WHY_SIZE])
{
    enum val_reserved kind;
    if (find_word(text, &kind)) {
        reserve->allowed[kind] = true;
        return true;
    }
    if (parse_network(text, &reserve->networks[reserve->count])) {
        reserve->count++;
        return true;
    }
    snprintf(why, VALIDATORS_WHY_SIZE, "validation.allow-addresses: \"%.80s\" is neither a network nor one of", text);
    for (kind = VAL_RESERVED_GLOBAL + 1; kind < VAL_RESERVED_KINDS; kind++)
        snprintf(why + strlen(why), VALIDATORS_WHY_SIZE - strlen(why), " %s", kinds[kind].word);
    return false;
}

bool val_reserve_make(const char *const *allowed, size_t count, struct val_reserve **out,
                      char why[static VALIDATORS_WHY_SIZE])
{
    AUTO(val_reserve) reserve = calloc(1, sizeof *reserve + count * sizeof reserve->networks[0]);
    if (reserve == NULL) {
        snprintf(why, VALIDATORS_WHY_SIZE, "out of memory");
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        CHECK(parse_network(rows[i].text, &reserve->known[i]));
    for (size_t i = 0; i < count; i++)
        TRY(add(reserve, allowed[i], why));
    *out = TAKE(reserve);
    return true;
}

void val_reserve_drop(struct val_reserve *reserve)
{
    free(reserve);
}

static size_t find_row(const struct val_reserve *reserve, const struct val_address *address)
{
    size_t best = ARRAY_SIZE(rows);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (contains(&reserve->known[i], address) &&
            (best == ARRAY_SIZE(rows) || reserve->known[i].bits > reserve->known[best].bits))
            best = i;
    CHECK(best < ARRAY_SIZE(rows));
    return best;
}

/* Only its own addresses does a machine let anyone bind to. */
static bool is_own(const struct val_address *address)
{
    struct sockaddr_storage to;
    socklen_t len = val_address_socket(address, 0, &to);
    int fd = socket(address->family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool own = fd >= 0 && bind(fd, (struct sockaddr *)&to, len) == 0;
    if (fd >= 0)
        close(fd);
    return own;
}

enum val_reserved val_reserve_judge(const struct val_reserve *reserve, const struct val_address *address)
{
    for (size_t i = 0; i < reserve->count; i++)
        if (contains(&reserve->networks[i], address))
            return VAL_RESERVED_GLOBAL;
    size_t row = find_row(reserve, address);
    if (rows[row].kind != VAL_RESERVED_GLOBAL && !reserve->allowed[rows[row].kind])
        return rows[row].kind;
    if (rows[row].embeds > 0) {
        struct val_address inner;
        CHECK(val_address_from_bytes(bytes_of(address->ip + rows[row].embeds, 4), &inner));
        return val_reserve_judge(reserve, &inner);
    }
    if (reserve->allowed[VAL_RESERVED_SELF] || rows[row].kind == VAL_RESERVED_LOOPBACK || !is_own(address))
        return VAL_RESERVED_GLOBAL;
    return VAL_RESERVED_SELF;
}
