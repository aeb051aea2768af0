/* caraway-client issue: one certificate, from account to files. */
#include "test-client/chain.h"
#include "test-client/client.h"
#include "test-client/command.h"
#include "test-client/file.h"
#include "test-client/key.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

enum { ARENA_MAX = 1 << 20, PATIENCE_S = 120, PROBLEM_TEXT_MAX = 1 << 20 };

struct issue_options {
    struct tc_client_options client;
    struct tc_option_list domains;
    const char *out, *key, *account;
    int key_type;
};

#define ISSUE(field) .offset = offsetof(struct issue_options, field)

static const struct tc_option options[] = {
    { "domain", "NAME", "DNS name, *.NAME or IP address to certify; may be repeated", TC_OPTION_LIST, ISSUE(domains) },
    TC_CLIENT_OPTION_ROWS(struct issue_options, client),
    { "out", "DIR", "where the files go (default: the current folder)", TC_OPTION_TEXT, ISSUE(out) },
    { "key", "FILE", "the certificate's key; made if it does not exist (default: a new one each time)", TC_OPTION_TEXT,
      ISSUE(key) },
    { "key-type", "TYPE", "of a new key: p-256 (default) or rsa-2048", TC_OPTION_CHOICE, ISSUE(key_type),
      .choices = tc_key_names },
    { "account", "FILE", "the account's key; made if it does not exist (default DIR/account.key)", TC_OPTION_TEXT,
      ISSUE(account) },
    { "patience", "S", "give up after this many seconds (default 120)", TC_OPTION_NUMBER, ISSUE(client.patience_s), 1,
      86400 },
};

struct issue {
    const struct issue_options *options;
    struct arena *arena;
    EVP_PKEY *account_key, *key;
    struct acme_identifier identifiers[TC_OPTION_LIST_MAX];
    size_t identifier_count;
    struct tc_client client;
    struct tc_flow *flow;
    bool succeeded;
};

static bool read_identifier(struct issue *issue, const char *text, char why[static TC_WHY_SIZE])
{
    uint8_t address[16];
    bool ip = inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
    char reason[IDENTIFIER_WHY_SIZE];
    if (identifier_make(issue->arena, ip ? IDENTIFIER_IP : IDENTIFIER_DNS, bytes_text(text),
                        &issue->identifiers[issue->identifier_count], reason)) {
        issue->identifier_count++;
        return true;
    }
    snprintf(why, TC_WHY_SIZE, "cannot issue for \"%s\": %s", text, reason);
    return false;
}

static bool read_identifiers(struct issue *issue, char why[static TC_WHY_SIZE])
{
    const struct tc_option_list *domains = &issue->options->domains;
    snprintf(why, TC_WHY_SIZE, "for which name? Give at least one --domain");
    TRY(domains->count > 0);
    for (size_t i = 0; i < domains->count; i++)
        TRY(read_identifier(issue, domains->items[i], why));
    return true;
}

/* DIR/NAME plus ending, where a file's name is kept free of "*". */
static const char *path_of(struct issue *issue, const char *ending)
{
    const struct acme_identifier *first = &issue->identifiers[0];
    return arena_printf(issue->arena, "%s/%s%s%s", issue->options->out,
                        identifier_is_wildcard(first) ? "_wildcard." : "", identifier_base(first), ending);
}

static bool load_keys(struct issue *issue, char why[static TC_WHY_SIZE])
{
    const struct issue_options *opts = issue->options;
    const char *account = opts->account;
    if (account == NULL)
        account = arena_printf(issue->arena, "%s/account.key", opts->out);
    snprintf(why, TC_WHY_SIZE, "out of memory");
    TRY(account != NULL && tc_folder_make(opts->out, why));
    TRY(tc_key_load_or_make(account, TC_KEY_P256, &issue->account_key, why));
    if (opts->key != NULL)
        return tc_key_load_or_make(opts->key, (enum tc_key_type)opts->key_type, &issue->key, why);
    issue->key = tc_key_make((enum tc_key_type)opts->key_type);
    return issue->key != NULL;
}

static bool write_part(struct issue *issue, const char *ending, struct bytes content, char why[static TC_WHY_SIZE])
{
    const char *path = path_of(issue, ending);
    TRY(path != NULL && tc_file_write(path, content, 0644, why));
    printf("%-12s %s\n", "wrote", path);
    return true;
}

static bool write_key(struct issue *issue, char why[static TC_WHY_SIZE])
{
    const char *path = path_of(issue, ".key");
    TRY(path != NULL && tc_key_save(path, issue->key, why));
    printf("%-12s %s\n", "wrote", path);
    return true;
}

static bool write_files(struct issue *issue, const struct tc_chain *chain, struct bytes pem,
                        char why[static TC_WHY_SIZE])
{
    snprintf(why, TC_WHY_SIZE, "out of memory");
    TRY(issue->options->key != NULL || write_key(issue, why));
    TRY(write_part(issue, ".pem", chain->leaf_pem, why));
    TRY(write_part(issue, "-chain.pem", chain->issuers, why));
    return write_part(issue, "-fullchain.pem", pem, why);
}

