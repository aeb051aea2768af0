/* What every command that issues needs: one event loop with its connections, its challenge responder and the settings
 * of its flows, made from the command line. */
#pragma once

#include "test-client/flow.h"
#include "test-client/options.h"

struct tc_client_options {
    const char *directory_url, *ca_file;
    int challenge; /* enum acme_challenge_type */
    long http_port, tls_port, dns_port;
    struct tc_option_list contacts;
    long poll_ms, patience_s;
    int connections; /* enum tc_connections */
};

enum { TC_HTTP_PORT = 5002, TC_TLS_PORT = 5001, TC_DNS_PORT = 8053, TC_DNS_PORT_AS_NEEDED = -1 };

extern const char *const tc_challenge_names[CHALLENGE_TYPES + 1]; /* NULL-ended */

#define TC_CLIENT_OPTIONS_INIT                                                                                         \
    ((struct tc_client_options) { .directory_url = "https://localhost:14000/directory",                                \
                                  .http_port = TC_HTTP_PORT,                                                           \
                                  .tls_port = TC_TLS_PORT,                                                             \
                                  .dns_port = TC_DNS_PORT_AS_NEEDED })

/* The rows of these options for a command whose struct `type` holds them as `member`. */
#define TC_CLIENT_OPTION_(type, member, field)                                                                         \
    .offset = offsetof(type, member) + offsetof(struct tc_client_options, field)
#define TC_CLIENT_OPTION_ROWS(type, member)                                                                            \
    { "directory", "URL", "the CA's directory (default https://localhost:14000/directory)", TC_OPTION_TEXT,            \
      TC_CLIENT_OPTION_(type, member, directory_url) },                                                                \
        { "ca-file", "PEM", "what to trust the CA's web server by (default ./caraway-data/tls/ca.pem if it exists)",   \
          TC_OPTION_TEXT, TC_CLIENT_OPTION_(type, member, ca_file) },                                                  \
        { "challenge",                                                                                                 \
          "TYPE",                                                                                                      \
          "http-01 (default), dns-01, tls-alpn-01, dns-account-01 or dns-persist-01",                                  \
          TC_OPTION_CHOICE,                                                                                            \
          TC_CLIENT_OPTION_(type, member, challenge),                                                                  \
          .choices = tc_challenge_names },                                                                             \
        { "http-port",                                                                                                 \
          "PORT",                                                                                                      \
          "answer http-01 here (default 5002)",                                                                        \
          TC_OPTION_NUMBER,                                                                                            \
          TC_CLIENT_OPTION_(type, member, http_port),                                                                  \
          1,                                                                                                           \
          65535 },                                                                                                     \
        { "tls-port",                                                                                                  \
          "PORT",                                                                                                      \
          "answer tls-alpn-01 here (default 5001)",                                                                    \
          TC_OPTION_NUMBER,                                                                                            \
          TC_CLIENT_OPTION_(type, member, tls_port),                                                                   \
          1,                                                                                                           \
          65535 },                                                                                                     \
        { "dns-port",                                                                                                  \
          "PORT",                                                                                                      \
          "answer DNS here (default 8053 with the dns- types, else no DNS server)",                                    \
          TC_OPTION_NUMBER,                                                                                            \
          TC_CLIENT_OPTION_(type, member, dns_port),                                                                   \
          1,                                                                                                           \
          65535 },                                                                                                     \
    {                                                                                                                  \
        "contact", "URI", "of the account, as mailto:you@example.test; may be repeated", TC_OPTION_LIST,               \
            TC_CLIENT_OPTION_(type, member, contacts)                                                                  \
    }

struct tc_client {
    uv_loop_t loop;
    struct tc_fetcher *fetcher;
    struct tc_responder *responder;
    struct tc_flow_setup setup;
};

/* Fills a struct that then stays where it is. Options outlive it. */
MUST_USE bool tc_client_start(struct tc_client *client, const struct tc_client_options *options, long connections,
                              char why[static TC_WHY_SIZE]);
/* Every flow is dropped before. */
void tc_client_stop(struct tc_client *client);
