/* Between text and value, kind by kind. */
#include "server/web/endpoint.h"
#include "server/policy/name_pattern.h"
#include "server/web/network.h"
#include "server/limits/rate.h"
#include "server/settings/settings_row.h"

#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit duration_units[] = {
    { "d", SETTING_DAY }, { "h", SETTING_HOUR }, { "m", 60 * SETTING_SECOND }, { "s", SETTING_SECOND }, { "ms", 1 },
};
static const struct unit size_units[] = {
    { "TiB", SETTING_TIB }, { "GiB", SETTING_TIB >> 10 }, { "MiB", SETTING_MIB }, { "KiB", 1024 }, { "", 1 },
};
static const struct unit number_units[] = { { "", 1 } };

/* The state of one parse: what is read, and where the reason goes. */
struct reading {
    struct arena *arena;
    const struct setting_input *input;
    const struct setting_row *row;
    char *why;
};

static bool refuse(const struct reading *reading, const char *format, ...) PRINTF_LIKE(2, 3);
static bool refuse(const struct reading *reading, const char *format, ...)
{
    char reason[SETTINGS_WHY_SIZE / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    snprintf(reading->why, SETTINGS_WHY_SIZE, "%.200s: %s: %s", reading->input->origin, reading->row->name, reason);
    return false;
}

static bool refuse_kind(const struct reading *reading, const char *text)
{
    return refuse(reading, "\"%.80s\" is not a %s", text, setting_kind_text(reading->row->kind));
}

/* ---- numbers */

static bool number_with_unit(const char *text, const struct unit *units, size_t count, int64_t *out)
{
    int64_t number = 0;
    const char *rest = text;
    for (; *rest >= '0' && *rest <= '9'; rest++)
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, *rest - '0', &number))
            return false;
    TRY(rest != text);
    for (size_t i = 0; i < count; i++)
        if (strcmp(rest, units[i].name) == 0)
            return !__builtin_mul_overflow(number, units[i].factor, out);
    return false;
}

static void units_of(enum setting_kind kind, const struct unit **out, size_t *out_count)
{
    if (kind == SETTING_KIND_DURATION) {
        *out = duration_units;
        *out_count = ARRAY_SIZE(duration_units);
    } else if (kind == SETTING_KIND_SIZE) {
        *out = size_units;
        *out_count = ARRAY_SIZE(size_units);
    } else {
        *out = number_units;
        *out_count = ARRAY_SIZE(number_units);
    }
}

void setting_format_number(enum setting_kind kind, int64_t number, struct buf *out)
{
    const struct unit *units;
    size_t count;
    units_of(kind, &units, &count);
    size_t i = 0;
    while (i + 1 < count && (number == 0 || number % units[i].factor != 0))
        i++;
    buf_printf(out, "%lld%s", (long long)(number / units[i].factor), units[i].name);
}

static bool parse_number(const struct reading *reading, const char *text, void *out)
{
    const struct setting_row *row = reading->row;
    const struct unit *units;
    size_t count;
    units_of(row->kind, &units, &count);
    int64_t number;
    if (!number_with_unit(text, units, count, &number))
        return refuse_kind(reading, text);
    if (number < row->least || number > row->most) {
        AUTO_BUF(range, 100);
        setting_format_number(row->kind, row->least, &range);
        buf_text(&range, " to ");
        setting_format_number(row->kind, row->most, &range);
        return refuse(reading, "%.80s is out of range; it may be %s", text, buf_str(&range));
    }
    *(int64_t *)out = number;
    return true;
}

/* ---- words */

static bool parse_text(const struct reading *reading, const char *text, void *out)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return refuse(reading, "the text holds a control character");
    const char *copy = arena_text(reading->arena, text);
    if (copy == NULL)
        return refuse(reading, "out of memory");
    *(const char **)out = copy;
    return true;
}

static bool parse_bool(const struct reading *reading, const char *text, void *out)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        { "true", true }, { "false", false }, { "yes", true }, { "no", false }, { "on", true }, { "off", 0 }
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcmp(text, words[i].text) == 0) {
            *(bool *)out = words[i].value;
            return true;
        }
    return refuse(reading, "\"%.80s\" is neither true nor false", text);
}

static bool is_choice(const struct setting_row *row, const char *text)
{
    size_t len = strlen(text);
    for (const char *choice = row->choices; *choice != '\0';) {
        size_t choice_len = strcspn(choice, "|");
        if (len == choice_len && memcmp(choice, text, len) == 0)
            return true;
        choice += choice_len + (choice[choice_len] == '|');
    }
    return false;
}

static bool parse_choice(const struct reading *reading, const char *text, void *out)
{
    if (is_choice(reading->row, text))
        return parse_text(reading, text, out);
    return refuse(reading, "\"%.80s\" is none of %s", text, reading->row->choices);
}

