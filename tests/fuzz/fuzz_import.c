/* Whatever an import reads: it ends, and what it stored is whole. */
#include "storage/upkeep.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void on_fault(void *arg, const char *sentence)
{
    (void)arg;
    (void)sentence;
    abort();
}

static bool go_on(void *arg, const struct store_counts *counts)
{
    (void)arg;
    (void)counts;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    const struct store_options options = { .driver = "memory", .max_bytes = 64 << 20 };
    const struct store_listener listener = { on_fault, go_on, NULL };
    struct store_counts counts;
    char why[STORE_WHY_SIZE];
    AUTO(store) store = NULL;
    int fd = memfd_create("import", MFD_CLOEXEC);
    CHECK(fd >= 0 && write(fd, data, len) == (ssize_t)len && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(store_open(&options, &store, why) == STORE_OK);
    (void)!store_import(store, fd, STORE_IMPORT_EMPTY, &listener, &counts, why);
    CHECK(store_check(store, &listener, &counts) == STORE_OK);
    close(fd);
    return 0;
}
