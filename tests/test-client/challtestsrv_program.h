/* caraway-challtestsrv from outside, over real sockets. */
#pragma once

#include "test-client/dns_wire.h"

#include <sys/types.h>

struct program {
    pid_t pid;
    int output; /* standard output and error together */
    struct buf said;
};

/* `words` is NULL-ended. */
void program_start(struct program *program, const char *const *words);
/* Until the words stand in whole lines of the output; fails the test at its end. */
void program_wait_for(struct program *program, const char *words);
/* Waits for the end; the exit status. */
int program_end(struct program *program);
/* The port behind "WORDS127.0.0.1:". */
uint16_t program_port(const struct program *program, const char *words);

/* One with all servers on, each on a free port. */
struct fixture {
    struct program program;
    uint16_t http, https, tls, dns, doh, management;
};

int fixture_set_up(void **state);
int fixture_tear_down(void **state); /* by SIGTERM, which gives 0 */

/* One order; the status, and the body in `body` when it is asked for. */
int order(const struct fixture *f, const char *path, const char *json, struct buf *body);
void assert_done(const struct fixture *f, const char *path, const char *json); /* 200 and nothing */
/* The order's answer is 200 and this text. */
void assert_order(const struct fixture *f, const char *path, const char *json, const char *expected);
void assert_dns(const struct fixture *f, const char *name, uint16_t type, const char *expected);
