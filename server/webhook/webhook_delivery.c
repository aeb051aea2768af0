/* The thread of the webhook: looks for what expires, posts what is due in small rounds, and stores what came of it. */
#include "server/webhook/outbound.h"
#include "server/webhook/webhook_inside.h"

#include <stdio.h>

enum {
    BATCH = 16,
    ROUND_ARENA_BYTES = 16 << 20,
    BODY_MAX_BYTES = 1 << 20,
    SCAN_PAGE = 100,
    SCAN_EVERY_MS = 60000,
    POSITION_BYTES = 128,
    STORE_PAUSE_MS = 10000, /* a store that is full is not asked at once again */
    EVENT_FIRST_MS = 5000,
    EVENT_MOST_MS = 3600000,
    PAUSE_FIRST_MS = 1000, /* of all posts while the receiver takes none */
    PAUSE_MOST_MS = 300000,
    STATUS_GOOD = 2, /* hundreds */
};

#define EXPIRY_SETTING "webhook-expiry-until"

int64_t webhook_backoff_ms(int64_t failures, int64_t first_ms, int64_t most_ms)
{
    int64_t wait_ms = first_ms;
    for (int64_t i = 1; i < failures && wait_ms < most_ms; i++)
        wait_ms *= 2;
    return wait_ms < most_ms ? wait_ms : most_ms;
}

/* ---- what is posted */

static void write_optional(struct json_out *out, const char *key, const char *text)
{
    if (text != NULL)
        json_out_text(out, key, text);
}

static void write_time(struct json_out *out, const char *key, int64_t ms)
{
    if (ms != 0)
        json_out_time(out, key, ms);
}

void webhook_body(const struct webhook_event *event, struct buf *body)
{
    struct json_out out = JSON_OUT(body, 0);
    json_out_object(&out, NULL);
    json_out_text(&out, "id", event->id);
    json_out_text(&out, "event", event->event);
    write_time(&out, "created", event->created_ms);
    write_optional(&out, "account", event->account);
    write_optional(&out, "owner", event->owner);
    write_optional(&out, "order", event->order);
    write_optional(&out, "serial", event->serial);
    json_out_array(&out, "identifiers");
    for (size_t i = 0; i < event->identifiers.count; i++) {
        json_out_object(&out, NULL);
        json_out_text(&out, "type", identifier_type_text(event->identifiers.items[i].type));
        json_out_text(&out, "value", event->identifiers.items[i].value);
        json_out_end_object(&out);
    }
    json_out_end_array(&out);
    write_optional(&out, "profile", event->profile);
    write_time(&out, "not_before", event->not_before_ms);
    write_time(&out, "not_after", event->not_after_ms);
    if (strcmp(event->event, webhook_kind_text(WEBHOOK_REVOKED)) == 0)
        json_out_int(&out, "reason", event->reason);
    write_optional(&out, "problem", event->problem);
    write_optional(&out, "detail", event->detail);
    json_out_end_object(&out);
}

/* ---- waiting */

/* Until the time has come, by the world's clock, or someone hurries; with `kicks`, also until there is a new event.
 * False: the thread shall end. */
static bool wait_until(struct webhook *webhook, int64_t until_ms, bool kicks)
{
    pthread_mutex_lock(&webhook->lock);
    for (;;) {
        int64_t left_ms = until_ms - world_now_ms(webhook->caraway->world);
        if (webhook->stop || webhook->hurry || (kicks && webhook->kicked) || left_ms <= 0)
            break;
        int64_t at = monotonic_ms() + left_ms;
        struct timespec deadline = { .tv_sec = at / 1000, .tv_nsec = at % 1000 * 1000000 };
        pthread_cond_timedwait(&webhook->wake, &webhook->lock, &deadline);
    }
    webhook->hurry = webhook->kicked = false;
    bool go_on = !webhook->stop;
    pthread_mutex_unlock(&webhook->lock);
    return go_on;
}

/* ---- one round */

struct delivery {
    struct outbound_post post;
    struct webhook_event event;
    bool given_up;
};

struct round {
    struct webhook *webhook;
    struct arena *arena;
    struct delivery deliveries[BATCH];
    size_t count, delivered;
    int64_t now_ms, next_ms; /* next_ms: when something that is not due yet will be; 0: nothing waits */
};

