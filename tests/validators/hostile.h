/* The stage for tables of hostile targets: row N is the target "N.test", an address of its own below 127.1.0.0/16 with
 * one listener whose connections the table's function serves, each on its own thread. All rows are validated at once.
 */
#pragma once

#include "tests/validators/support.h"

enum { HOSTILE_ROWS_MAX = 100 };
struct hostile_expect { /* first member of a row */
    const char *what;
    enum { HOSTILE_FAILS, HOSTILE_PASSES } end;
    enum acme_problem_type problem;
    const char *detail; /* a part of it, or when it passes of the trace; NULL: any */
    bool slow;          /* ends by a timeout: is validated with short ones */
};

struct hostile_table {
    const void *rows;
    size_t count, row_bytes;
    void (*serve)(const void *row, int fd); /* blocks as it likes; the descriptor is shut down at the end */
    bool (*listens)(const void *row);       /* NULL: all do */
};
static inline const struct hostile_expect *hostile_row(const struct hostile_table *table, size_t i)
{
    return (const struct hostile_expect *)((const char *)table->rows + i * table->row_bytes);
}

struct hostile_stage;
struct hostile_stage *hostile_start(const struct hostile_table *table);
uint16_t hostile_port(const struct hostile_stage *stage);
const struct validators_host *hostile_hosts(const struct hostile_stage *stage); /* one for each row */
void hostile_stop(struct hostile_stage *stage);

/* Validates all rows of one speed and tells of all that did not end as expected. */
void hostile_judge(const struct hostile_table *table, const struct validators_options *options,
                   enum acme_challenge_type type, bool slow);

void hostile_send(int fd, const char *text, size_t len);
/* Until the other side has hung up or this one is stopped */
void hostile_send_again_and_again(int fd, const char *text, size_t len);
void hostile_trickle(int fd, const char *text, size_t len); /* byte for byte, then again */
void hostile_wait(int fd);
void hostile_wait_unread(int fd);
void hostile_reset(int fd);
