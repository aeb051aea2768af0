#include "server/files.h"

#include "tests/unit.h"

static void shares_are_as_documented(void **state)
{
    (void)state;
    static const struct files_share rows[] = {
        /* open files, connections of 4096 that are wanted, descriptors for validations */
        { 1048576, 4096, 1044224 }, { 20000, 4096, 15648 }, { 5376, 4096, 1024 }, { 5375, 4095, 1024 },
        { 1024, 384, 384 },         { 240, 90, 90 },        { 3, 1, 2 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct files_share share = files_share_of(rows[i].open_files, 4096);
        assert_int_equal(share.open_files, rows[i].open_files);
        assert_int_equal(share.connections, rows[i].connections);
        assert_int_equal(share.validation_below, rows[i].validation_below);
        assert_true(share.connections + share.validation_below <= share.open_files);
    }
}

static void few_that_are_wanted_are_had(void **state)
{
    (void)state;
    struct files_share share = files_share_of(1024, 100);
    assert_int_equal(share.connections, 100);
    assert_int_equal(share.validation_below, 1024 - 256 - 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(shares_are_as_documented),
                                        cmocka_unit_test(few_that_are_wanted_are_had) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
