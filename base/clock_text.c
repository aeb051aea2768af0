#include "base/clock_text.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

void time_text(int64_t ms, char out[static TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm utc;
    CHECK(gmtime_r(&seconds, &utc) != NULL);
    CHECK(strftime(out, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0);
}

static bool digits(const char **text, int count, int low, int high, int *out)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*text)++) {
        TRY(isdigit((unsigned char)**text));
        value = value * 10 + (**text - '0');
    }
    *out = value;
    return value >= low && value <= high;
}

static bool literal(const char **text, char c)
{
    return toupper((unsigned char)*(*text)++) == c;
}

static bool fraction(const char **text, int *out_ms)
{
    *out_ms = 0;
    if (**text != '.')
        return true;
    (*text)++;
    TRY(isdigit((unsigned char)**text));
    for (int unit = 100; isdigit((unsigned char)**text); unit /= 10, (*text)++)
        *out_ms += unit * (**text - '0');
    return true;
}

static bool offset(const char **text, int *out_minutes)
{
    *out_minutes = 0;
    if (toupper((unsigned char)**text) == 'Z') {
        (*text)++;
        return true;
    }
    int sign = **text == '-' ? -1 : 1;
    TRY(**text == '-' || **text == '+');
    (*text)++;
    int hours, minutes;
    TRY(digits(text, 2, 0, 23, &hours) && literal(text, ':') && digits(text, 2, 0, 59, &minutes));
    *out_minutes = sign * (hours * 60 + minutes);
    return true;
}

bool time_parse(const char *text, int64_t *out_ms)
{
    struct tm utc = { 0 };
    int year, month, ms, minutes;
    TRY(digits(&text, 4, 1, 9999, &year) && literal(&text, '-'));
    TRY(digits(&text, 2, 1, 12, &month) && literal(&text, '-'));
    TRY(digits(&text, 2, 1, 31, &utc.tm_mday) && literal(&text, 'T'));
    TRY(digits(&text, 2, 0, 23, &utc.tm_hour) && literal(&text, ':'));
    TRY(digits(&text, 2, 0, 59, &utc.tm_min) && literal(&text, ':'));
    TRY(digits(&text, 2, 0, 60, &utc.tm_sec));
    TRY(fraction(&text, &ms) && offset(&text, &minutes) && *text == '\0');
    utc.tm_year = year - 1900;
    utc.tm_mon = month - 1;
    int day = utc.tm_mday;
    time_t seconds = timegm(&utc);
    TRY(utc.tm_sec == 0 || utc.tm_mday == day); /* 31 February moves the day; a leap second may */
    TRY(utc.tm_mon == month - 1 || utc.tm_mday != day);
    *out_ms = ((int64_t)seconds - (int64_t)minutes * 60) * 1000 + ms;
    return true;
}
