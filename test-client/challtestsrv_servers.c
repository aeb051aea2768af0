#include "test-client/challtestsrv_servers.h"

#include "test-client/challtestsrv_api.h"
#include "test-client/dns_rdata.h"
#include "test-client/dns_server.h"
#include "test-client/tls_server.h"

#include <stdio.h>

enum { BINDS_MAX = 16, LINE_SIZE = 512 };

/* One listening server of any kind. */
struct bound {
    const struct kind *kind;
    void *server;
};

struct cts_servers {
    uv_loop_t *loop;
    struct cts_answers answers;
    struct bound bound[4 * BINDS_MAX];
    size_t bound_count;
};

/* What one flag starts. */
struct kind {
    enum cts_flag flag;
    const char *says; /* in front of the address */
    bool (*start)(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                  char why[static LISTEN_WHY_SIZE]);
    uint16_t (*port)(const void *server);
    void (*drop)(void *server);
};

static bool start_dns(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                      char why[static LISTEN_WHY_SIZE])
{
    struct dns_server *server;
    TRY(dns_server_start(servers->loop, address, dns_answer_from_zone, servers->answers.zone, &server, why));
    *out = server;
    return true;
}

static bool start_http(struct cts_servers *servers, const struct sockaddr_storage *address, http_handler *handler,
                       void *owner, void **out, char why[static LISTEN_WHY_SIZE])
{
    struct http_server *server;
    TRY(http_server_start(servers->loop, address, NULL, handler, owner, &server, why));
    *out = server;
    return true;
}

static bool start_http01(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                         char why[static LISTEN_WHY_SIZE])
{
    return start_http(servers, address, http01_answer, servers->answers.http, out, why);
}

static bool start_management(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                             char why[static LISTEN_WHY_SIZE])
{
    return start_http(servers, address, cts_api_answer, &servers->answers, out, why);
}

static bool start_tls(struct cts_servers *servers, const struct sockaddr_storage *address, void **out,
                      char why[static LISTEN_WHY_SIZE])
{
    struct tls_server *server;
    TRY(tls_server_start(servers->loop, address, tls_alpn01_context(servers->answers.tls), &server, why));
    *out = server;
    return true;
}

static uint16_t port_of_dns(const void *server)
{
    return dns_server_port(server);
}

static uint16_t port_of_http(const void *server)
{
    return http_server_port(server);
}

static uint16_t port_of_tls(const void *server)
{
    return tls_server_port(server);
}

static void drop_dns(void *server)
{
    dns_server_drop(server);
}

static void drop_http(void *server)
{
    http_server_drop(server);
}

static void drop_tls(void *server)
{
    tls_server_drop(server);
}

static const struct kind challenge_kinds[] = {
    { CTS_HTTP01, "http-01 answers on ", start_http01, port_of_http, drop_http },
    { CTS_TLSALPN01, "tls-alpn-01 answers on ", start_tls, port_of_tls, drop_tls },
    { CTS_DNSSERVER, "DNS over UDP and TCP on ", start_dns, port_of_dns, drop_dns },
};

/* Test harnesses wait for this line. */
static const struct kind management_kind = { CTS_MANAGEMENT, "Starting management server on ", start_management,
                                             port_of_http, drop_http };

static bool listen_at(struct cts_servers *servers, const struct kind *kind, const char *text, cts_say *say,
                      char why[static LISTEN_WHY_SIZE])
{
    struct listen_address at;
    struct sockaddr_storage address;
    struct bound *bound = &servers->bound[servers->bound_count];
    if (servers->bound_count == ARRAY_SIZE(servers->bound)) {
        snprintf(why, LISTEN_WHY_SIZE, "there are too many addresses");
        return false;
    }
    TRY(listen_address_parse(text, &at, why) && listen_address_resolve(&at, &address, why));
    TRY(kind->start(servers, &address, &bound->server, why));
    bound->kind = kind;
    servers->bound_count++;
    char shown[LISTEN_TEXT_SIZE], line[LINE_SIZE];
    listen_address_text(&at, kind->port(bound->server), shown);
    snprintf(line, sizeof line, "%s%s", kind->says, shown);
    say(line);
    return true;
}

