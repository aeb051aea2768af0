#include "tests/ca/authority_fixture.h"

#include <stdio.h>

int fixture_set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    fixture->world = world_manual(&fixture->clock, NOW_MS);
    test_folder_make(fixture->folder);
    snprintf(fixture->directory, sizeof fixture->directory, "%s/ca", fixture->folder);
    fixture->options = (struct ca_options) { .directory = fixture->directory,
                                             .key_type = CA_KEY_P256,
                                             .name = "Example",
                                             .threads = 1,
                                             .world = &fixture->world };
    *state = fixture;
    return 0;
}

int fixture_tear_down(void **state)
{
    struct fixture *fixture = *state;
    test_folder_remove(fixture->folder);
    free(fixture);
    return 0;
}

struct ca *open_good(struct fixture *fixture)
{
    struct ca *ca = NULL;
    if (!ca_open(&fixture->options, &ca, fixture->why))
        fail_msg("%s", fixture->why);
    return ca;
}

void expect_refused(struct fixture *fixture, const char *phrase)
{
    struct ca *ca = NULL;
    assert_false(ca_open(&fixture->options, &ca, fixture->why));
    assert_null(ca);
    if (strstr(fixture->why, phrase) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", fixture->why, phrase);
}

void expect_advice(struct fixture *fixture, const char *phrase)
{
    expect_refused(fixture, phrase);
    char advice[160];
    snprintf(advice, sizeof advice, "; put the right file there, or move %s away", fixture->directory);
    assert_non_null(strstr(fixture->why, advice));
}

void path_of(struct fixture *fixture, const char *name, char out[static 128])
{
    snprintf(out, 128, "%s/%s", fixture->directory, name);
}

void write_text(struct fixture *fixture, const char *name, const char *text, size_t len)
{
    char path[128];
    path_of(fixture, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    fclose(file);
}

void swap(struct fixture *fixture, const char *a, const char *b)
{
    char path_a[128], path_b[128], path_c[128];
    path_of(fixture, a, path_a);
    path_of(fixture, b, path_b);
    path_of(fixture, "passing", path_c);
    assert_int_equal(rename(path_a, path_c), 0);
    assert_int_equal(rename(path_b, path_a), 0);
    assert_int_equal(rename(path_c, path_b), 0);
}
