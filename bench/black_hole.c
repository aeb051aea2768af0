/* bench_black_hole ADDRESS PORT: listens and never answers. The first few connections come about, in the kernel, and
 * the rest hang in their handshake: dead targets for validations. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    if (argc != 3 || inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) {
        fputs("usage: bench_black_hole ADDRESS PORT\n", stderr);
        return EXIT_FAILURE;
    }
    address.sin_port = htons((in_port_t)strtoul(argv[2], NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0) {
        perror("bench_black_hole");
        return EXIT_FAILURE;
    }
    pause();
    return EXIT_SUCCESS;
}