static bool url_ok(const char *text)
{
    const char *host = strncmp(text, "https://", 8) == 0 ? text + 8 : strncmp(text, "http://", 7) == 0 ? text + 7 : "";
    return *host != '\0' && *host != '/' && *host != ':' && strpbrk(host, " \"<>\\^`{|}") == NULL;
}

static bool parse_url(const struct reading *reading, const char *text, void *out)
{
    if (*text != '\0' && !url_ok(text))
        return refuse(reading, "\"%.80s\" is not an http:// or https:// URL", text);
    return parse_text(reading, text, out);
}

/* ---- names and addresses */

static bool parse_endpoint(const struct reading *reading, const char *text, void *out)
{
    struct endpoint endpoint;
    bool off = *text == '\0' && reading->row->kind == SETTING_KIND_ENDPOINT;
    if (!off && !endpoint_read(text, &endpoint))
        return refuse(reading, "\"%.80s\" is not an address to listen on; write HOST:PORT, [IPV6]:PORT or unix:PATH",
                      text);
    return parse_text(reading, text, out);
}

enum { RESOLVER_SIZE = 64 }; /* "[V6]:PORT" and room */

static bool parse_resolver(const struct reading *reading, const char *text, void *out)
{
    static const char prefix[] = "tls://";
    char address[RESOLVER_SIZE];
    struct endpoint endpoint;
    bool tls = strncmp(text, prefix, sizeof prefix - 1) == 0;
    const char *from = text + (tls ? sizeof prefix - 1 : 0);
    size_t len = tls ? strcspn(from, "#") : strlen(from);
    snprintf(address, sizeof address, "%.*s", (int)(len < sizeof address ? len : 0), from);
    bool named = from[len] == '#';
    bool ok = *text == '\0' || (endpoint_read(address, &endpoint) && ip_address_ok(endpoint.host) &&
                                (!named || dns_name_ok(from + len + 1)));
    if (!ok)
        return refuse(reading,
                      "\"%.80s\" is not the address of a DNS server; write it like 127.0.0.1:53 or "
                      "tls://127.0.0.1:853#NAME",
                      text);
    return parse_text(reading, text, out);
}

static void to_small_letters(char *name)
{
    for (char *c = name; *c != '\0'; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c);
}

static bool parse_name(const struct reading *reading, const char *text, void *out)
{
    if (!dns_name_ok(text))
        return refuse(reading, "\"%.80s\" is not a domain name", text);
    TRY(parse_text(reading, text, out));
    to_small_letters(*(char **)out);
    return true;
}

static bool parse_pattern(const struct reading *reading, const char *text, void *out)
{
    char why[NAME_PATTERN_WHY_SIZE];
    return name_pattern_read(reading->arena, text, out, why) || refuse(reading, "%s", why);
}

static bool parse_rate(const struct reading *reading, const char *text, void *out)
{
    struct rate rate;
    if (*text != '\0' && !rate_read(text, &rate))
        return refuse(reading, "\"%.80s\" is not a rate; write COUNT/PERIOD like 300/3h, or off", text);
    return parse_text(reading, text, out);
}

static bool parse_network(const struct reading *reading, const char *text, void *out)
{
    struct network network;
    bool words = reading->row->choices[0] != '\0';
    if (!is_choice(reading->row, text) && !network_read(text, &network))
        return refuse(reading, "\"%.80s\" is not an address or a network like 10.0.0.0/8%s%s", text,
                      words ? ", nor one of " : "", reading->row->choices);
    return parse_text(reading, text, out);
}

/* ---- lists */

typedef bool parse_one(const struct reading *reading, const char *text, void *out);

/* The short form of a list or map as pairs: "a, b" or "name=address,name=address". */
static bool split_pairs(const struct reading *reading, bool keys, struct setting_pair **out, size_t *out_count)
{
    char *text = arena_text(reading->arena, reading->input->pairs[0].text);
    struct setting_pair *pairs = arena_array(reading->arena, strlen(reading->input->pairs[0].text) + 1, sizeof *pairs);
    if (text == NULL || pairs == NULL)
        return refuse(reading, "out of memory");
    size_t count = 0;
    char *rest = text;
    for (char *item; (item = strsep(&rest, ",")) != NULL;) {
        item += strspn(item, " ");
        for (size_t len = strlen(item); len > 0 && item[len - 1] == ' '; len--)
            item[len - 1] = '\0';
        if (*item == '\0')
            continue;
        const char *key = keys ? strsep(&item, "=") : NULL;
        if (item == NULL)
            return refuse(reading, "\"%.80s\" lacks an address; write NAME=ADDRESS,NAME=ADDRESS", key);
        pairs[count++] = (struct setting_pair) { key, item };
    }
    *out = pairs;
    *out_count = count;
    return true;
}

static bool pairs_of(const struct reading *reading, bool keys, struct setting_pair **out, size_t *out_count)
{
    const struct setting_input *input = reading->input;
    if (input->shape == SETTING_SAYS_TEXT)
        return split_pairs(reading, keys, out, out_count);
    if ((input->shape == SETTING_SAYS_MAP) != keys)
        return refuse(reading, "a %s is expected", setting_kind_text(reading->row->kind));
    *out = input->pairs;
    *out_count = input->count;
    return true;
}