static bool listen_at_one(struct cts_servers *servers, const struct kind *kind, const struct cts_flags *flags,
                          const char *text, cts_say *say, char why[static CTS_WHY_SIZE])
{
    char reason[LISTEN_WHY_SIZE];
    if (listen_at(servers, kind, text, say, reason))
        return true;
    snprintf(why, CTS_WHY_SIZE, "-%s: cannot listen on %.100s: %s", cts_flag_text(kind->flag), text, reason);
    if (flags->given[kind->flag])
        return false;
    say(why);
    return true;
}

/* The flag's value is a list with commas. */
static bool listen_all(struct cts_servers *servers, const struct kind *kind, const struct cts_flags *flags,
                       cts_say *say, char why[static CTS_WHY_SIZE])
{
    AUTO_TYPE(char) list = strdup(flags->values[kind->flag]);
    if (list == NULL) {
        snprintf(why, CTS_WHY_SIZE, "out of memory");
        return false;
    }
    char *rest;
    for (char *text = strtok_r(list, ", ", &rest); text != NULL; text = strtok_r(NULL, ", ", &rest))
        TRY(listen_at_one(servers, kind, flags, text, say, why));
    return true;
}

static bool set_default(struct cts_servers *servers, enum dns_type type, const struct cts_flags *flags,
                        enum cts_flag flag, char why[static CTS_WHY_SIZE])
{
    const char *text = flags->values[flag];
    AUTO_BUF(rdata, 16);
    if (*text == '\0')
        return true;
    if (dns_rdata_address(type, text, &rdata) && mock_zone_set_default(servers->answers.zone, type, buf_bytes(&rdata)))
        return true;
    snprintf(why, CTS_WHY_SIZE, "-%s: \"%.100s\" is no %s address", cts_flag_text(flag), text,
             type == DNS_A ? "IPv4" : "IPv6");
    return false;
}

static bool make_answers(struct cts_servers *servers, const struct cts_flags *flags, char why[static CTS_WHY_SIZE])
{
    struct cts_answers *answers = &servers->answers;
    bool dns = *flags->values[CTS_DNSSERVER] != '\0', http = *flags->values[CTS_HTTP01] != '\0',
         tls = *flags->values[CTS_TLSALPN01] != '\0';
    answers->zone = dns ? mock_zone_create() : NULL;
    answers->http = http ? http01_create(200) : NULL; /* any other path is a page, if an empty one */
    answers->tls = tls ? tls_alpn01_create() : NULL;
    if ((dns && answers->zone == NULL) || (http && answers->http == NULL) || (tls && answers->tls == NULL)) {
        snprintf(why, CTS_WHY_SIZE, "out of memory");
        return false;
    }
    return !dns || (set_default(servers, DNS_A, flags, CTS_DEFAULT_IPV4, why) &&
                    set_default(servers, DNS_AAAA, flags, CTS_DEFAULT_IPV6, why));
}

static void say_what_is_not_served(const struct cts_flags *flags, cts_say *say)
{
    static const enum cts_flag taken[] = { CTS_HTTPS01, CTS_DOH };
    for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
        char line[LINE_SIZE];
        snprintf(line, sizeof line, "-%s %.100s: nothing listens there", cts_flag_text(taken[i]),
                 flags->values[taken[i]]);
        if (*flags->values[taken[i]] != '\0')
            say(line);
    }
}

bool cts_servers_start(uv_loop_t *loop, const struct cts_flags *flags, cts_say *say, struct cts_servers **out,
                       char why[static CTS_WHY_SIZE])
{
    AUTO(cts_servers) servers = calloc(1, sizeof *servers);
    if (servers == NULL) {
        snprintf(why, CTS_WHY_SIZE, "out of memory");
        return false;
    }
    servers->loop = loop;
    TRY(make_answers(servers, flags, why));
    say_what_is_not_served(flags, say);
    for (size_t i = 0; i < ARRAY_SIZE(challenge_kinds); i++)
        TRY(listen_all(servers, &challenge_kinds[i], flags, say, why));
    say("Starting challenge servers"); /* test harnesses wait for this line */
    TRY(listen_all(servers, &management_kind, flags, say, why));
    *out = TAKE(servers);
    return true;
}

void cts_servers_drop(struct cts_servers *servers)
{
    if (servers == NULL)
        return;
    for (size_t i = 0; i < servers->bound_count; i++)
        servers->bound[i].kind->drop(servers->bound[i].server);
    mock_zone_drop(servers->answers.zone);
    http01_drop(servers->answers.http);
    tls_alpn01_drop(servers->answers.tls);
    free(servers);
}
