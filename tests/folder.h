/* The end of a test's own folder, with all that is in it. */
#pragma once

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>

static inline int folder_remove_one(const char *path, const struct stat *found, int type, struct FTW *at)
{
    (void)found, (void)type, (void)at;
    return remove(path);
}

static inline bool folder_remove(const char *path)
{
    return nftw(path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0;
}
