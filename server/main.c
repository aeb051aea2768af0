#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("caraway " CARAWAY_VERSION);
        return 0;
    }
    fputs("caraway: this build serves nothing yet\n", stderr);
    return 1;
}
