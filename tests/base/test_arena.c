#include "base/arena.h"
#include "tests/unit.h"

#include <stdalign.h>

static void memory_is_zeroed_and_aligned(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    for (size_t len = 1; len < 100; len++) {
        uint8_t *memory = arena_alloc(arena, len);
        assert_int_equal((uintptr_t)memory % alignof(max_align_t), 0);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, len);
    }
}

static void memory_is_zeroed_again_after_a_reset(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    memset(arena_alloc(arena, 64), 0xff, 64);
    arena_reset(arena);
    const uint8_t *memory = arena_alloc(arena, 64);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(memory[i], 0);
}

static void the_maximum_holds(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(10000);
    assert_null(arena_alloc(arena, 10001));
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_non_null(arena_alloc(arena, 9000));
    assert_null(arena_alloc(arena, 2000));
    assert_non_null(arena_alloc(arena, 900));
}

static void a_reset_gives_the_room_back(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(40000);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            assert_non_null(arena_alloc(arena, 8000));
        arena_reset(arena);
    }
}

/* Small chunks are left for what does not fit into one, and the maximum counts them all. */
static void chunks_of_another_size(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create_in_chunks(4096, 64);
    for (int i = 0; i < 10; i++)
        assert_non_null(arena_alloc(arena, 48));
    assert_non_null(arena_alloc(arena, 3000));
    assert_null(arena_alloc(arena, 1000));
    assert_non_null(arena_alloc(arena, 200));
}

static void an_array_that_overflows_is_refused(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    assert_null(arena_array(arena, SIZE_MAX / 2, 4));
    assert_non_null(arena_array(arena, 3, 4));
    assert_non_null(arena_array(arena, 0, 0));
}

static void texts_are_copied_and_ended(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    char source[] = "abcdef";
    const char *whole = arena_text(arena, source);
    const char *part = arena_text_of(arena, bytes_of(source + 1, 3));
    const char *none = arena_text_of(arena, bytes_of(NULL, 0));
    memset(source, 'x', 6);
    assert_string_equal(whole, "abcdef");
    assert_string_equal(part, "bcd");
    assert_string_equal(none, "");
}

static void printed_texts_of_any_length_are_whole(void **state)
{
    (void)state;
    AUTO(arena) arena = arena_create(1 << 16);
    const char *text = arena_printf(arena, "%0300d-%s", 7, "end");
    assert_int_equal(strlen(text), 304);
    assert_string_equal(text + 299, "7-end");
    AUTO(arena) small = arena_create(64);
    assert_null(arena_printf(small, "%0300d", 7));
    for (int len = 250; len < 260; len++) {
        text = arena_printf(arena, "%0*d", len, 7);
        assert_int_equal(strlen(text), len);
        assert_int_equal(text[len - 1], '7');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(memory_is_zeroed_again_after_a_reset),
        cmocka_unit_test(the_maximum_holds),
        cmocka_unit_test(a_reset_gives_the_room_back),
        cmocka_unit_test(chunks_of_another_size),
        cmocka_unit_test(an_array_that_overflows_is_refused),
        cmocka_unit_test(texts_are_copied_and_ended),
        cmocka_unit_test(printed_texts_of_any_length_are_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
