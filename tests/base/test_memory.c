#include "base/memory.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "tests/unit.h"

enum { TOO_MUCH_SHIFT = 2 };
#define TOO_MUCH (SIZE_MAX >> TOO_MUCH_SHIFT)

/* A sanitizer ends the program otherwise. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void what_could_not_be_had_is_told_once(void **state)
{
    (void)state;
    void *some = memory_take(16);
    assert_non_null(some);
    some = memory_resize(some, 32);
    assert_non_null(some);
    assert_false(memory_was_out());
    assert_null(memory_take(TOO_MUCH));
    assert_true(memory_was_out());
    assert_false(memory_was_out());
    assert_null(memory_resize(some, TOO_MUCH));
    assert_true(memory_was_out());
    assert_null(memory_take(0));
    assert_false(memory_was_out());
    free(some);
}

static void openssl_is_watched(void **state)
{
    (void)state;
    void *some = OPENSSL_malloc(16);
    assert_non_null(some);
    assert_false(memory_was_out());
    assert_null(OPENSSL_realloc(some, TOO_MUCH));
    assert_true(memory_was_out());
    assert_null(OPENSSL_realloc(some, 0)); /* frees it */
    assert_null(OPENSSL_malloc(0));
    assert_false(memory_was_out());
    assert_null(OPENSSL_malloc(TOO_MUCH));
    assert_true(memory_was_out());
}

static void jansson_is_watched(void **state)
{
    (void)state;
    json_malloc_t take;
    json_free_t give_back;
    json_get_alloc_funcs(&take, &give_back);
    assert_null(take(TOO_MUCH));
    assert_true(memory_was_out());
    give_back(take(1));
    assert_false(memory_was_out());
}

static void arenas_and_buffers_are_watched(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(SIZE_MAX);
    AUTO_BUF(buf, SIZE_MAX);
    assert_null(arena_alloc(arena, TOO_MUCH));
    assert_true(memory_was_out());
    buf_append(&buf, "", TOO_MUCH);
    assert_true(buf.failed);
    assert_true(memory_was_out());
}

/* A bound of ours is no shortage. */
static void a_full_arena_is_another_thing(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(16);
    assert_null(arena_alloc(arena, 32));
    assert_false(memory_was_out());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_could_not_be_had_is_told_once),
        cmocka_unit_test(openssl_is_watched),
        cmocka_unit_test(jansson_is_watched),
        cmocka_unit_test(arenas_and_buffers_are_watched),
        cmocka_unit_test(a_full_arena_is_another_thing),
    };
    json_watch_memory();
    if (!crypto_watch_memory())
        return EXIT_FAILURE;
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
