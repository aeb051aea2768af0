/* What a start refuses before anything is opened. */
#include "server/caraway.h"

#include "tests/folder.h"
#include "tests/server/settings_help.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_clock_that_was_never_set_is_refused(void **state)
{
    (void)state;
    char why[CARAWAY_WHY_SIZE] = "";
    struct world_manual clock;
    struct world world = world_manual(&clock, 60000);
    struct caraway caraway = { .world = &world };
    AUTO(settings) settings = set_good("storage.driver", "memory");
    assert_false(caraway_open(&caraway, settings, why));
    assert_non_null(strstr(why, "clock says 1970-01-01T00:01:00Z; set it"));
}

static void put_certificate(struct store_txn *txn, void *arg)
{
    (void)arg;
    store_put_certificate(txn, &(struct certificate) { .serial = "01" });
}

static void fill(const struct settings *settings)
{
    struct store *store;
    char why[CARAWAY_WHY_SIZE];
    assert_true(caraway_open_store(settings, &store, why));
    assert_int_equal(store_write(store, put_certificate, NULL), STORE_OK);
    store_drop(store);
}

static void assert_refused(const struct settings *settings, const char *reason)
{
    char why[CARAWAY_WHY_SIZE] = "";
    struct world_manual clock;
    struct world world = world_manual(&clock, INT64_C(1800000000000));
    struct caraway caraway = { .world = &world };
    assert_false(caraway_open(&caraway, settings, why));
    caraway_close(&caraway);
    if (strstr(why, reason) == NULL)
        fail_msg("%s", why);
}

static void a_database_whose_ca_is_lost_is_refused(void **state)
{
    (void)state;
    char data[] = "/tmp/caraway-lost-XXXXXX", ca[64];
    assert_non_null(mkdtemp(data));
    AUTO(settings) settings = set_good("data", data);
    fill(settings);
    assert_refused(settings, "holds nothing of the CA that issued them; put it back from a backup");
    snprintf(ca, sizeof ca, "%s/ca", data);
    assert_int_equal(access(ca, F_OK), -1);

    /* one that is there in part has its own reason */
    char key[80];
    assert_int_equal(mkdir(ca, 0700), 0);
    snprintf(key, sizeof key, "%s/root-key.pem", ca);
    fclose(fopen(key, "we"));
    assert_refused(settings, "root.pem");
    assert_true(folder_remove(data));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_was_never_set_is_refused),
        cmocka_unit_test(a_database_whose_ca_is_lost_is_refused),
    };
    return cmocka_run_group_tests_name("caraway", tests, NULL, NULL);
}
