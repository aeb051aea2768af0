/* What a load found: how many, how fast, what failed, and what it cost. */
#pragma once

#include "test-client/flow.h"
#include "test-client/histogram.h"

#include <stdio.h>

enum { TC_LOAD_FAILURE_KINDS = 32, TC_LOAD_FAILURE_TEXT = 80 };

struct tc_load_failure {
    char type[TC_LOAD_FAILURE_TEXT];
    char step[TC_LOAD_FAILURE_TEXT];
    char detail[TC_WHY_SIZE]; /* of the first one */
    uint64_t count;
};

struct tc_load_result {
    struct tc_histogram issued;           /* from begin to end */
    struct tc_histogram answered, paused; /* what of it was waiting for answers, and what the client's pauses */
    uint64_t failed;
    struct tc_load_failure failures[TC_LOAD_FAILURE_KINDS]; /* what does not fit counts in the last */
    size_t failure_kinds;
    const char *unit; /* of what was counted; NULL: issuance */
    uint64_t clients, unfinished;
    uint64_t requests;                         /* HTTP exchanges, those of what is unfinished included */
    uint64_t elapsed_us, client_us, server_us; /* server_us 0: not measured */
};

void tc_load_count_issued(struct tc_load_result *result, uint64_t us, struct tc_flow_times times);
void tc_load_count_failure(struct tc_load_result *result, const char *step, const struct tc_problem *problem);
void tc_load_write_json(const struct tc_load_result *result, struct buf *out);
void tc_load_write_table(const struct tc_load_result *result, struct buf *out);
void tc_load_print(const struct tc_load_result *result, bool json, FILE *out);
