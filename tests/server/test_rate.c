#include "server/limits/rate.h"
#include "tests/unit.h"

#define SECOND_US INT64_C(1000000)
#define NOW_US    (INT64_C(1800000000) * SECOND_US)

static void rates_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t count, period_us;
    } cases[] = {
        { "300/3h", 300, 3 * 3600 * SECOND_US }, { "50/7d", 50, 7 * 86400 * SECOND_US },
        { "5/1h", 5, 3600 * SECOND_US },         { "1/1s", 1, SECOND_US },
        { "60/1m", 60, 60 * SECOND_US },         { "off", 0, 1 },
        { "1000000/1s", 1000000, SECOND_US },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rate rate;
        assert_true(rate_read(cases[i].text, &rate));
        assert_int_equal(rate.count, cases[i].count);
        assert_int_equal(rate.period_us, cases[i].period_us);
    }
}

static void bad_rates_are_refused_and_leave_the_output(void **state)
{
    (void)state;
    static const char *const texts[] = { "",      "5",           "5/",         "/1h",       "5/h",           "5/1",
                                         "5/1x",  "0/1h",        "5/0h",       "-5/1h",     "5/-1h",         " 5/1h",
                                         "5/1h ", "5 /1h",       "5/1hh",      "5//1h",     "5.5/1h",        "OFF",
                                         "offx",  "10000001/1h", "1000001/1s", "5/100001d", "99999999999/1h" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct rate rate = { 7, 7 };
        if (rate_read(texts[i], &rate))
            fail_msg("\"%s\" was taken", texts[i]);
        assert_int_equal(rate.count, 7);
    }
}

static struct rate_verdict spend(const struct rate *rate, int64_t *tat_us, int64_t now_us)
{
    struct rate_verdict verdict = rate_ask(rate, *tat_us, now_us, 1);
    *tat_us = verdict.tat_us;
    return verdict;
}

static void as_many_as_the_count_pass_at_once(void **state)
{
    (void)state;
    static const struct rate rate = { 5, 3600 * SECOND_US };
    int64_t tat_us = 0;
    for (int i = 0; i < 5; i++) {
        struct rate_verdict verdict = spend(&rate, &tat_us, NOW_US);
        assert_true(verdict.allowed);
        assert_int_equal(verdict.remaining, 4 - i);
        assert_int_equal(verdict.retry_in_us, 0);
    }
    struct rate_verdict verdict = spend(&rate, &tat_us, NOW_US);
    assert_false(verdict.allowed);
    assert_int_equal(verdict.remaining, 0);
    assert_int_equal(verdict.retry_in_us, 720 * SECOND_US);
}

static void a_refusal_spends_nothing(void **state)
{
    (void)state;
    static const struct rate rate = { 1, 10 * SECOND_US };
    int64_t tat_us = 0;
    assert_true(spend(&rate, &tat_us, NOW_US).allowed);
    for (int i = 1; i < 10; i++)
        assert_int_equal(spend(&rate, &tat_us, NOW_US + i * SECOND_US).retry_in_us, (10 - i) * SECOND_US);
    assert_false(spend(&rate, &tat_us, NOW_US + 10 * SECOND_US - 1).allowed);
    assert_true(spend(&rate, &tat_us, NOW_US + 10 * SECOND_US).allowed);
}

static void one_comes_back_after_its_share_of_the_period(void **state)
{
    (void)state;
    static const struct rate rate = { 5, 3600 * SECOND_US };
    int64_t tat_us = 0;
    for (int i = 0; i < 5; i++)
        assert_true(spend(&rate, &tat_us, NOW_US).allowed);
    assert_false(spend(&rate, &tat_us, NOW_US + 719 * SECOND_US).allowed);
    assert_true(spend(&rate, &tat_us, NOW_US + 720 * SECOND_US).allowed);
    assert_false(spend(&rate, &tat_us, NOW_US + 720 * SECOND_US).allowed);
}

static void rest_fills_the_bucket_and_no_more(void **state)
{
    (void)state;
    static const struct rate rate = { 3, 30 * SECOND_US };
    int64_t tat_us = 0, passed = 0;
    assert_true(spend(&rate, &tat_us, NOW_US).allowed);
    while (spend(&rate, &tat_us, NOW_US + 86400 * SECOND_US).allowed)
        passed++;
    assert_int_equal(passed, 3);
}

