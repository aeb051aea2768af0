#include "server/files.h"

#include <sys/resource.h>

enum { BESIDE = 256, VALIDATIONS_LEAST = 1024 };

struct files_share files_share_of(int64_t open_files, int64_t wanted_connections)
{
    int64_t beside = open_files / 4 < BESIDE ? open_files / 4 : BESIDE, rest = open_files - beside;
    int64_t most = rest / 2 > rest - VALIDATIONS_LEAST ? rest / 2 : rest - VALIDATIONS_LEAST;
    int64_t connections = most < wanted_connections ? most : wanted_connections;
    return (struct files_share) { open_files, (unsigned)connections, (int)(rest - connections) };
}

struct files_share files_share_out(const struct settings *settings)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return (struct files_share) { .connections = (unsigned)settings->web_max_connections };
    if (files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &files);
        (void)!getrlimit(RLIMIT_NOFILE, &files);
    }
    int64_t open_files = files.rlim_cur < INT32_MAX ? (int64_t)files.rlim_cur : INT32_MAX;
    return files_share_of(open_files, settings->web_max_connections);
}
