/* The responder's loop. It stands still while the player waits for an answer of the server, unless it is served by a
 * thread meanwhile. */
#include "tests/scenarios/runner.h"

#include <pthread.h>

static void timer_fired(uv_timer_t *timer)
{
    *(bool *)timer->data = true;
}

void loop_run_for(struct scenario *s, unsigned ms)
{
    bool fired = false;
    uv_timer_t timer;
    uv_timer_init(&s->loop, &timer);
    timer.data = &fired;
    uv_timer_start(&timer, timer_fired, ms, 0);
    while (!fired)
        uv_run(&s->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&timer, NULL);
    uv_run(&s->loop, UV_RUN_NOWAIT);
}

struct serving {
    uv_loop_t *loop;
    uv_async_t end;
    pthread_t thread;
};

static void end_asked(uv_async_t *end)
{
    uv_stop(end->loop);
}

static void *serve(void *loop)
{
    uv_run(loop, UV_RUN_DEFAULT);
    return NULL;
}

struct serving *loop_serve(struct scenario *s)
{
    struct serving *serving = calloc(1, sizeof *serving);
    CHECK(serving != NULL);
    serving->loop = &s->loop;
    CHECK(uv_async_init(&s->loop, &serving->end, end_asked) == 0);
    CHECK(pthread_create(&serving->thread, NULL, serve, &s->loop) == 0);
    return serving;
}

static void closed(uv_handle_t *end)
{
    free(CONTAINER_OF((uv_async_t *)end, struct serving, end));
}

void loop_serve_end(struct serving *serving)
{
    uv_loop_t *loop = serving->loop;
    uv_async_send(&serving->end);
    pthread_join(serving->thread, NULL);
    uv_close((uv_handle_t *)&serving->end, closed);
    uv_run(loop, UV_RUN_NOWAIT);
}