static void in_the_long_run_the_rate_is_kept(void **state)
{
    (void)state;
    static const struct rate rate = { 10, 60 * SECOND_US };
    int64_t tat_us = 0, passed = 0;
    for (int64_t second = 0; second < 3600; second++)
        passed += spend(&rate, &tat_us, NOW_US + second * SECOND_US).allowed;
    assert_in_range(passed, 600, 610);
}

static void a_cost_is_paid_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct rate rate = { 10, 10 * SECOND_US };
    struct rate_verdict verdict = rate_ask(&rate, 0, NOW_US, 7);
    assert_true(verdict.allowed);
    assert_int_equal(verdict.remaining, 3);
    struct rate_verdict refused = rate_ask(&rate, verdict.tat_us, NOW_US, 4);
    assert_false(refused.allowed);
    assert_int_equal(refused.tat_us, verdict.tat_us);
    assert_int_equal(refused.remaining, 3);
    assert_int_equal(refused.retry_in_us, SECOND_US);
    assert_true(rate_ask(&rate, verdict.tat_us, NOW_US, 3).allowed);
    struct rate_verdict look = rate_ask(&rate, verdict.tat_us, NOW_US, 0);
    assert_true(look.allowed);
    assert_int_equal(look.remaining, 3);
}

static void off_is_no_limit(void **state)
{
    (void)state;
    struct rate rate;
    assert_true(rate_read("off", &rate));
    struct rate_verdict verdict = rate_ask(&rate, 7, NOW_US, 1000);
    assert_true(verdict.allowed);
    assert_int_equal(verdict.tat_us, 7);
}

static void rates_are_written_in_their_largest_unit(void **state)
{
    (void)state;
    static const char *const texts[] = { "300/3h",     "50/7d", "1/1s",         "90/90s",
                                         "1152/1152d", "25/1d", "10000000/12d", "off" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct rate rate;
        char text[RATE_TEXT_SIZE];
        assert_true(rate_read(texts[i], &rate));
        rate_text(&rate, text);
        assert_string_equal(text, texts[i]);
    }
}

/* From before the clock was put back, or the rate lowered: empty, and no emptier. */
static void a_tat_beyond_what_spending_brings_is_that_of_an_empty_bucket(void **state)
{
    (void)state;
    static const struct rate rate = { 5, 3600 * SECOND_US };
    int64_t tat_us = NOW_US + 90 * 86400 * SECOND_US;
    struct rate_verdict verdict = rate_ask(&rate, tat_us, NOW_US, 1);
    assert_false(verdict.allowed);
    assert_int_equal(verdict.remaining, 0);
    assert_int_equal(verdict.retry_in_us, 720 * SECOND_US);
    assert_int_equal(verdict.tat_us, NOW_US + 3600 * SECOND_US);
    assert_true(rate_ask(&rate, verdict.tat_us, NOW_US + 720 * SECOND_US, 1).allowed);
}

static void another_rate_keeps_what_is_spent(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to;
        int64_t spent, left;
    } cases[] = {
        { "3/7d", "5/7d", 3, 2 },
        { "3/7d", "3/7d", 2, 1 },
        { "50/7d", "5/1h", 3, 2 },
        { "50/7d", "5/1h", 49, 0 },
        { "5/1h", "off", 5, INT64_MAX },
        { "10000000/12d", "10/100000d", 4, 6 },
        { "10/100000d", "10000000/12d", 4, 9999996 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct rate from, to;
        assert_true(rate_read(cases[i].from, &from) && rate_read(cases[i].to, &to));
        int64_t tat_us = rate_ask(&from, 0, NOW_US, cases[i].spent).tat_us;
        int64_t converted_us = rate_convert(&from, &to, tat_us, NOW_US);
        assert_int_equal(rate_ask(&to, converted_us, NOW_US, 0).remaining, cases[i].left);
    }
}

/* ---- against models */

static uint64_t random_below(uint64_t *seed, uint64_t limit)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % limit;
}

static struct rate random_rate(uint64_t *seed)
{
    struct rate rate = { 1 + (int64_t)random_below(seed, 40), 0 };
    rate.period_us = rate.count * (1 + (int64_t)random_below(seed, 100000));
    return rate;
}

