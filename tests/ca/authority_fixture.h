/* An authority in a folder that vanishes, at a time of the test's own. */
#pragma once

#include "tests/ca/support.h"

#define NOW_MS  INT64_C(1760000000000)
#define YEAR_MS (INT64_C(365) * 86400 * 1000)

struct fixture {
    struct world_manual clock;
    struct world world;
    char folder[TEST_FOLDER_SIZE];
    char directory[TEST_FOLDER_SIZE + 8];
    struct ca_options options;
    char why[CA_WHY_SIZE];
};
int fixture_set_up(void **state);
int fixture_tear_down(void **state);

struct ca *open_good(struct fixture *fixture);
void expect_refused(struct fixture *fixture, const char *phrase);
/* What stands in an existing directory is refused with what to do. */
void expect_advice(struct fixture *fixture, const char *phrase);

void path_of(struct fixture *fixture, const char *name, char out[static 128]);
void write_text(struct fixture *fixture, const char *name, const char *text, size_t len);
void swap(struct fixture *fixture, const char *a, const char *b); /* two files */
