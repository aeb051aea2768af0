#include "base/world.h"
#include "tests/validators/dns_server.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MANY = 600 };

static const char *const loopback[] = { "127.0.0.1" };
static const char *const issuers[] = { "ca.test" }, *const accounts[] = { ACCOUNT_URL };
static const struct validators_host hosts[] = { { "*.test", loopback, 1 } };
static const struct tcp_row rows[] = {
    { CHALLENGE_PATH, TCP_SEND, "HTTP/1.1 200 OK\r\n\r\n" KEY_AUTHORIZATION },
    { "/.well-known/acme-challenge/hang", TCP_SEND_THEN_HANG, "HTTP/1.1 200 OK\r\n" },
};

struct crowd {
    const char *account; /* NULL: the usual one */
    struct validation validations[MANY];
    pthread_mutex_t lock; /* guards done and ok */
    pthread_cond_t changed;
    unsigned done, ok;
};

static void on_done(struct validation *validation, void *arg)
{
    struct crowd *crowd = arg;
    pthread_mutex_lock(&crowd->lock);
    crowd->done++;
    crowd->ok += validation->ok;
    pthread_cond_signal(&crowd->changed);
    pthread_mutex_unlock(&crowd->lock);
}

static void start_crowd(struct validators *validators, struct crowd *crowd, size_t count, const char *token,
                        enum acme_challenge_type (*type)(size_t i))
{
    pthread_mutex_init(&crowd->lock, NULL);
    pthread_cond_init(&crowd->changed, NULL);
    crowd->done = crowd->ok = 0;
    for (size_t i = 0; i < count; i++) {
        crowd->validations[i] =
            (struct validation) { .type = type(i),
                                  .identifier = dns_name("a.test"),
                                  .token = token,
                                  .key_authorization = KEY_AUTHORIZATION,
                                  .account_url = crowd->account != NULL ? crowd->account : ACCOUNT_URL,
                                  .issuers = issuers,
                                  .issuer_count = 1,
                                  .accounts = accounts,
                                  .account_count = 1,
                                  .done = on_done,
                                  .arg = crowd };
        validators_start(validators, &crowd->validations[i]);
    }
}

static void wait_for(struct crowd *crowd, unsigned count)
{
    pthread_mutex_lock(&crowd->lock);
    while (crowd->done < count)
        pthread_cond_wait(&crowd->changed, &crowd->lock);
    pthread_mutex_unlock(&crowd->lock);
}

static void end_crowd(struct crowd *crowd)
{
    pthread_cond_destroy(&crowd->changed);
    pthread_mutex_destroy(&crowd->lock);
}

static struct validators_options options_for(const struct tcp_server *server)
{
    struct validators_options options = test_options();
    options.threads = 2;
    options.hosts = hosts;
    options.host_count = 1;
    options.http_port = options.tls_port = tcp_server_port(server);
    return options;
}

static enum acme_challenge_type http_only(size_t i)
{
    (void)i;
    return CHALLENGE_HTTP_01;
}

static enum acme_challenge_type each_in_turn(size_t i)
{
    return (enum acme_challenge_type)(i % CHALLENGE_TYPES);
}

static void many_at_once(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &crowd, MANY, TOKEN, http_only);
    wait_for(&crowd, MANY);
    assert_int_equal(crowd.ok, MANY);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&crowd);
}

static void healthy_ones_pass_hanging_ones(void **state)
{
    (void)state;
    static struct crowd hanging, healthy;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &hanging, MANY, "hang", http_only);
    start_crowd(validators, &healthy, MANY, TOKEN, http_only);
    wait_for(&healthy, MANY);
    assert_int_equal(healthy.ok, MANY);
    assert_int_equal(hanging.done, 0);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&healthy);
    end_crowd(&hanging);
}

static void a_crowd_keeps_to_its_limit(void **state)
{
    (void)state;
    enum { LIMIT = 8 };
    static struct crowd hanging, healthy = { .account = ACCOUNT_URL "0" };
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    options.max_per_account = LIMIT;
    options.max_in_flight = LIMIT + 4;
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &hanging, MANY, "hang", http_only);
    start_crowd(validators, &healthy, MANY, TOKEN, http_only);
    wait_for(&healthy, MANY);
    assert_int_equal(healthy.ok, MANY);
    assert_int_equal(hanging.done, 0);
    assert_in_range(tcp_server_requests(server), MANY, MANY + LIMIT);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&healthy);
    end_crowd(&hanging);
}

static void who_waits_gets_in_when_others_time_out(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    static struct crowd crowd;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    options.max_in_flight = 5;
    options.total_timeout_ms = 30;
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &crowd, COUNT, "hang", http_only);
    wait_for(&crowd, COUNT);
    assert_int_equal(crowd.ok, 0);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&crowd);
}

static unsigned internal_problems(const struct crowd *crowd)
{
    unsigned count = 0;
    for (size_t i = 0; i < MANY; i++)
        count += !crowd->validations[i].ok && crowd->validations[i].problem.type == PROBLEM_SERVER_INTERNAL;
    return count;
}

