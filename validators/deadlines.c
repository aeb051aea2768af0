#include "validators/deadlines.h"

static void arm(struct val_deadlines *list);

static void tick(uv_timer_t *timer)
{
    struct val_deadlines *list = timer->data;
    uint64_t now = uv_now(timer->loop);
    struct val_deadline *first;
    while ((first = val_deadlines_first(list)) != NULL && first->at_ms <= now) {
        val_deadline_remove(first);
        list->passed(first);
    }
    arm(list);
}

static void arm(struct val_deadlines *list)
{
    const struct val_deadline *first = val_deadlines_first(list);
    if (first == NULL || uv_is_active((uv_handle_t *)&list->timer))
        return;
    uint64_t now = uv_now(list->timer.loop);
    uv_timer_start(&list->timer, tick, first->at_ms > now ? first->at_ms - now : 0, 0);
}

void val_deadlines_init(struct val_deadlines *list, uv_loop_t *loop, int64_t after_ms,
                        void (*passed)(struct val_deadline *deadline))
{
    CHECK(uv_timer_init(loop, &list->timer) == 0);
    list->timer.data = list;
    list_init(&list->waiting);
    list->after_ms = after_ms > 0 ? (uint64_t)after_ms : 0;
    list->passed = passed;
}

void val_deadlines_close(struct val_deadlines *list)
{
    uv_close((uv_handle_t *)&list->timer, NULL);
}

void val_deadline_add(struct val_deadlines *list, struct val_deadline *deadline)
{
    CHECK(!list_holds(&deadline->link));
    deadline->at_ms = uv_now(list->timer.loop) + list->after_ms;
    list_add(&list->waiting, &deadline->link);
    arm(list);
}

void val_deadline_remove(struct val_deadline *deadline)
{
    list_remove(&deadline->link);
}

struct val_deadline *val_deadlines_first(struct val_deadlines *list)
{
    struct list *first = list_first(&list->waiting);
    return first != NULL ? CONTAINER_OF(first, struct val_deadline, link) : NULL;
}
