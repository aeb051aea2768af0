#include "base/list.h"
#include "tests/unit.h"

struct thing {
    int number;
    struct list link; /* not first: what holds it begins elsewhere */
};

static int number_of(const struct list *link)
{
    return CONTAINER_OF(link, const struct thing, link)->number;
}

/* The numbers as digits, read both ways. */
static void assert_holds(const struct list *list, int forwards)
{
    int seen = 0, backwards = 0, unit = 1;
    LIST_EACH (list, link)
        seen = seen * 10 + number_of(link);
    for (const struct list *link = list->previous; link != list; link = link->previous, unit *= 10)
        backwards += number_of(link) * unit;
    assert_int_equal(seen, forwards);
    assert_int_equal(backwards, forwards);
}

static void make(struct list *list, struct thing things[static 3])
{
    list_init(list);
    for (int i = 0; i < 3; i++) {
        things[i].number = i + 1;
        list_add(list, &things[i].link);
    }
}

static void a_new_list_is_empty(void **state)
{
    (void)state;
    struct list list;
    list_init(&list);
    assert_null(list_first(&list));
    assert_holds(&list, 0);
}

static void what_is_added_stands_at_the_end(void **state)
{
    (void)state;
    struct list list;
    struct thing things[3];
    make(&list, things);
    assert_ptr_equal(list_first(&list), &things[0].link);
    assert_holds(&list, 123);
}

static void each_place_can_be_removed(void **state)
{
    (void)state;
    static const int left[] = { 23, 13, 12 };
    for (int i = 0; i < 3; i++) {
        struct list list;
        struct thing things[3];
        make(&list, things);
        list_remove(&things[i].link);
        assert_holds(&list, left[i]);
    }
}

static void a_list_becomes_empty_and_takes_again(void **state)
{
    (void)state;
    struct list list;
    struct thing things[3];
    make(&list, things);
    for (struct list *first; (first = list_first(&list)) != NULL;)
        list_remove(first);
    assert_holds(&list, 0);
    list_add(&list, &things[1].link);
    assert_holds(&list, 2);
}

static void what_is_in_no_list_may_be_removed_again(void **state)
{
    (void)state;
    struct list list;
    struct thing things[3];
    make(&list, things);
    assert_true(list_holds(&things[1].link));
    list_remove(&things[1].link);
    list_remove(&things[1].link);
    assert_false(list_holds(&things[1].link));
    assert_holds(&list, 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_list_is_empty),
        cmocka_unit_test(what_is_added_stands_at_the_end),
        cmocka_unit_test(each_place_can_be_removed),
        cmocka_unit_test(a_list_becomes_empty_and_takes_again),
        cmocka_unit_test(what_is_in_no_list_may_be_removed_again),
    };
    return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
