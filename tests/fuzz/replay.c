/* Runs a fuzz target once over every file of the folders it is given: the seeds as a plain test, with any compiler. */
#include "base/buf.h"

#include <dirent.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    AUTO_BUF(input, 1 << 20);
    char block[4096];
    for (size_t got; (got = fread(block, 1, sizeof block, file)) > 0;)
        buf_append(&input, block, got);
    fclose(file);
    /* a block of exactly the input's size lets ASan see one byte too many */
    uint8_t *exact = malloc(input.len + (input.len == 0));
    CHECK(exact != NULL && !input.failed);
    if (input.len > 0)
        memcpy(exact, input.data, input.len);
    LLVMFuzzerTestOneInput(exact, input.len);
    free(exact);
    return 1;
}

static int replay_folder(const char *folder)
{
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return 0;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        AUTO_BUF(path, 4096);
        buf_printf(&path, "%s/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            count += replay_file(buf_str(&path));
    }
    closedir(entries);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        count += replay_folder(argv[i]);
    printf("%d inputs replayed\n", count);
    return count > 0 ? 0 : 1;
}