/* Who finds no descriptor hears of an internal error; all others go on, and later ones pass again. */
static void descriptors_run_out(void **state)
{
    (void)state;
    enum { TRIES = 50 }; /* the timeout is short */
    static struct crowd hanging;
    struct outcome healthy = { 0 };
    struct rlimit before, few;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    options.total_timeout_ms = 300;
    struct validators *validators = test_validators(&options);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    few = before;
    few.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
    start_crowd(validators, &hanging, MANY, "hang", http_only);
    wait_for(&hanging, MANY);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_in_range(internal_problems(&hanging), 1, MANY - 1);
    for (int i = 0; i < TRIES && !healthy.ok; i++)
        validate(validators, CHALLENGE_HTTP_01, dns_name("a.test"), &healthy);
    assert_true(healthy.ok);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&hanging);
}

static void await_room(const struct validators *validators, bool wanted)
{
    int64_t until = monotonic_ms() + 10000;
    while (validators_have_room(validators) != wanted) {
        assert_true(monotonic_ms() < until);
        sched_yield();
    }
}

/* The numbers above are for whoever serves clients, while targets hang; then they can be had again. */
static void validations_leave_descriptors_to_others(void **state)
{
    (void)state;
    enum { MARGIN = 100 };
    static struct crowd hanging;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    int first = dup(STDOUT_FILENO);
    close(first);
    options.total_timeout_ms = 1000;
    options.files_below = first + MARGIN;
    struct validators *validators = test_validators(&options);
    assert_true(validators_have_room(validators));
    start_crowd(validators, &hanging, MANY, "hang", http_only);
    await_room(validators, false);
    int other = dup(STDOUT_FILENO);
    assert_true(other >= options.files_below);
    close(other);
    wait_for(&hanging, MANY);
    assert_in_range(internal_problems(&hanging), 1, MANY - 1);
    await_room(validators, true);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&hanging);
}

/* The DNS server is silent, the TCP server never ends an answer and never shakes hands: nothing can come to an end. */
static void drop_ends_everything_in_silence(void **state)
{
    (void)state;
    static struct crowd crowd;
    const struct dns_row silence = { "", 0, DNS_SILENCE, 0, NULL, NULL, 0 };
    char dns_text[40];
    struct dns_server *dns = dns_server_start(&silence, 1);
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    snprintf(dns_text, sizeof dns_text, "127.0.0.1:%u", dns_server_port(dns));
    options.dns_server = dns_text;
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &crowd, 60, "hang", each_in_turn);
    dns_server_wait(dns, 1);
    validators_drop(validators);
    assert_int_equal(crowd.done, 0);
    dns_server_stop(dns);
    tcp_server_stop(server);
    end_crowd(&crowd);
}

static void drop_right_after_the_start(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &crowd, MANY, "hang", each_in_turn);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&crowd);
    validators_drop(NULL);
}

static void many_timeouts(void **state)
{
    (void)state;
    static struct crowd crowd;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    options.total_timeout_ms = 100;
    struct validators *validators = test_validators(&options);
    start_crowd(validators, &crowd, MANY, "hang", http_only);
    wait_for(&crowd, MANY);
    assert_int_equal(crowd.ok, 0);
    validators_drop(validators);
    tcp_server_stop(server);
    end_crowd(&crowd);
}

static void free_inside(struct validation *validation, void *arg)
{
    free(validation);
    atomic_store((atomic_bool *)arg, true);
}

static void validation_may_be_freed_inside_done(void **state)
{
    (void)state;
    atomic_bool done = false;
    struct tcp_server *server = tcp_server_start(rows, ARRAY_SIZE(rows));
    struct validators_options options = options_for(server);
    struct validators *validators = test_validators(&options);
    struct validation *validation = calloc(1, sizeof *validation);
    struct outcome outcome;
    assert_non_null(validation);
    *validation = (struct validation) { .type = CHALLENGE_HTTP_01,
                                        .identifier = dns_name("a.test"),
                                        .token = TOKEN,
                                        .key_authorization = KEY_AUTHORIZATION,
                                        .done = free_inside,
                                        .arg = &done };
    validators_start(validators, validation);
    while (!atomic_load(&done))
        validate(validators, CHALLENGE_HTTP_01, dns_name("a.test"), &outcome);
    validators_drop(validators);
    tcp_server_stop(server);
}

static void bad_hosts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "127.0.0.1", "localhost" };
    static const struct validators_host bad_hosts[] = { { "b.test", bad, 2 } };
    struct validators_options options = test_options();
    struct validators *validators;
    char why[VALIDATORS_WHY_SIZE];
    options.hosts = bad_hosts;
    options.host_count = 1;
    assert_false(validators_open(&options, &validators, why));
    assert_string_equal(why, "dns.hosts: b.test: an IP address is expected");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_at_once),
        cmocka_unit_test(healthy_ones_pass_hanging_ones),
        cmocka_unit_test(a_crowd_keeps_to_its_limit),
        cmocka_unit_test(descriptors_run_out),
        cmocka_unit_test(validations_leave_descriptors_to_others),
        cmocka_unit_test(who_waits_gets_in_when_others_time_out),
        cmocka_unit_test(drop_ends_everything_in_silence),
        cmocka_unit_test(drop_right_after_the_start),
        cmocka_unit_test(many_timeouts),
        cmocka_unit_test(validation_may_be_freed_inside_done),
        cmocka_unit_test(bad_hosts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