static bool load_due(struct round *round, size_t most)
{
    AUTO(store_txn) txn = store_begin_read(round->webhook->caraway->store);
    struct store_page page;
    TRY(txn != NULL && store_list(txn, round->arena, STORE_WEBHOOK_DUE, "", NULL, most, false, &page));
    for (size_t i = 0; i < page.ids.count && round->next_ms == 0; i++) {
        struct delivery *delivery = &round->deliveries[round->count];
        *delivery = (struct delivery) { .given_up = false };
        TRY(store_get_webhook_event(txn, round->arena, page.ids.items[i], &delivery->event));
        if (delivery->event.next_ms > round->now_ms)
            round->next_ms = delivery->event.next_ms;
        else
            round->count++;
    }
    return true;
}

static void answered(struct outbound_post *post)
{
    struct webhook *webhook = post->arg;
    pthread_mutex_lock(&webhook->lock);
    webhook->under_way--;
    pthread_cond_broadcast(&webhook->wake);
    pthread_mutex_unlock(&webhook->lock);
}

static bool submit(struct round *round, struct delivery *delivery)
{
    const struct settings *settings = round->webhook->settings;
    AUTO_BUF(body, BODY_MAX_BYTES);
    webhook_body(&delivery->event, &body);
    const char *text = body.failed ? NULL : arena_text(round->arena, buf_str(&body));
    TRY(text != NULL);
    delivery->post = (struct outbound_post) {
        .url = settings->webhook_url,
        .id = delivery->event.id,
        .body = bytes_text(text),
        .timeout_ms = settings->webhook_timeout_ms,
        .done = answered,
        .arg = round->webhook,
    };
    outbound_submit(round->webhook->caraway->outbound, &delivery->post);
    return true;
}

static void post_all(struct round *round)
{
    struct webhook *webhook = round->webhook;
    for (size_t i = 0; i < round->count; i++) {
        struct delivery *delivery = &round->deliveries[i];
        pthread_mutex_lock(&webhook->lock);
        webhook->under_way++;
        pthread_mutex_unlock(&webhook->lock);
        if (!submit(round, delivery)) {
            snprintf(delivery->post.why, sizeof delivery->post.why, "out of memory");
            answered(&(struct outbound_post) { .arg = webhook });
        }
    }
    pthread_mutex_lock(&webhook->lock);
    while (webhook->under_way > 0)
        pthread_cond_wait(&webhook->wake, &webhook->lock);
    pthread_mutex_unlock(&webhook->lock);
}

static bool was_taken(const struct delivery *delivery)
{
    return delivery->post.status / 100 == STATUS_GOOD;
}

static void store_failure(struct store_txn *txn, struct round *round, struct delivery *delivery)
{
    struct webhook_event event = delivery->event;
    int64_t now_ms = world_now_ms(round->webhook->caraway->world);
    event.attempts++;
    event.error = delivery->post.status != 0 ? arena_printf(round->arena, "status %d", delivery->post.status)
                                             : delivery->post.why;
    delivery->given_up = now_ms - event.created_ms >= round->webhook->settings->webhook_retry_for_ms;
    event.next_ms = delivery->given_up ? 0 : now_ms + webhook_backoff_ms(event.attempts, EVENT_FIRST_MS, EVENT_MOST_MS);
    store_put_webhook_event(txn, &event);
}

static void store_round(struct store_txn *txn, void *arg)
{
    struct round *round = arg;
    round->delivered = 0;
    for (size_t i = 0; i < round->count; i++) {
        struct delivery *delivery = &round->deliveries[i];
        if (!was_taken(delivery) && round->webhook->stop)
            continue; /* cut off by our own end */
        if (!was_taken(delivery)) {
            store_failure(txn, round, delivery);
            continue;
        }
        store_delete_webhook_event(txn, delivery->event.id);
        round->delivered++;
    }
}