static bool keep_chain(struct issue *issue, struct bytes pem)
{
    char why[TC_WHY_SIZE];
    __attribute__((cleanup(tc_chain_clear))) struct tc_chain chain = { 0 };
    bool kept = tc_chain_read(pem, &chain, why);
    if (kept && X509_check_private_key(chain.leaf, issue->key) != 1) {
        snprintf(why, sizeof why, "the certificate is for another key than ours");
        kept = false;
    }
    if (!kept || !write_files(issue, &chain, pem, why)) {
        tc_command_fail(&tc_issue_command, TC_EXIT_FAILED, why);
        return false;
    }
    AUTO_BUF(text, PROBLEM_TEXT_MAX);
    tc_chain_describe(&chain, &text);
    printf("%-12s %s\n", "issued", buf_str(&text));
    return true;
}

static void show_problem(const struct issue *issue, const struct tc_flow *flow)
{
    AUTO_BUF(text, PROBLEM_TEXT_MAX);
    tc_print_problem(&text, "  ", tc_flow_problem(flow));
    if (issue->client.setup.exchange.ca_file == NULL && strstr(buf_str(&text), "certificate problem") != NULL)
        buf_text(&text, "  --ca-file names what to trust; a Caraway keeps it in its data folder as tls/ca.pem\n");
    fflush(stdout);
    fprintf(stderr, "caraway-client issue: failed at %s\n%s", tc_flow_failed_step(flow), buf_str(&text));
}

static void on_progress(void *arg, const char *step, const char *text)
{
    (void)arg;
    AUTO_BUF(harmless, TC_HEADERS_MAX);
    tc_print_harmless(&harmless, text);
    printf("%-12s %s\n", step, buf_str(&harmless));
}

static void on_done(void *arg, struct tc_flow *flow)
{
    struct issue *issue = arg;
    if (tc_flow_problem(flow) != NULL)
        show_problem(issue, flow);
    else
        issue->succeeded = keep_chain(issue, tc_flow_chain(flow));
    /* nothing else keeps the loop but the responder, which would for good */
    uv_stop(&issue->client.loop);
}

static bool issue_over_network(struct issue *issue, char why[static TC_WHY_SIZE])
{
    TRY(tc_client_start(&issue->client, &issue->options->client, 4, why));
    struct tc_flow_events events = { .progress = on_progress, .done = on_done, .arg = issue };
    AUTO(tc_csr_key) csr_key = tc_csr_key_create(issue->key);
    struct tc_flow_order order = { issue->identifiers, issue->identifier_count, csr_key };
    issue->flow = tc_flow_create(&issue->client.setup, issue->account_key, &events);
    if (issue->flow != NULL && csr_key != NULL) {
        tc_flow_issue(issue->flow, &order);
        uv_run(&issue->client.loop, UV_RUN_DEFAULT);
    }
    tc_flow_drop(issue->flow);
    tc_client_stop(&issue->client);
    snprintf(why, TC_WHY_SIZE, "out of memory");
    return issue->flow != NULL && csr_key != NULL;
}

static void clear_issue(struct issue *issue)
{
    EVP_PKEY_free(issue->account_key);
    EVP_PKEY_free(issue->key);
    arena_drop(issue->arena);
}

static int run(const struct tc_command *command, int argc, char **argv)
{
    struct issue_options opts = { .client = TC_CLIENT_OPTIONS_INIT, .out = "." };
    opts.client.patience_s = PATIENCE_S;
    int exit_code;
    if (!tc_command_options(command, argc, argv, &opts, &exit_code))
        return exit_code;
    char why[TC_WHY_SIZE] = "out of memory";
    __attribute__((cleanup(clear_issue))) struct issue issue = { .options = &opts, .arena = arena_create(ARENA_MAX) };
    if (issue.arena == NULL || !read_identifiers(&issue, why))
        return tc_command_fail(command, TC_EXIT_USAGE, why);
    if (!load_keys(&issue, why) || !issue_over_network(&issue, why))
        return tc_command_fail(command, TC_EXIT_FAILED, why);
    return issue.succeeded ? TC_EXIT_DONE : TC_EXIT_FAILED;
}

const struct tc_command tc_issue_command = {
    .name = "issue",
    .summary = "get a certificate and write it with its key and chain",
    .examples =
        "  caraway-client issue --domain www.example.test\n"
        "  caraway-client issue --domain example.test --domain '*.example.test' --challenge dns-01 --out certs\n"
        "  caraway-client issue --directory https://localhost:14000/dir --ca-file minica.pem --domain a.test\n",
    .options = options,
    .option_count = ARRAY_SIZE(options),
    .run = run,
};
