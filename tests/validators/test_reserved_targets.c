/* Reserved addresses are not reached, whatever leads to them: shown in a network namespace where every address is this
 * machine's, and somebody listens on all of them. */
#include "tests/validators/dns_server.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { PORT = 5002, ROUTE_BYTES = 512, REQUEST_BYTES = 2048, TEXT_SIZE = 400, A = 1, NS = 2, TXT = 16 };
#define OUTSIDE "9.9.9.9" /* where the redirects come from */

/* ---- the namespace */

static bool add_local_route(int family)
{
    struct {
        struct nlmsghdr header;
        struct rtmsg route;
        struct rtattr attribute;
        int loopback;
    } ask = {
        .header = { sizeof ask, RTM_NEWROUTE, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_ACK, 1, 0 },
        .route = { .rtm_family = (uint8_t)family,
                   .rtm_table = RT_TABLE_LOCAL,
                   .rtm_protocol = RTPROT_STATIC,
                   .rtm_scope = RT_SCOPE_HOST,
                   .rtm_type = RTN_LOCAL },
        .attribute = { RTA_LENGTH(sizeof(int)), RTA_OIF },
        .loopback = (int)if_nametoindex("lo"),
    };
    union {
        char bytes[ROUTE_BYTES];
        struct nlmsghdr header;
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    bool ok = fd >= 0 && send(fd, &ask, sizeof ask, 0) == sizeof ask && recv(fd, &answer, sizeof answer, 0) > 0 &&
              answer.header.nlmsg_type == NLMSG_ERROR && ((struct nlmsgerr *)NLMSG_DATA(&answer.header))->error == 0;
    close(fd);
    return ok;
}

static bool enter_namespace(void)
{
    struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING };
    TRY(unshare(CLONE_NEWNET) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
    close(fd);
    return up && add_local_route(AF_INET);
}

/* ---- who listens on all addresses */

struct everywhere {
    int fds[2], stop_fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards location */
    char location[TEXT_SIZE];
    atomic_uint outside, inside; /* connections to OUTSIDE and to any other address */
};

static bool is_outside(int fd)
{
    struct sockaddr_in in = { 0 };
    socklen_t len = sizeof in;
    getsockname(fd, (struct sockaddr *)&in, &len);
    return in.sin_family == AF_INET && in.sin_addr.s_addr == inet_addr(OUTSIDE);
}

static void answer(struct everywhere *everywhere, int fd)
{
    char request[REQUEST_BYTES], text[TEXT_SIZE * 2] = "HTTP/1.1 200 OK\r\n\r\n" KEY_AUTHORIZATION;
    (void)!recv(fd, request, sizeof request, 0);
    bool outside = is_outside(fd);
    atomic_fetch_add(outside ? &everywhere->outside : &everywhere->inside, 1);
    pthread_mutex_lock(&everywhere->lock);
    if (outside && everywhere->location[0] != '\0')
        snprintf(text, sizeof text, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n",
                 everywhere->location);
    pthread_mutex_unlock(&everywhere->lock);
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
    close(fd);
}

static void *run_everywhere(void *arg)
{
    struct everywhere *everywhere = arg;
    for (;;) {
        struct pollfd fds[] = { { .fd = everywhere->fds[0], .events = POLLIN },
                                { .fd = everywhere->fds[1], .events = POLLIN },
                                { .fd = everywhere->stop_fd, .events = POLLIN } };
        poll(fds, 3, -1);
        if (fds[2].revents != 0)
            return NULL;
        for (int i = 0; i < 2; i++) {
            int fd = fds[i].revents != 0 ? accept4(fds[i].fd, NULL, NULL, SOCK_CLOEXEC) : -1;
            if (fd >= 0)
                answer(everywhere, fd);
        }
    }
}

static int listen_everywhere(const struct sockaddr *address, socklen_t len)
{
    int one = 1, fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    assert_int_equal(bind(fd, address, len), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    return fd;
}

static void start_everywhere(struct everywhere *everywhere)
{
    const struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(PORT) };
    const struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
    *everywhere = (struct everywhere) { .stop_fd = eventfd(0, EFD_CLOEXEC) };
    everywhere->fds[0] = listen_everywhere((const struct sockaddr *)&v4, sizeof v4);
    everywhere->fds[1] = listen_everywhere((const struct sockaddr *)&v6, sizeof v6);
    pthread_mutex_init(&everywhere->lock, NULL);
    assert_int_equal(pthread_create(&everywhere->thread, NULL, run_everywhere, everywhere), 0);
}

static void stop_everywhere(struct everywhere *everywhere)
{
    assert_int_equal(write(everywhere->stop_fd, &(uint64_t) { 1 }, 8), 8);
    pthread_join(everywhere->thread, NULL);
    close(everywhere->fds[0]);
    close(everywhere->fds[1]);
    close(everywhere->stop_fd);
    pthread_mutex_destroy(&everywhere->lock);
}

/* ---- the tests */

static struct validators *open_with(const char *const *allowed, size_t count, const char *dns_server)
{
    static const char *const outside[] = { OUTSIDE };
    static const struct validators_host hosts[] = { { "outside.test", outside, 1 } };
    struct validators_options options = test_options();
    options.http_port = PORT;
    options.allow_addresses = allowed;
    options.allow_address_count = count;
    options.hosts = hosts;
    options.host_count = 1;
    options.dns_server = dns_server;
    return test_validators(&options);
}

static const char *const reserved[] = {
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
};

static void addresses_themselves(void **state)
{
    (void)state;
    struct everywhere everywhere;
    struct outcome outcome;
    start_everywhere(&everywhere);
    struct validators *validators = open_with((const char *const[]) { "self" }, 1, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        validate(validators, CHALLENGE_HTTP_01, ip_name(reserved[i]), &outcome);
        assert_problem(&outcome, PROBLEM_CONNECTION, "this server does not connect to ");
        assert_has(outcome.trace, "\"setting\":\"validation.allow-addresses\"");
    }
    assert_int_equal(everywhere.inside, 0);
    validate(validators, CHALLENGE_HTTP_01, ip_name(OUTSIDE), &outcome);
    assert_true(outcome.ok);
    validators_drop(validators);
    stop_everywhere(&everywhere);
}

/* The listener is no illusion. */
static void the_same_where_all_is_allowed(void **state)
{
    (void)state;
    static const char *const all[] = { "0.0.0.0/0", "::/0" };
    struct everywhere everywhere;
    struct outcome outcome;
    unsigned passed = 0;
    start_everywhere(&everywhere);
    struct validators *validators = open_with(all, ARRAY_SIZE(all), NULL);
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        validate(validators, CHALLENGE_HTTP_01, ip_name(reserved[i]), &outcome);
        passed += outcome.ok;
    }
    assert_in_range(passed, ARRAY_SIZE(reserved) * 3 / 4, ARRAY_SIZE(reserved));
    assert_int_equal(everywhere.inside, passed);
    validators_drop(validators);
    stop_everywhere(&everywhere);
}