static void log_round(const struct round *round)
{
    struct log *log = round->webhook->caraway->log;
    for (size_t i = 0; i < round->count; i++) {
        const struct delivery *delivery = &round->deliveries[i];
        log_event(log, was_taken(delivery) ? LOG_WEBHOOK_DELIVERED : LOG_WEBHOOK_FAILED,
                  LOG_TEXT("id", delivery->event.id), LOG_TEXT("what", delivery->event.event),
                  LOG_INT("status", delivery->post.status),
                  LOG_TEXT("cause", delivery->post.why[0] != '\0' ? delivery->post.why : NULL),
                  LOG_BOOL("given_up", delivery->given_up));
    }
}

/* False: the store cannot be used at the moment. */
static bool run_round(struct round *round, size_t most)
{
    struct webhook *webhook = round->webhook;
    arena_reset(round->arena);
    round->count = round->delivered = 0;
    round->next_ms = 0;
    round->now_ms = world_now_ms(webhook->caraway->world);
    TRY(load_due(round, most));
    if (round->count == 0)
        return true;
    post_all(round);
    enum store_status status = store_write(webhook->caraway->store, store_round, round);
    log_round(round);
    for (size_t i = 0; i < round->count; i++)
        outbound_clear(&round->deliveries[i].post);
    webhook->stored -= (long long)round->delivered;
    return status == STORE_OK;
}

/* ---- what expires */

struct scan {
    struct webhook *webhook;
    struct arena *arena;
    int64_t until_ms;
    bool told;                     /* of some certificate */
    char position[POSITION_BYTES]; /* "": at the start */
    char next[POSITION_BYTES];     /* "": the scan has ended */
};

/* By an order that came to its certificate: one that failed leaves it to expire. */
static bool is_replaced(struct store_txn *txn, const struct scan *scan, const struct certificate *certificate)
{
    struct order order;
    return certificate->replaced_by != NULL && store_get_order(txn, scan->arena, certificate->replaced_by, &order) &&
           order.state == ORDER_VALID;
}

/* Certificates whose whole life is shorter than the notice are never told: they are renewed all the time. */
static bool is_left_alone(struct store_txn *txn, const struct scan *scan, const struct certificate *certificate)
{
    const char *set = store_subject_of_set(scan->arena, &certificate->identifiers);
    struct store_page page;
    return certificate->state == CERTIFICATE_VALID && !is_replaced(txn, scan, certificate) && set != NULL &&
           certificate->not_after_ms - certificate->not_before_ms > scan->webhook->settings->webhook_expiry_notice_ms &&
           store_list(txn, scan->arena, STORE_CERTIFICATE_BY_SET, set, NULL, 1, true, &page) && page.ids.count > 0 &&
           strcmp(page.ids.items[0], certificate->serial) == 0;
}

/* Behind what earlier scans have told, and what has expired. */
static const char *first_position(struct store_txn *txn, const struct scan *scan)
{
    int64_t from_ms = world_now_ms(scan->webhook->caraway->world);
    const char *stored = store_get_setting(txn, scan->arena, EXPIRY_SETTING);
    int64_t told_ms = stored != NULL ? strtoll(stored, NULL, 10) : 0;
    return store_position_from(scan->arena, told_ms > from_ms ? told_ms : from_ms);
}

/* Where the next scan begins: what ends the scan, for several may end in one moment; while it is under way, the last
 * one looked at, so that a scan that breaks off loses none. */
static void keep_place(struct store_txn *txn, const struct scan *scan, int64_t ms)
{
    const char *told = scan->told ? arena_printf(scan->arena, "%lld", (long long)ms) : NULL;
    if (told != NULL)
        store_put_setting(txn, EXPIRY_SETTING, told);
}

/* Up to when certificates were looked at: where the scan ends, or the last one of the page. */
static int64_t tell_page(struct store_txn *txn, struct scan *scan, const struct texts *ids)
{
    struct certificate certificate = { .not_after_ms = scan->until_ms };
    for (size_t i = 0; i < ids->count; i++) {
        if (!store_get_certificate(txn, scan->arena, ids->items[i], &certificate) ||
            certificate.not_after_ms >= scan->until_ms)
            return scan->until_ms;
        if (!is_left_alone(txn, scan, &certificate))
            continue;
        webhook_certificate(scan->webhook->caraway, txn, WEBHOOK_EXPIRING, &certificate);
        scan->told = true;
    }
    return certificate.not_after_ms;
}

