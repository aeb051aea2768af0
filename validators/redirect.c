#include "validators/redirect.h"

#include "validators/address.h"

#include <curl/curl.h>
#include <stdio.h>

DEFINE_DROP_TYPE(CURLU, curl_url_cleanup)

void val_target_first(struct val_target *target, const struct acme_identifier *identifier, uint16_t port,
                      const char *token)
{
    bool v6 = identifier->type == IDENTIFIER_IP && strchr(identifier->value, ':') != NULL;
    char colon_port[8] = "";
    if (port != 80)
        snprintf(colon_port, sizeof colon_port, ":%u", port);
    snprintf(target->host, sizeof target->host, "%s", identifier->value);
    snprintf(target->url, sizeof target->url, "http://%s%s%s%s/.well-known/acme-challenge/%s", v6 ? "[" : "",
             target->host, v6 ? "]" : "", colon_port, token);
    target->port = port;
}

static bool refuse(char why[static VAL_TARGET_WHY_SIZE], const char *what)
{
    snprintf(why, VAL_TARGET_WHY_SIZE, "%s", what);
    return false;
}

static bool is_name(const char *host)
{
    size_t label = 0;
    for (const char *p = host; *p != '\0'; p++) {
        bool letter = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_';
        TRY(letter || (*p == '.' && label > 0));
        label = letter ? label + 1 : 0;
        TRY(label <= LABEL_MAX_BYTES);
    }
    return label > 0;
}

/* A last label that is a number makes an IPv4 address of the whole, in one of its old forms unless it parses. */
static bool ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *label = dot != NULL ? dot + 1 : host;
    return strncmp(label, "0x", 2) == 0 || strspn(label, "0123456789") == strlen(label);
}

/* Lower case, no trailing dot, no brackets. */
static bool take_host(struct val_target *to, const char *text)
{
    struct val_address address;
    size_t len = strlen(text);
    bool v6 = len > 2 && text[0] == '[' && text[len - 1] == ']';
    if (v6) {
        text++;
        len -= 2;
    } else if (len > 0 && text[len - 1] == '.') {
        len--;
    }
    TRY(len < sizeof to->host);
    for (size_t i = 0; i < len; i++)
        to->host[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + ('a' - 'A')) : text[i];
    to->host[len] = '\0';
    if (v6 || ends_in_number(to->host))
        return val_address_parse(to->host, &address);
    return is_name(to->host);
}

static bool take_part(CURLU *parsed, CURLUPart part, unsigned flags, char *out, size_t size)
{
    char *text = NULL;
    TRY(curl_url_get(parsed, part, &text, flags) == CURLUE_OK);
    size_t len = strlen(text);
    if (len < size)
        memcpy(out, text, len + 1);
    curl_free(text);
    return len < size;
}

/* libcurl would ask DNS for a name that still ends in a dot, or not find the pinned address: the host goes back clean.
 */
static bool rewrite(CURLU *parsed, struct val_target *to)
{
    char host[VAL_TARGET_HOST_SIZE + 2];
    bool v6 = strchr(to->host, ':') != NULL;
    snprintf(host, sizeof host, "%s%s%s", v6 ? "[" : "", to->host, v6 ? "]" : "");
    TRY(curl_url_set(parsed, CURLUPART_HOST, host, 0) == CURLUE_OK);
    TRY(curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK);
    return take_part(parsed, CURLUPART_URL, 0, to->url, sizeof to->url);
}

static bool has_zone(CURLU *parsed)
{
    char *zone = NULL;
    bool has = curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0) == CURLUE_OK;
    curl_free(zone);
    return has;
}

static bool parse(CURLU *parsed, struct val_target *to, char why[static VAL_TARGET_WHY_SIZE])
{
    char scheme[8], host[VAL_TARGET_HOST_SIZE + 2], port[8];
    if (!take_part(parsed, CURLUPART_SCHEME, 0, scheme, sizeof scheme) ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return refuse(why, "only http and https are followed");
    if (!take_part(parsed, CURLUPART_HOST, 0, host, sizeof host) || !take_host(to, host) || has_zone(parsed))
        return refuse(why, "its host is neither a DNS name nor an IP address");
    if (!take_part(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof port))
        return refuse(why, "its port is not a number");
    to->port = (uint16_t)strtoul(port, NULL, 10);
    return rewrite(parsed, to) || refuse(why, "it is longer than 2047 bytes");
}

bool val_target_follow(struct val_target *target, const char *location, uint16_t http_port, uint16_t tls_port,
                       char why[static VAL_TARGET_WHY_SIZE])
{
    struct val_target to;
    AUTO_TYPE(CURLU) parsed = curl_url();
    if (location[0] == '\0')
        return refuse(why, "it names no Location");
    if (strlen(location) >= sizeof to.url)
        return refuse(why, "it is longer than 2047 bytes");
    if (parsed == NULL || curl_url_set(parsed, CURLUPART_URL, target->url, 0) != CURLUE_OK ||
        curl_url_set(parsed, CURLUPART_URL, location, CURLU_DISALLOW_USER) != CURLUE_OK)
        return refuse(why, "it cannot be read as a URL");
    TRY(parse(parsed, &to, why));
    if (to.port != http_port && to.port != tls_port && to.port != 80 && to.port != 443) {
        snprintf(why, VAL_TARGET_WHY_SIZE, "port %u is not one of %u, %u, 80 and 443", to.port, http_port, tls_port);
        return false;
    }
    *target = to;
    return true;
}