static void own_addresses_have_to_be_named(void **state)
{
    (void)state;
    struct everywhere everywhere;
    struct outcome outcome;
    start_everywhere(&everywhere);
    struct validators *validators = open_with((const char *const[]) { "private" }, 1, NULL);
    validate(validators, CHALLENGE_HTTP_01, ip_name("10.0.0.1"), &outcome);
    assert_problem(&outcome, PROBLEM_CONNECTION, "which is an address of the validating server itself");
    validate(validators, CHALLENGE_HTTP_01, ip_name(OUTSIDE), &outcome);
    assert_problem(&outcome, PROBLEM_CONNECTION, "which is an address of the validating server itself");
    assert_int_equal(everywhere.inside + everywhere.outside, 0);
    validators_drop(validators);
    stop_everywhere(&everywhere);
}

static void redirects(void **state)
{
    (void)state;
    static const char *const locations[] = {
        "http://127.0.0.1:5002/",
        "http://127.1:5002/",
        "http://2130706433:5002/",
        "http://017700000001:5002/",
        "http://0x7f000001:5002/",
        "http://0x7f.0.0.1:5002/",
        "http://0177.0.0.1:5002/",
        "http://[::1]:5002/",
        "http://[::ffff:127.0.0.1]:5002/",
        "http://[::127.0.0.1]:5002/",
        "http://[64:ff9b::a00:1]:5002/",
        "http://[fe80::1%25lo]:5002/",
        "http://0:5002/",
        "http://0.0.0.0:5002/",
        "//10.0.0.1:5002/",
        "https://10.0.0.1:5001/",
        "http://169.254.169.254:80/",
        "http://[fd00:ec2::254]:80/",
        "http://127.0.0.1.:5002/",
        "http://127.0.0.1%2e:5002/",
        "http://\xef\xbc\x91\x32\x37.0.0.1:5002/",
        "http://9.9.9.9@127.0.0.1:5002/",
        "http://9.9.9.9#@127.0.0.1:5002/",
        "file:///etc/passwd",
        "dict://127.0.0.1:5002/",
        "http:\\\\127.0.0.1:5002\\",
        "http://inside.test:5002/",
        "http://alias.test:5002/",
        "http://mixed6.test:5002/",
    };
    static const char *const inside[] = { "10.0.0.1", "127.0.0.1" }, *const inside6[] = { "fd00::1",
                                                                                          "::ffff:10.0.0.1" };
    static const struct dns_row rows[] = {
        { "inside.test", 1, DNS_ANSWER, 0, NULL, inside, 2 },
        { "alias.test", 1, DNS_ANSWER, 0, "inside.test", NULL, 0 },
        { "mixed6.test", 28, DNS_ANSWER, 0, NULL, inside6, 2 },
    };
    struct everywhere everywhere;
    struct outcome outcome;
    char server_text[40];
    start_everywhere(&everywhere);
    struct dns_server *dns = dns_server_start(rows, ARRAY_SIZE(rows));
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", dns_server_port(dns));
    struct validators *validators = open_with((const char *const[]) { "self" }, 1, server_text);
    for (size_t i = 0; i < ARRAY_SIZE(locations); i++) {
        pthread_mutex_lock(&everywhere.lock);
        snprintf(everywhere.location, TEXT_SIZE, "%s", locations[i]);
        pthread_mutex_unlock(&everywhere.lock);
        validate(validators, CHALLENGE_HTTP_01, dns_name("outside.test"), &outcome);
        if (outcome.ok || everywhere.inside > 0)
            fail_msg("%s: %s", locations[i], outcome.trace);
    }
    assert_in_range(everywhere.outside, ARRAY_SIZE(locations), 2 * ARRAY_SIZE(locations));
    validators_drop(validators);
    dns_server_stop(dns);
    stop_everywhere(&everywhere);
}