static void scan_page(struct store_txn *txn, void *arg)
{
    struct scan *scan = arg;
    struct store_page page;
    arena_reset(scan->arena);
    scan->next[0] = '\0';
    const char *after = scan->position[0] != '\0' ? scan->position : first_position(txn, scan);
    if (after == NULL || !store_list(txn, scan->arena, STORE_EXPIRY_CERTIFICATE, "", after, SCAN_PAGE, false, &page))
        return;
    int64_t place_ms = tell_page(txn, scan, &page.ids);
    bool more = place_ms < scan->until_ms && page.next != NULL && strlen(page.next) < POSITION_BYTES;
    if (more)
        memcpy(scan->next, page.next, strlen(page.next) + 1);
    keep_place(txn, scan, more ? place_ms : scan->until_ms);
}

void webhook_scan_expiring(struct webhook *webhook, struct arena *arena)
{
    struct scan scan = { .webhook = webhook, .arena = arena };
    scan.until_ms = world_now_ms(webhook->caraway->world) + webhook->settings->webhook_expiry_notice_ms;
    bool wanted = (webhook->kinds & 1U << WEBHOOK_EXPIRING) != 0;
    while (wanted && !webhook->stop && store_write(webhook->caraway->store, scan_page, &scan) == STORE_OK) {
        memcpy(scan.position, scan.next, POSITION_BYTES);
        wanted = scan.next[0] != '\0';
    }
}

/* ---- the thread */

static void count_stored(struct webhook *webhook, struct arena *arena)
{
    AUTO(store_txn) txn = store_begin_read(webhook->caraway->store);
    struct store_page page = { .next = NULL };
    long long count = 0;
    arena_reset(arena);
    do {
        if (txn == NULL || !store_list_all(txn, arena, RECORD_webhook_event, page.next, STORE_PAGE_MAX, false, &page))
            return;
        count += (long long)page.ids.count;
    } while (page.next != NULL);
    webhook->stored = count;
}

static void log_dropped(struct webhook *webhook)
{
    long long dropped = atomic_exchange(&webhook->dropped, 0);
    if (dropped > 0)
        log_event(webhook->caraway->log, LOG_WEBHOOK_DROPPED, LOG_INT("count", dropped));
}

/* What is done once a minute. */
static void look_around(struct webhook *webhook, struct arena *arena)
{
    webhook_scan_expiring(webhook, arena);
    count_stored(webhook, arena);
    log_dropped(webhook);
}

/* While the receiver takes nothing, one event now and then tells whether it is back. */
static bool deliver_and_wait(struct round *round, int64_t *failures, int64_t look_ms)
{
    struct webhook *webhook = round->webhook;
    if (!run_round(round, *failures > 0 ? 1 : BATCH))
        return wait_until(webhook, round->now_ms + STORE_PAUSE_MS, false);
    int64_t now_ms = world_now_ms(webhook->caraway->world);
    if (round->delivered > 0)
        *failures = 0;
    else if (round->count > 0) {
        (*failures)++;
        return wait_until(webhook, now_ms + webhook_backoff_ms(*failures, PAUSE_FIRST_MS, PAUSE_MOST_MS), false);
    }
    int64_t until_ms = round->next_ms != 0 && round->next_ms < look_ms ? round->next_ms : look_ms;
    return wait_until(webhook, round->count > 0 ? now_ms : until_ms, true);
}

void *webhook_run(void *arg)
{
    struct webhook *webhook = arg;
    AUTO(arena) arena = arena_create(ROUND_ARENA_BYTES);
    struct round *round = calloc(1, sizeof *round);
    int64_t failures = 0, look_ms = 0;
    bool go_on = arena != NULL && round != NULL;
    if (!go_on)
        log_event(webhook->caraway->log, LOG_WEBHOOK_FAILED, LOG_TEXT("cause", "out of memory"));
    while (go_on) {
        int64_t now_ms = world_now_ms(webhook->caraway->world);
        if (now_ms >= look_ms || look_ms - now_ms > SCAN_EVERY_MS) {
            look_around(webhook, arena);
            look_ms = now_ms + SCAN_EVERY_MS;
        }
        *round = (struct round) { .webhook = webhook, .arena = arena };
        go_on = deliver_and_wait(round, &failures, look_ms);
    }
    free(round);
    return NULL;
}
