#include "test-client/cpu.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TREE_DEPTH_MAX = 8 };

static uint64_t timeval_us(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_usec;
}

uint64_t tc_cpu_own_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return timeval_us(usage.ru_utime) + timeval_us(usage.ru_stime);
}

/* The name in parentheses may hold spaces and parentheses itself; the fields begin behind the last one. */
static bool parse_stat(const char *text, uint64_t *out_us)
{
    const char *fields = strrchr(text, ')');
    unsigned long long user, system;
    TRY(fields != NULL);
    TRY(sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) == 2);
    *out_us = (user + system) * 1000000 / (unsigned long long)sysconf(_SC_CLK_TCK);
    return true;
}

static bool process_us(long pid, uint64_t *out_us)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "re");
    TRY(file != NULL);
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    return parse_stat(text, out_us);
}

static uint64_t children_us(long pid, int depth)
{
    char path[96];
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", pid, pid);
    FILE *file = depth < TREE_DEPTH_MAX ? fopen(path, "re") : NULL;
    uint64_t sum = 0, one;
    if (file == NULL)
        return 0;
    for (long child; fscanf(file, "%ld", &child) == 1;) {
        if (process_us(child, &one))
            sum += one;
        sum += children_us(child, depth + 1);
    }
    fclose(file);
    return sum;
}

bool tc_cpu_tree_us(long pid, uint64_t *out_us)
{
    uint64_t own;
    TRY(process_us(pid, &own));
    *out_us = own + children_us(pid, 0);
    return true;
}
