#include "server/settings/nearest.h"

#include <string.h>

enum { NEAREST_NAME_MAX = 64, NEAREST_FAR = 1000 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance over one row of the table. */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t len_a = strlen(a), len_b = strlen(b);
    if (len_a > NEAREST_NAME_MAX || len_b > NEAREST_NAME_MAX)
        return NEAREST_FAR;
    unsigned row[NEAREST_NAME_MAX + 1];
    for (size_t j = 0; j <= len_b; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= len_a; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= len_b; j++) {
            unsigned above = row[j];
            row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[len_b];
}

static bool ends_in(const char *name, const char *wanted)
{
    size_t len = strlen(name), len_wanted = strlen(wanted);
    return len > len_wanted + 1 && name[len - len_wanted - 1] == '.' && strcmp(name + len - len_wanted, wanted) == 0;
}

const char *nearest_name(const char *wanted, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    unsigned least = (unsigned)strlen(wanted) / 3 + 2; /* further away is another word */
    for (size_t i = 0; i < count; i++) {
        unsigned distance = ends_in(names[i], wanted) ? 0 : edit_distance(wanted, names[i]);
        if (distance < least) {
            least = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
