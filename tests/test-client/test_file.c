#include "test-client/file.h"
#include "tests/unit.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each test runs in a folder of its own, made and removed by the fixture. */
static int enter_folder(void **state)
{
    static char folder[] = "/tmp/caraway-file-XXXXXX";
    snprintf(folder, sizeof folder, "/tmp/caraway-file-XXXXXX");
    *state = mkdtemp(folder);
    return *state != NULL && chdir(folder) == 0 ? 0 : -1;
}

static int leave_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", (const char *)*state);
    return chdir("/") == 0 && system(command) == 0 ? 0 : -1;
}

static int entries(void)
{
    DIR *folder = opendir(".");
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    assert_true(tc_file_write("a", bytes_text("first"), 0644, why));
    assert_true(tc_file_write("a", bytes_of("se\0cond", 7), 0600, why));
    AUTO_BUF(content, 100);
    assert_true(tc_file_read("a", &content, why));
    assert_true(bytes_equal(buf_bytes(&content), bytes_of("se\0cond", 7)));
    struct stat info;
    assert_int_equal(stat("a", &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(entries(), 1);
}

static void what_cannot_be_written_leaves_nothing(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    assert_int_equal(mkdir("folder", 0700), 0);
    assert_int_equal(mkdir("folder/full", 0700), 0);
    assert_false(tc_file_write("folder", bytes_text("x"), 0644, why));
    assert_string_equal(why, "cannot write folder: Is a directory");
    assert_false(tc_file_write("missing/a", bytes_text("x"), 0644, why));
    assert_string_equal(why, "cannot write missing/a: No such file or directory");
    assert_int_equal(entries(), 1);
}

static void reading_has_a_limit(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    assert_true(tc_file_write("a", bytes_text("12345"), 0644, why));
    AUTO_BUF(fits, 5);
    assert_true(tc_file_read("a", &fits, why));
    AUTO_BUF(small, 4);
    assert_false(tc_file_read("a", &small, why));
    assert_string_equal(why, "cannot read a: it is longer than 4 bytes");
    assert_false(tc_file_read("b", &small, why));
    assert_string_equal(why, "cannot read b: No such file or directory");
}

static void folders_are_made_down_to_the_last(void **state)
{
    (void)state;
    char why[TC_WHY_SIZE];
    assert_true(tc_folder_make("a/b//c/", why));
    assert_true(tc_folder_make("a/b/c", why));
    assert_true(tc_folder_make(".", why));
    struct stat info;
    assert_int_equal(stat("a/b/c", &info), 0);
    assert_true(tc_file_write("a/file", bytes_text("x"), 0644, why));
    assert_false(tc_folder_make("a/file/b", why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_leaves_nothing, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(reading_has_a_limit, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(folders_are_made_down_to_the_last, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
