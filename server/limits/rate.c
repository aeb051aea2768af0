#include "server/limits/rate.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

enum { COUNT_MAX = 10000000 };

static const struct {
    const char *text;
    int64_t us;
} units[] = {
    { "s", SECOND_US },
    { "m", 60 * SECOND_US },
    { "h", 3600 * SECOND_US },
    { "d", 86400 * SECOND_US },
};

static bool read_number(const char **text, int64_t most, int64_t *out)
{
    int64_t value = 0;
    size_t digits = strspn(*text, "0123456789");
    TRY(digits > 0 && digits <= 10);
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + ((*text)[i] - '0');
    *text += digits;
    *out = value;
    return value > 0 && value <= most;
}

bool rate_read(const char *text, struct rate *out)
{
    struct rate rate = { 0, 1 };
    int64_t periods;
    if (strcmp(text, "off") == 0) {
        *out = rate;
        return true;
    }
    TRY(read_number(&text, COUNT_MAX, &rate.count) && *text++ == '/' && read_number(&text, 100000, &periods));
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(text, units[i].text) != 0)
            continue;
        rate.period_us = periods * units[i].us;
        TRY(rate.period_us >= rate.count);
        *out = rate;
        return true;
    }
    return false;
}

void rate_text(const struct rate *rate, char out[static RATE_TEXT_SIZE])
{
    size_t i = ARRAY_SIZE(units) - 1;
    while (i > 0 && rate->period_us % units[i].us != 0)
        i--;
    if (rate->count == 0)
        snprintf(out, RATE_TEXT_SIZE, "off");
    else
        snprintf(out, RATE_TEXT_SIZE, "%lld/%lld%s", (long long)rate->count, (long long)(rate->period_us / units[i].us),
                 units[i].text);
}

static int64_t emission_of(const struct rate *rate)
{
    return rate->period_us / rate->count;
}

/* How long it takes until all that is spent has come back, never more than the bucket holds. */
static int64_t spent_us(const struct rate *rate, int64_t tat_us, int64_t now_us)
{
    int64_t most = emission_of(rate) * rate->count, spent = tat_us > now_us ? tat_us - now_us : 0;
    return spent < most ? spent : most;
}

int64_t rate_convert(const struct rate *from, const struct rate *to, int64_t tat_us, int64_t now_us)
{
    if (from->count == 0 || to->count == 0 || tat_us <= now_us)
        return tat_us;
    __int128 spent = (__int128)spent_us(from, tat_us, now_us) * emission_of(to) / emission_of(from);
    int64_t most = emission_of(to) * to->count;
    return now_us + (spent < most ? (int64_t)spent : most);
}

struct rate_verdict rate_ask(const struct rate *rate, int64_t tat_us, int64_t now_us, int64_t cost)
{
    if (rate->count == 0)
        return (struct rate_verdict) { .allowed = true, .tat_us = tat_us, .remaining = INT64_MAX };
    int64_t emission = emission_of(rate), burst = emission * rate->count;
    int64_t spent = spent_us(rate, tat_us, now_us);
    int64_t early = spent + emission * cost - burst; /* how much too early this one comes */
    if (early > 0)
        return (struct rate_verdict) { .tat_us = spent > 0 ? now_us + spent : tat_us,
                                       .retry_in_us = early,
                                       .remaining = (burst - spent) / emission };
    return (struct rate_verdict) { .allowed = true,
                                   .tat_us = now_us + spent + emission * cost,
                                   .remaining = -early / emission };
}
