#include "validators/outgoing.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static int keep_below(int fd, int files_below)
{
    if (fd < 0 || files_below == 0 || fd < files_below)
        return fd;
    close(fd);
    errno = EMFILE;
    return -1;
}

int val_outgoing_open(int family, int type, int protocol, int files_below)
{
    return keep_below(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol), files_below);
}

bool val_outgoing_room(int files_below)
{
    int fd = keep_below(eventfd(0, EFD_CLOEXEC), files_below);
    if (fd < 0)
        return false;
    close(fd);
    return true;
}
