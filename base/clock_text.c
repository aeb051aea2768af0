#include "base/clock_text.h"

#include <ctype.h>
#include <stdio.h>
#include <time.h>

/* seconds since 1970 at the start of these years */
#define YEAR_1     (-INT64_C(62135596800))
#define YEAR_10000 INT64_C(253402300800)

void time_text(int64_t ms, char out[static TIME_TEXT_SIZE])
{
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm utc;
    CHECK(gmtime_r(&seconds, &utc) != NULL);
    int len = snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    CHECK(len > 0 && len < TIME_TEXT_SIZE);
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

/* Seconds since 1970 of midnight; false for a day that its month does not have. */
static bool midnight(int year, int month, int day, int64_t *out_seconds)
{
    struct tm date = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    *out_seconds = timegm(&date);
    return date.tm_mday == day; /* timegm turns 31 February into a day of March */
}

bool time_parse(const char *text, int64_t *out_ms)
{
    int year, month, day, hour, minute, second, ms, ahead_minutes;
    int64_t seconds;
    TRY(digits(&text, 4, 1, 9999, &year) && literal(&text, '-'));
    TRY(digits(&text, 2, 1, 12, &month) && literal(&text, '-'));
    TRY(digits(&text, 2, 1, 31, &day) && literal(&text, 'T'));
    TRY(digits(&text, 2, 0, 23, &hour) && literal(&text, ':'));
    TRY(digits(&text, 2, 0, 59, &minute) && literal(&text, ':'));
    TRY(digits(&text, 2, 0, 60, &second)); /* a leap second counts as the next one */
    TRY(fraction(&text, &ms) && offset(&text, &ahead_minutes) && *text == '\0');
    TRY(midnight(year, month, day, &seconds));
    seconds += hour * 3600 + (minute - ahead_minutes) * 60 + second;
    TRY(seconds >= YEAR_1 && seconds < YEAR_10000);
    *out_ms = seconds * 1000 + ms;
    return true;
}

/* "ms" stands before "m", which is its beginning. */
static bool unit_ms(const char **text, int64_t *out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        size_t len = strlen(units[i].name);
        if (strncmp(*text, units[i].name, len) != 0)
            continue;
        *text += len;
        *out = units[i].ms;
        return true;
    }
    return false;
}

bool duration_parse(const char *text, int64_t *out_ms)
{
    int64_t total = 0;
    do {
        int64_t number = 0, unit, part;
        TRY(isdigit((unsigned char)*text));
        for (; isdigit((unsigned char)*text); text++)
            TRY(!__builtin_mul_overflow(number, 10, &number) && !__builtin_add_overflow(number, *text - '0', &number));
        TRY(unit_ms(&text, &unit) && !__builtin_mul_overflow(number, unit, &part));
        TRY(!__builtin_add_overflow(total, part, &total) && total <= YEAR_10000 * 1000);
    } while (*text != '\0');
    *out_ms = total;
    return true;
}