/* A bucket of `count` tokens into which one falls every `emission`, counted in time: the naive form. */
struct bucket {
    int64_t level_us, at_us;
};

static bool bucket_take(struct bucket *bucket, const struct rate *rate, int64_t now_us, int64_t cost)
{
    int64_t emission = rate->period_us / rate->count, size = emission * rate->count;
    bucket->level_us += now_us - bucket->at_us;
    bucket->level_us = bucket->level_us > size ? size : bucket->level_us;
    bucket->at_us = now_us;
    TRY(bucket->level_us >= emission * cost);
    bucket->level_us -= emission * cost;
    return true;
}

enum { SEQUENCES = 300, STEPS = 1000 };

static int64_t random_pause(uint64_t *seed, const struct rate *rate)
{
    static const uint64_t shares[] = { 1, 1, 2, 8, 64 }; /* of the period: bursts, and now and then a long rest */
    return (int64_t)random_below(seed, (uint64_t)rate->period_us * 3 / shares[random_below(seed, 5)] / 16 + 2);
}

static void it_is_the_naive_token_bucket(void **state)
{
    (void)state;
    for (uint64_t sequence = 1; sequence <= SEQUENCES; sequence++) {
        uint64_t seed = sequence;
        struct rate rate = random_rate(&seed);
        struct bucket naive = { rate.period_us, NOW_US };
        int64_t emission = rate.period_us / rate.count, now_us = NOW_US, tat_us = 0;
        for (int step = 0; step < STEPS; step++) {
            int64_t cost = (int64_t)random_below(&seed, 4);
            now_us += random_pause(&seed, &rate);
            struct rate_verdict verdict = rate_ask(&rate, tat_us, now_us, cost);
            bool allowed = bucket_take(&naive, &rate, now_us, cost);
            if (verdict.allowed != allowed || verdict.remaining != naive.level_us / emission)
                fail_msg("sequence %llu, step %d: they disagree", (unsigned long long)sequence, step);
            if (!allowed && cost <= rate.count) {
                assert_false(rate_ask(&rate, tat_us, now_us + verdict.retry_in_us - 1, cost).allowed);
                assert_true(rate_ask(&rate, tat_us, now_us + verdict.retry_in_us, cost).allowed);
            }
            tat_us = verdict.tat_us;
        }
    }
}

/* In no window do more pass than the bucket holds and those that came back in the window. */
static void no_window_holds_more_than_the_rate(void **state)
{
    (void)state;
    static int64_t passed[STEPS];
    for (uint64_t sequence = 1; sequence <= SEQUENCES / 10; sequence++) {
        uint64_t seed = sequence * 977;
        struct rate rate = random_rate(&seed);
        int64_t emission = rate.period_us / rate.count, now_us = NOW_US, tat_us = 0, count = 0;
        for (int step = 0; step < STEPS; step++) {
            now_us += random_pause(&seed, &rate);
            if (spend(&rate, &tat_us, now_us).allowed)
                passed[count++] = now_us;
        }
        for (int64_t first = 0; first < count; first++) {
            for (int64_t last = first; last < count; last++)
                assert_true(last - first + 1 <= rate.count + (passed[last] - passed[first]) / emission);
        }
        assert_true(count > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rates_are_read),
        cmocka_unit_test(bad_rates_are_refused_and_leave_the_output),
        cmocka_unit_test(as_many_as_the_count_pass_at_once),
        cmocka_unit_test(a_refusal_spends_nothing),
        cmocka_unit_test(one_comes_back_after_its_share_of_the_period),
        cmocka_unit_test(rest_fills_the_bucket_and_no_more),
        cmocka_unit_test(in_the_long_run_the_rate_is_kept),
        cmocka_unit_test(a_cost_is_paid_whole_or_not_at_all),
        cmocka_unit_test(off_is_no_limit),
        cmocka_unit_test(rates_are_written_in_their_largest_unit),
        cmocka_unit_test(a_tat_beyond_what_spending_brings_is_that_of_an_empty_bucket),
        cmocka_unit_test(another_rate_keeps_what_is_spent),
        cmocka_unit_test(it_is_the_naive_token_bucket),
        cmocka_unit_test(no_window_holds_more_than_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
