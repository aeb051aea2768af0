/* caraway-challtestsrv: answers to challenges, and a made-up DNS, that tests change over HTTP. */
#include "test-client/challtestsrv/api.h"
#include "test-client/challtestsrv/servers.h"

#include "base/clock_text.h"
#include "base/world.h"

#include <signal.h>
#include <stdio.h>

enum { EXIT_WRONG_FLAGS = 2, HELP_MAX = 16 << 10 };

struct program {
    struct cts_servers *servers;
    uv_signal_t terminate, interrupt;
};

static void show_help(void)
{
    AUTO_BUF(text, HELP_MAX);
    buf_text(&text,
             "Usage: caraway-challtestsrv [flags]\n\n"
             "Answers http-01 and tls-alpn-01 challenges and DNS questions for tests of ACME clients and servers.\n"
             "Every name exists; what it answers is changed by JSON orders to the management port. It takes the\n"
             "flags and orders of pebble-challtestsrv, and more.\n\nFlags (and what holds without them):\n");
    cts_flags_help(&text);
    buf_text(&text, "\nOrders, each with the members of its JSON object:\n");
    cts_api_help(&text);
    buf_text(&text,
             "\nThe host \"*.NAME\" stands for every name below NAME that nothing was said about, \"*\" for all.\n"
             "\nBINDS are addresses with commas between: 127.0.0.1:5002, [::1]:5002, or :5002 for every address of\n"
             "the machine; port 0 takes a free one and says which. \"\" switches a server off.\n"
             "The management port knows no password: outside a container, give loopback addresses.\n\n"
             "Examples:\n"
             "  caraway-challtestsrv -http01 127.0.0.1:5002 -tlsalpn01 127.0.0.1:5001 \\\n"
             "      -dnsserver 127.0.0.1:8053 -management 127.0.0.1:8055\n"
             "  curl -d '{\"host\":\"_acme-challenge.www.example.test\",\"value\":\"...\"}' \\\n"
             "      http://127.0.0.1:8055/set-txt\n"
             "  curl -d '{\"host\":\"www.example.test\",\"addresses\":[\"127.0.0.2\"]}' "
             "http://127.0.0.1:8055/add-a\n");
    fputs(buf_str(&text), stdout);
}

static void say(const char *line)
{
    char now[TIME_TEXT_SIZE];
    time_text(world_now_ms(world_real()), now);
    printf("%s %s\n", now, line);
}

static void stop(uv_signal_t *signal, int number)
{
    (void)number;
    struct program *program = signal->data;
    cts_servers_drop(TAKE(program->servers));
    uv_close((uv_handle_t *)&program->terminate, NULL);
    uv_close((uv_handle_t *)&program->interrupt, NULL);
}

static void watch(uv_loop_t *loop, struct program *program, uv_signal_t *handle, int number)
{
    CHECK(uv_signal_init(loop, handle) == 0);
    handle->data = program;
    CHECK(uv_signal_start_oneshot(handle, stop, number) == 0);
}

static int run(const struct cts_flags *flags)
{
    uv_loop_t loop;
    struct program program = { 0 };
    char why[CTS_WHY_SIZE];
    CHECK(uv_loop_init(&loop) == 0);
    watch(&loop, &program, &program.terminate, SIGTERM);
    watch(&loop, &program, &program.interrupt, SIGINT);
    bool started = cts_servers_start(&loop, flags, say, &program.servers, why);
    if (!started) {
        fprintf(stderr, "caraway-challtestsrv: %s\n", why);
        stop(&program.terminate, SIGTERM);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct cts_flags flags;
    char why[CTS_WHY_SIZE];
    signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of that connection */
    setvbuf(stdout, NULL, _IOLBF, 0);
    switch (cts_flags_parse(argc, argv, &flags, why)) {
    case CTS_FLAGS_HELP:
        show_help();
        return EXIT_SUCCESS;
    case CTS_FLAGS_VERSION:
        puts("caraway-challtestsrv " CARAWAY_VERSION);
        return EXIT_SUCCESS;
    case CTS_FLAGS_WRONG:
        fprintf(stderr, "caraway-challtestsrv: %s\nTry 'caraway-challtestsrv -help'.\n", why);
        return EXIT_WRONG_FLAGS;
    case CTS_FLAGS_RUN:
        break;
    }
    return run(&flags);
}
