/* caraway-client conformance: is that an ACME server? */
#include "test-client/client.h"
#include "test-client/command.h"
#include "test-client/conformance/run.h"

#include <unistd.h>

enum { PATIENCE_S = 30 };

#define SETTING(field) .offset = offsetof(struct cf_settings, field)

static const struct tc_option options[] = {
    { "directory", "URL", "the server's directory (default https://localhost:14000/directory)", TC_OPTION_TEXT,
      SETTING(directory_url) },
    { "ca-file", "PEM", "what to trust its web server by (default ./caraway-data/tls/ca.pem if it exists)",
      TC_OPTION_TEXT, SETTING(ca_file) },
    { "only", "GLOB", "run the checks whose id matches, as '6.5.*' or '9773/*'", TC_OPTION_TEXT, SETTING(only) },
    { "skip", "GLOB", "leave out those whose id matches", TC_OPTION_TEXT, SETTING(skip) },
    { "list", NULL, "list the checks instead of running them", TC_OPTION_FLAG, SETTING(list) },
    { "verbose", NULL, "say why a check was not offered", TC_OPTION_FLAG, SETTING(verbose) },
    { "json", "FILE", "write the results as JSON too", TC_OPTION_TEXT, SETTING(json) },
    { "junit", "FILE", "write the results as JUnit XML too", TC_OPTION_TEXT, SETTING(junit) },
    { "eab", "KID:KEY", "a key for external account binding, base64url; may be repeated", TC_OPTION_LIST,
      SETTING(eab) },
    { "domain", "NAME", "names are asked for below it; they must lead here (default example.test)", TC_OPTION_TEXT,
      SETTING(base) },
    { "challtestsrv", "URL", "the management URL of a challtestsrv that answers instead of this program",
      TC_OPTION_TEXT, SETTING(challtestsrv) },
    { "address", "IP", "where to answer challenges (default 127.0.0.1)", TC_OPTION_TEXT, SETTING(address) },
    { "http-port", "PORT", "answer http-01 here (default 5002; 0: not)", TC_OPTION_NUMBER, SETTING(http_port), 0,
      65535 },
    { "tls-port", "PORT", "answer tls-alpn-01 here (default 5001; 0: not)", TC_OPTION_NUMBER, SETTING(tls_port), 0,
      65535 },
    { "dns-port", "PORT", "answer DNS here, which the server must ask (default 0: not)", TC_OPTION_NUMBER,
      SETTING(dns_port), 0, 65535 },
    { "patience", "S", "wait this long for a validation or a certificate (default 30)", TC_OPTION_NUMBER,
      SETTING(patience_s), 1, 3600 },
};

static int run(const struct tc_command *command, int argc, char **argv)
{
    static const char default_ca_file[] = "caraway-data/tls/ca.pem";
    struct cf_settings settings = {
        .directory_url = "https://localhost:14000/directory",
        .base = "example.test",
        .address = "127.0.0.1",
        .http_port = TC_HTTP_PORT,
        .tls_port = TC_TLS_PORT,
        .patience_s = PATIENCE_S,
    };
    int exit_code;
    if (!tc_command_options(command, argc, argv, &settings, &exit_code))
        return exit_code;
    if (settings.list) {
        cf_list(&settings, stdout);
        return TC_EXIT_DONE;
    }
    if (settings.ca_file == NULL && access(default_ca_file, R_OK) == 0)
        settings.ca_file = default_ca_file;
    char why[TC_WHY_SIZE] = "";
    bool passed;
    if (!cf_run(&settings, &passed, why))
        return tc_command_fail(command, TC_EXIT_FAILED, why);
    return passed ? TC_EXIT_DONE : TC_EXIT_FAILED;
}

const struct tc_command tc_conformance_command = {
    .name = "conformance",
    .summary = "check an ACME server against RFC 8555 and its extensions",
    .examples =
        "  caraway-client conformance\n"
        "  caraway-client conformance --directory https://localhost:14000/dir --ca-file minica.pem --only '6.5.*'\n"
        "  caraway-client conformance --dns-port 8053 --json results.json --junit results.xml\n",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .run = run,
};