static bool parse_list(const struct reading *reading, parse_one *parse, struct setting_texts *out)
{
    struct setting_pair *pairs;
    size_t count;
    TRY(pairs_of(reading, false, &pairs, &count));
    struct setting_texts list = { .items = arena_array(reading->arena, count + 1, sizeof *list.items) };
    if (list.items == NULL)
        return refuse(reading, "out of memory");
    for (; list.count < count; list.count++)
        TRY(parse(reading, pairs[list.count].text, &list.items[list.count]));
    *out = list;
    return true;
}

/* The row of a name that is already there, else a new one; NULL when memory is out. */
static struct validators_host *host_of(const struct reading *reading, const char *name, struct setting_hosts *hosts)
{
    for (size_t i = 0; i < hosts->count; i++)
        if (strcasecmp(hosts->items[i].name, name) == 0)
            return &hosts->items[i];
    char *copy = arena_text(reading->arena, name);
    const char **addresses = arena_array(reading->arena, SETTING_HOST_ADDRESSES_MAX, sizeof *addresses);
    if (copy == NULL || addresses == NULL)
        return NULL;
    to_small_letters(copy);
    struct validators_host *host = &hosts->items[hosts->count++];
    *host = (struct validators_host) { .name = copy, .addresses = addresses };
    return host;
}

static bool parse_host(const struct reading *reading, const struct setting_pair *pair, struct setting_hosts *hosts)
{
    const char *name = pair->key;
    if (!dns_name_ok(strncmp(name, "*.", 2) == 0 ? name + 2 : name))
        return refuse(reading, "\"%.80s\" is not a name or *.NAME", name);
    if (!ip_address_ok(pair->text))
        return refuse(reading, "\"%.80s\" (for %.80s) is not an IP address", pair->text, name);
    struct validators_host *host = host_of(reading, name, hosts);
    const char *address = arena_text(reading->arena, pair->text);
    if (host == NULL || address == NULL)
        return refuse(reading, "out of memory");
    if (host->address_count == SETTING_HOST_ADDRESSES_MAX)
        return refuse(reading, "%.80s has more than %d addresses", name, SETTING_HOST_ADDRESSES_MAX);
    ((const char **)host->addresses)[host->address_count++] = address;
    return true;
}

static bool parse_hosts(const struct reading *reading, struct setting_hosts *out)
{
    struct setting_pair *pairs;
    size_t count;
    TRY(pairs_of(reading, true, &pairs, &count));
    struct setting_hosts hosts = { .items = arena_array(reading->arena, count + 1, sizeof *hosts.items) };
    if (hosts.items == NULL)
        return refuse(reading, "out of memory");
    for (size_t i = 0; i < count; i++)
        TRY(parse_host(reading, &pairs[i], &hosts));
    *out = hosts;
    return true;
}

/* ---- any kind */

static parse_one *const parsers[] = {
    [SETTING_KIND_TEXT] = parse_text,          [SETTING_KIND_URL] = parse_url,
    [SETTING_KIND_BOOL] = parse_bool,          [SETTING_KIND_INTEGER] = parse_number,
    [SETTING_KIND_DURATION] = parse_number,    [SETTING_KIND_SIZE] = parse_number,
    [SETTING_KIND_CHOICE] = parse_choice,      [SETTING_KIND_ENDPOINT] = parse_endpoint,
    [SETTING_KIND_ENDPOINTS] = parse_endpoint, [SETTING_KIND_RESOLVER] = parse_resolver,
    [SETTING_KIND_NAMES] = parse_name,         [SETTING_KIND_HOSTS] = NULL,
    [SETTING_KIND_RATE] = parse_rate,          [SETTING_KIND_CHOICES] = parse_choice,
    [SETTING_KIND_NETWORKS] = parse_network,   [SETTING_KIND_PATTERNS] = parse_pattern,
};

static const bool is_list[] = {
    [SETTING_KIND_ENDPOINTS] = true, [SETTING_KIND_NAMES] = true, [SETTING_KIND_CHOICES] = true,
    [SETTING_KIND_NETWORKS] = true,  [SETTING_KIND_HOSTS] = true, [SETTING_KIND_PATTERNS] = true,
};

bool setting_parse(struct arena *arena, const struct setting_input *input, void *out_field,
                   char why[static SETTINGS_WHY_SIZE])
{
    struct reading reading = { .arena = arena, .input = input, .row = &setting_rows[input->id], .why = why };
    enum setting_kind kind = reading.row->kind;
    if (kind == SETTING_KIND_HOSTS)
        return parse_hosts(&reading, out_field);
    if (is_list[kind])
        return parse_list(&reading, parsers[kind], out_field);
    if (input->shape != SETTING_SAYS_TEXT)
        return refuse(&reading, "one value is expected, not a list or map");
    return parsers[kind](&reading, input->pairs[0].text, out_field);
}
