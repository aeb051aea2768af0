/* What the validators' tests share: servers on loopback that do as scripted, each on its own thread, and a validation
 * that is waited for. */
#pragma once

#include "tests/unit.h"

#include "validators/validators.h"

#include <pthread.h>

/* Token and key authorization as long as real ones: 43 and 87 bytes. */
#define TOKEN             "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
#define KEY_AUTHORIZATION TOKEN ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
#define ACCOUNT_URL       "https://ca.test/account/1"
#define CHALLENGE_PATH    "/.well-known/acme-challenge/" TOKEN

enum tcp_action { TCP_SEND, TCP_SEND_THEN_HANG, TCP_RESET, TCP_END };
struct tcp_row { /* the first row whose path starts the request's path counts */
    const char *path;
    enum tcp_action action;
    const char *text; /* sent as it is */
};

struct tcp_server;
struct tcp_server *tcp_server_start(const struct tcp_row *rows, size_t count);
uint16_t tcp_server_port(const struct tcp_server *server);
unsigned tcp_server_requests(struct tcp_server *server);
const char *tcp_server_last_request(struct tcp_server *server); /* only between requests */
/* Writes `text` to `to`, which a row sends, between two requests. */
void tcp_server_rewrite(struct tcp_server *server, char *to, size_t size, const char *text);
void tcp_server_stop(struct tcp_server *server);

int bound_socket(int type, uint16_t *out_port); /* to 127.0.0.1 and a free port */
uint16_t unused_port(void);                     /* nothing listens there */

struct outcome {
    bool ok, warned;
    int64_t valid_until_ms;
    struct acme_problem problem;
    char trace[20000];
};

/* Options for tests: one thread, long timeouts. */
struct validators_options test_options(void);
struct validators *test_validators(const struct validators_options *options);
/* One validation from start to done. */
void validate(struct validators *validators, enum acme_challenge_type type, struct acme_identifier identifier,
              struct outcome *out);
/* The same for one whose asked members are filled in. */
void validate_this(struct validators *validators, struct validation asked, struct outcome *out);
void check_caa(struct validators *validators, struct validation asked, struct outcome *out);
struct acme_identifier dns_name(const char *name);
struct acme_identifier ip_name(const char *address);

void assert_problem(const struct outcome *outcome, enum acme_problem_type type, const char *part_of_detail);
void assert_has(const char *text, const char *part);
