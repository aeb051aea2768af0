#include "test-client/fetch.h"

struct tc_fetcher {
    CURLM *multi;
    uv_loop_t *loop;
    uv_timer_t timer;
    uint64_t started;
};

/* A socket of curl's that the loop watches. */
struct watch {
    uv_poll_t poll;
    curl_socket_t socket;
    struct tc_fetcher *fetcher;
};

static void free_watch(uv_handle_t *handle)
{
    free(handle->data);
}

static void free_fetcher(uv_handle_t *handle)
{
    free(handle->data);
}

/* The done callback may start or stop exchanges, which changes curl's list; so each message is read anew. */
static void report_finished(struct tc_fetcher *fetcher)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(fetcher->multi, &left)) != NULL;) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURL *curl = message->easy_handle;
        CURLcode result = message->data.result;
        struct tc_fetch *fetch = NULL;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&fetch);
        CHECK(fetch != NULL && fetch->running);
        curl_multi_remove_handle(fetcher->multi, curl);
        fetch->running = false;
        char why[TC_WHY_SIZE];
        bool answered = tc_exchange_finish(fetch->exchange, result, why);
        fetch->done(fetch->arg, answered ? NULL : why);
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    struct tc_fetcher *fetcher = watch->fetcher;
    int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
                (status < 0 ? CURL_CSELECT_ERR : 0);
    int running;
    curl_multi_socket_action(fetcher->multi, watch->socket, flags, &running);
    report_finished(fetcher);
}

static void on_timer(uv_timer_t *timer)
{
    struct tc_fetcher *fetcher = timer->data;
    int running;
    curl_multi_socket_action(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    report_finished(fetcher);
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct tc_fetcher *fetcher = arg;
    if (timeout_ms < 0)
        uv_timer_stop(&fetcher->timer);
    else
        uv_timer_start(&fetcher->timer, on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static struct watch *watch_socket(struct tc_fetcher *fetcher, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || uv_poll_init_socket(fetcher->loop, &watch->poll, socket) != 0) {
        free(watch);
        return NULL;
    }
    watch->socket = socket;
    watch->fetcher = fetcher;
    watch->poll.data = watch;
    curl_multi_assign(fetcher->multi, socket, watch);
    return watch;
}

static int on_curl_socket(CURL *curl, curl_socket_t socket, int what, void *arg, void *socket_arg)
{
    (void)curl;
    struct tc_fetcher *fetcher = arg;
    struct watch *watch = socket_arg;
    if (what == CURL_POLL_REMOVE) {
        if (watch != NULL) {
            curl_multi_assign(fetcher->multi, socket, NULL);
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        }
        return 0;
    }
    if (watch == NULL)
        watch = watch_socket(fetcher, socket);
    if (watch == NULL)
        return -1;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

struct tc_fetcher *tc_fetcher_create(uv_loop_t *loop, long connections)
{
    struct tc_fetcher *fetcher = calloc(1, sizeof *fetcher);
    if (fetcher == NULL)
        return NULL;
    fetcher->multi = curl_multi_init();
    if (fetcher->multi == NULL) {
        free(fetcher);
        return NULL;
    }
    fetcher->loop = loop;
    uv_timer_init(loop, &fetcher->timer);
    fetcher->timer.data = fetcher;
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, connections);
    return fetcher;
}

void tc_fetcher_drop(struct tc_fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    curl_multi_cleanup(fetcher->multi);
    uv_close((uv_handle_t *)&fetcher->timer, free_fetcher);
}

bool tc_fetch_start(struct tc_fetcher *fetcher, struct tc_fetch *fetch)
{
    CHECK(!fetch->running);
    CURL *curl = tc_exchange_curl(fetch->exchange);
    TRY(curl_easy_setopt(curl, CURLOPT_PRIVATE, fetch) == CURLE_OK);
    TRY(curl_multi_add_handle(fetcher->multi, curl) == CURLM_OK);
    fetch->running = true;
    fetcher->started++;
    return true;
}

uint64_t tc_fetcher_started(const struct tc_fetcher *fetcher)
{
    return fetcher->started;
}

void tc_fetch_stop(struct tc_fetcher *fetcher, struct tc_fetch *fetch)
{
    if (!fetch->running)
        return;
    curl_multi_remove_handle(fetcher->multi, tc_exchange_curl(fetch->exchange));
    fetch->running = false;
}
