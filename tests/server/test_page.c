/* Pages for people: their sealed addresses, and what the log shows of them; resuming names of which there are many. */
#include "server/web/page.h"

#include "server/limits/pause.h"
#include "tests/server/loose_request.h"
#include "tests/unit.h"

#include <stdio.h>

enum { PAUSED = 8 * PAUSE_RESUMED_AT_ONCE + 1 };

struct fixture {
    struct world_manual clock;
    struct world world;
    struct settings settings;
    struct caraway caraway;
};

static int set_up(void **state)
{
    struct store_options options = { .driver = "memory" };
    char why[STORE_WHY_SIZE];
    struct fixture *f = calloc(1, sizeof *f);
    f->world = world_manual(&f->clock, INT64_C(1764766698123));
    f->caraway = (struct caraway) { .world = &f->world, .settings = &f->settings, .page_key = { 1, 2, 3 } };
    assert_int_equal(store_open(&options, &f->caraway.store, why), STORE_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_drop(f->caraway.store);
    free(f);
    return 0;
}

/* The token of the account's page, in the request's arena. */
static char *token_of(struct loose *loose, enum page page, const char *account)
{
    loose->rq.account.id = account;
    const char *url = page_url(&loose->rq, page);
    loose->rq.account.id = NULL; /* nobody signs when a page is opened */
    assert_non_null(url);
    return arena_text(loose->rq.arena, strrchr(url, '/') + 1);
}

static bool opens(struct loose *loose, enum page page, const char *token)
{
    const char *account;
    loose->rq.params[0] = token;
    return page_account(&loose->rq, page, &account) && strcmp(account, "a1") == 0;
}

static void an_address_is_for_one_account_and_page(void **state)
{
    struct fixture *f = *state;
    struct loose loose;
    loose_make(&loose, &f->caraway, NULL);
    char *token = token_of(&loose, PAGE_UNPAUSE, "a1");
    assert_true(opens(&loose, PAGE_UNPAUSE, token));
    assert_false(opens(&loose, PAGE_AGREE, token));
    assert_false(opens(&loose, PAGE_UNPAUSE, token_of(&loose, PAGE_UNPAUSE, "a2")));
    for (char *c = token; *c != '\0'; c++) {
        char before = *c;
        *c = before == 'A' ? 'B' : 'A';
        assert_false(opens(&loose, PAGE_UNPAUSE, token));
        *c = before;
    }
    for (size_t len = 0; len < strlen(token); len++)
        assert_false(opens(&loose, PAGE_UNPAUSE, arena_text_of(loose.rq.arena, bytes_of(token, len))));
    loose.rq.now_ms += INT64_C(14) * 86400000 - 1;
    assert_true(opens(&loose, PAGE_UNPAUSE, token));
    loose.rq.now_ms++;
    assert_false(opens(&loose, PAGE_UNPAUSE, token));
    loose_drop(&loose);
}

static void the_log_has_no_token(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        { "/unpause/a.1.b", "/unpause/{}" },
        { "/unpause/", "/unpause/{}" },
        { "/unpause/a.1.b/more", "/unpause/{}/more" },
        { "at https://x/agree/a.1.b, or", "at https://x/agree/{} or" },
        { "/unpause/a and /agree/b and /unpause/c", "/unpause/{} and /agree/{} and /unpause/{}" },
        { "/agree/b and /unpause/c", "/agree/{} and /unpause/{}" },
        { "/unpause", "/unpause" },
        { "", "" },
    };
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_string_equal(page_hide_tokens(arena, rows[i][0]), rows[i][1]);
    assert_null(page_hide_tokens(arena, NULL));
}

static void put_paused(struct store_txn *txn, void *arg)
{
    (void)arg;
    for (int i = 0; i < PAUSED; i++) {
        char id[16], name[256];
        snprintf(id, sizeof id, "p%d", i);
        snprintf(name, sizeof name, "n%d.%0200d.test", i, 0);
        store_put_pause(txn, &(struct pause) { .id = id, .account = "a1", .name = name, .paused_ms = 1 });
    }
}

static void one_click_resumes_all(void **state)
{
    struct fixture *f = *state;
    struct loose loose;
    struct texts left;
    assert_int_equal(store_write(f->caraway.store, put_paused, NULL), STORE_OK);
    loose_make(&loose, &f->caraway, NULL);
    loose.rq.params[0] = token_of(&loose, PAGE_UNPAUSE, "a1");
    assert_true(loose_run(&loose, pause_page_post));
    assert_non_null(strstr(buf_str(&loose.rq.reply.body), "<p>8001 names of account <code>a1</code>"));
    AUTO(store_txn) txn = store_begin_read(f->caraway.store);
    assert_true(pause_list(txn, &loose.rq, "a1", &left));
    assert_int_equal(left.count, 0);
    loose_drop(&loose);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_is_for_one_account_and_page, set_up, tear_down),
        cmocka_unit_test(the_log_has_no_token),
        cmocka_unit_test_setup_teardown(one_click_resumes_all, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
