/* The command line of caraway-challtestsrv, in the form pebble-challtestsrv takes: "-name value", "--name value",
 * "-name=value". One row a flag gives its parser and its line in --help. */
#pragma once

#include "base/buf.h"

/* name, text, default, what the value is, sentence */
#define CTS_FLAG_TABLE(X)                                                                                              \
    X(HTTP01, "http01", ":5002", "BINDS", "answer http-01 over plain HTTP")                                            \
    X(HTTPS01, "https01", ":5003", "BINDS", "answer http-01 over HTTPS, with a certificate nobody trusts")             \
    X(TLSALPN01, "tlsalpn01", ":5001", "BINDS", "answer tls-alpn-01")                                                  \
    X(DNSSERVER, "dnsserver", ":8053", "BINDS", "serve DNS over UDP and TCP; the old name -dns01 works too")           \
    X(DOH, "doh", ":8443", "BINDS", "serve DNS over HTTPS; by default only with -doh-cert")                            \
    X(DOH_CERT, "doh-cert", "", "FILE", "certificate of -doh, PEM; without one it is self-signed")                     \
    X(DOH_CERT_KEY, "doh-cert-key", "", "FILE", "its key, PEM")                                                        \
    X(MANAGEMENT, "management", ":8055", "BINDS", "take orders over plain HTTP, from anyone who can connect")          \
    X(DEFAULT_IPV4, "defaultIPv4", "127.0.0.1", "ADDRESS", "answer to A questions for names without an A record")      \
    X(DEFAULT_IPV6, "defaultIPv6", "::1", "ADDRESS", "answer to AAAA questions for names without an AAAA record")      \
    X(SIGNED_ZONES, "signed-zones", "", "NAMES", "sign these zones (DNSSEC) and say what to trust; \".\" is all")

enum cts_flag {
#define X(name, text, fallback, value, help) CTS_##name,
    CTS_FLAG_TABLE(X)
#undef X
        CTS_FLAGS
};

struct cts_flags {
    const char *values[CTS_FLAGS]; /* "" when switched off, also by the two characters "" that some scripts pass */
    bool given[CTS_FLAGS];
};

enum cts_flags_result { CTS_FLAGS_RUN, CTS_FLAGS_HELP, CTS_FLAGS_VERSION, CTS_FLAGS_WRONG };

enum { CTS_WHY_SIZE = 512 };

/* The texts are loans from argv. `why` is written for WRONG only. */
enum cts_flags_result cts_flags_parse(int argc, char **argv, struct cts_flags *out, char why[static CTS_WHY_SIZE]);
const char *cts_flag_text(enum cts_flag flag);
void cts_flags_help(struct buf *out);
