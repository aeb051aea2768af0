#include "test-client/file.h"
#include "test-client/key.h"
#include "tests/unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int enter_folder(void **state)
{
    static char folder[] = "/tmp/caraway-key-XXXXXX";
    snprintf(folder, sizeof folder, "/tmp/caraway-key-XXXXXX");
    *state = mkdtemp(folder);
    return *state != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    unlink("a.key");
    return chdir("/") == 0 && rmdir(*state) == 0 ? 0 : -1;
}

static void a_key_is_made_once_and_then_read(void **state)
{
    (void)state;
    for (enum tc_key_type type = 0; type < TC_KEY_TYPES; type++) {
        EVP_PKEY *read = NULL, *read_again = NULL;
        char why[TC_WHY_SIZE];
        unlink("a.key");
        assert_true(tc_key_load_or_make("a.key", type, &read, why));
        AUTO_TYPE(EVP_PKEY) made = read;
        assert_true(tc_key_load_or_make("a.key", type, &read_again, why));
        AUTO_TYPE(EVP_PKEY) again = read_again;
        assert_int_equal(EVP_PKEY_eq(made, again), 1);
        struct stat info;
        assert_int_equal(stat("a.key", &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void a_file_that_holds_no_key_is_kept_and_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    char why[TC_WHY_SIZE];
    assert_true(tc_file_write("a.key", bytes_text("not a key"), 0600, why));
    assert_false(tc_key_load_or_make("a.key", TC_KEY_P256, &key, why));
    assert_string_equal(why, "a.key holds no private key in PEM without a passphrase");
    assert_null(key);
    AUTO_BUF(content, 100);
    assert_true(tc_file_read("a.key", &content, why));
    assert_string_equal(buf_str(&content), "not a key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_made_once_and_then_read, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_file_that_holds_no_key_is_kept_and_refused, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
