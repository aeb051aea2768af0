#include "server/webhook/outbound.h"

#include "tests/unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static struct buf secret_of(const char *text, bool *out_good)
{
    struct buf secret = BUF_INIT(1024);
    *out_good = outbound_secret(bytes_text(text), &secret);
    return secret;
}

static void a_secret_is_the_file_or_what_it_encodes(void **state)
{
    (void)state;
    static const struct {
        const char *text, *secret; /* NULL: refused */
    } cases[] = {
        { "0123456789abcdef", "0123456789abcdef" },
        { "0123456789abcdef\n", "0123456789abcdef" },
        { "0123456789abcdef\r\n", "0123456789abcdef" },
        { "whsec_MDEyMzQ1Njc4OWFiY2RlZg==", "0123456789abcdef" },
        { "whsec_MDEyMzQ1Njc4OWFiY2RlZg\n", "0123456789abcdef" },
        { "whsec_Pj4+Pj4+Pj4+Pj4+Pj4+Pz8/", ">>>>>>>>>>>>>>>\077\077\077" },
        { "0123456789abcde", NULL },
        { "whsec_", NULL },
        { "whsec_MDEy", NULL },
        { "whsec_MDEyMzQ1Njc4OWFiY2RlZg==x!", NULL },
        { "", NULL },
        { "\n", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool good;
        struct buf secret = secret_of(cases[i].text, &good);
        if (good != (cases[i].secret != NULL) || (good && strcmp(buf_str(&secret), cases[i].secret) != 0))
            fail_msg("\"%s\" gives \"%s\"", cases[i].text, good ? buf_str(&secret) : "nothing");
        buf_free(&secret);
    }
}

/* Computed with Python's hmac and base64. */
static void a_signature_is_over_id_time_and_body(void **state)
{
    (void)state;
    AUTO_BUF(text, 200);
    outbound_sign(bytes_text("0123456789abcdef"), "msg_1", 1700000000, bytes_text("{\"a\":1}"), &text);
    assert_string_equal(buf_str(&text), "v1,41C4mdfM4X7k7EqLRBhc2OjUAQFwQVsqMUoL0CbTfxc=");
}

/* ---- the engine, against a listener that never answers and a port where nobody listens */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void note_done(struct outbound_post *post)
{
    struct waiting *waiting = post->arg;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static void await(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->lock);
    while (!waiting->done)
        pthread_cond_wait(&waiting->changed, &waiting->lock);
    pthread_mutex_unlock(&waiting->lock);
}

static int silent_port(int *out_port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    *out_port = ntohs(address.sin_port);
    return fd;
}

static struct outbound *start(void)
{
    const struct outbound_options options = {
        .secret_file = "", .ca_file = "", .user_agent = "test", .world = world_real()
    };
    char why[OUTBOUND_WHY_SIZE];
    struct outbound *outbound = outbound_start(&options, why);
    assert_non_null(outbound);
    return outbound;
}

static void submit(struct outbound *outbound, struct outbound_post *post, struct waiting *waiting, const char *url,
                   int64_t timeout_ms)
{
    *waiting = (struct waiting) { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    *post = (struct outbound_post) {
        .url = url, .id = "id", .body = bytes_text("{}"), .timeout_ms = timeout_ms, .done = note_done, .arg = waiting
    };
    outbound_submit(outbound, post);
}

static void silence_and_refusal_are_no_answer(void **state)
{
    (void)state;
    AUTO(outbound) outbound = start();
    struct outbound_post post;
    struct waiting waiting;
    int port;
    char url[64];
    int fd = silent_port(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    submit(outbound, &post, &waiting, url, 50);
    await(&waiting);
    assert_int_equal(post.status, 0);
    assert_true(post.why[0] != '\0');
    outbound_clear(&post);
    close(fd);
    submit(outbound, &post, &waiting, url, 10000);
    await(&waiting);
    assert_int_equal(post.status, 0);
    outbound_clear(&post);
    submit(outbound, &post, &waiting, "file:///etc/passwd", 10000);
    await(&waiting);
    assert_int_equal(post.status, 0);
    assert_int_equal(post.answer.len, 0);
    outbound_clear(&post);
}

static void whoever_waits_is_let_go_at_the_end(void **state)
{
    (void)state;
    struct outbound *outbound = start();
    struct outbound_post posts[2];
    struct waiting waiting[2];
    int port;
    char url[64];
    int fd = silent_port(&port);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", port);
    submit(outbound, &posts[0], &waiting[0], url, 600000);
    outbound_close(outbound);
    await(&waiting[0]);
    submit(outbound, &posts[1], &waiting[1], url, 600000);
    await(&waiting[1]);
    assert_string_equal(posts[1].why, "the server is stopping");
    outbound_stop(outbound);
    for (size_t i = 0; i < ARRAY_SIZE(posts); i++)
        outbound_clear(&posts[i]);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_the_file_or_what_it_encodes),
        cmocka_unit_test(a_signature_is_over_id_time_and_body),
        cmocka_unit_test(silence_and_refusal_are_no_answer),
        cmocka_unit_test(whoever_waits_is_let_go_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