/* A reserved address beside a good one does not lead there, and is not in the way either. */
static void a_name_with_both(void **state)
{
    (void)state;
    static const char *const both[] = { "10.0.0.1", OUTSIDE }, *const inside6[] = { "fd00::1" };
    static const struct dns_row rows[] = { { "both.test", 1, DNS_ANSWER, 0, NULL, both, 2 },
                                           { "both.test", 28, DNS_ANSWER, 0, NULL, inside6, 1 } };
    struct everywhere everywhere;
    struct outcome outcome;
    char server_text[40];
    start_everywhere(&everywhere);
    struct dns_server *dns = dns_server_start(rows, ARRAY_SIZE(rows));
    snprintf(server_text, sizeof server_text, "127.0.0.1:%u", dns_server_port(dns));
    struct validators *validators = open_with((const char *const[]) { "self" }, 1, server_text);
    validate(validators, CHALLENGE_HTTP_01, dns_name("both.test"), &outcome);
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"address\":\"fd00::1\",\"why\":\"an address of private networks\"");
    assert_int_equal(everywhere.inside, 0);
    validators_drop(validators);
    dns_server_stop(dns);
    stop_everywhere(&everywhere);
}

/* The root servers' addresses answer for all names. */
static void from_the_root_down(void **state)
{
    (void)state;
    static const char *const value[] = { "lCM7cZyQXcVHK2nnW3jjAhNT3Fvm18UN-kWZZknKoYM" };
    static const char *const roots[] = { "198.41.0.4",    "170.247.170.2",  "199.9.14.201",  "192.33.4.12",
                                         "199.7.91.13",   "192.203.230.10", "192.5.5.241",   "192.112.36.4",
                                         "198.97.190.53", "192.36.148.17",  "192.58.128.30", "193.0.14.129",
                                         "199.7.83.42",   "202.12.27.33" };
    struct dns_server *servers[ARRAY_SIZE(roots)];
    static const char *const root[] = { "a.root-servers.net" };
    const struct dns_row rows[] = { { "_acme-challenge.a.example", TXT, DNS_ANSWER, 0, NULL, value, 1 },
                                    { "a.example", TXT, DNS_ANSWER, 0, NULL, NULL, 0 },
                                    { "example", TXT, DNS_ANSWER, 0, NULL, NULL, 0 },
                                    { root[0], A, DNS_ANSWER, 0, NULL, roots, ARRAY_SIZE(roots) },
                                    { "", NS, DNS_ANSWER, 0, NULL, root, 1 } };
    char anchor[] = "/tmp/caraway-anchor-XXXXXX";
    struct outcome outcome;
    struct validators_options options = test_options();
    int fd = mkstemp(anchor); /* an empty one: the zone is not signed */
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
        servers[i] = dns_server_start_at(roots[i], 53, rows, ARRAY_SIZE(rows));
    close(fd);
    options.dns_server = NULL;
    options.dns_recursive = true;
    options.dns_trust_anchor = anchor;
    struct validators *validators = test_validators(&options);
    validate(validators, CHALLENGE_DNS_01, dns_name("a.example"), &outcome);
    validators_drop(validators);
    for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
        dns_server_stop(servers[i]);
    unlink(anchor);
    assert_string_equal(outcome.problem.detail, "");
    assert_true(outcome.ok);
    assert_has(outcome.trace, "\"server\":\"the authoritative servers\"");
}

int main(void)
{
    static const struct CMUnitTest v4[] = { cmocka_unit_test(from_the_root_down) };
    static const struct CMUnitTest both[] = {
        cmocka_unit_test(addresses_themselves),
        cmocka_unit_test(the_same_where_all_is_allowed),
        cmocka_unit_test(own_addresses_have_to_be_named),
        cmocka_unit_test(redirects),
        cmocka_unit_test(a_name_with_both),
    };
    if (!enter_namespace()) {
        puts("skipped: no network namespace can be made here");
        return 0;
    }
    int failed =
        cmocka_run_group_tests(v4, NULL, NULL); /* before the root servers' other addresses swallow questions */
    if (add_local_route(AF_INET6))
        failed += cmocka_run_group_tests(both, NULL, NULL);
    else
        puts("skipped: no IPv6 here");
    return failed;
}
