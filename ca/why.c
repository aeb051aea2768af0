#include "ca/why.h"

#include <stdarg.h>
#include <stdio.h>

bool why_fail(char why[static CA_WHY_SIZE], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, CA_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

bool why_add(char why[static CA_WHY_SIZE], const char *format, ...)
{
    size_t len = strnlen(why, CA_WHY_SIZE - 1);
    va_list args;
    va_start(args, format);
    vsnprintf(why + len, CA_WHY_SIZE - len, format, args);
    va_end(args);
    return false;
}
