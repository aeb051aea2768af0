/* bench_black_hole ADDRESS PORT: takes every connection and never says a word: dead targets for validations. */
#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

static bool listen_on(int fd, const struct sockaddr_in *address)
{
    static const int on = 1;
    return fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
           bind(fd, (const struct sockaddr *)address, sizeof *address) == 0 && listen(fd, BACKLOG) == 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    struct rlimit files;
    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fputs("usage: bench_black_hole ADDRESS PORT\n", stderr);
        return EXIT_FAILURE;
    }
    address.sin_port = htons((in_port_t)strtoul(argv[2], NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (!listen_on(fd, &address) || getrlimit(RLIMIT_NOFILE, &files) != 0) {
        perror("bench_black_hole");
        return EXIT_FAILURE;
    }
    files.rlim_cur = files.rlim_max;
    (void)!setrlimit(RLIMIT_NOFILE, &files);
    while (accept(fd, NULL, NULL) >= 0)
        continue;
    perror("bench_black_hole");
    pause();
    return EXIT_SUCCESS;
}
