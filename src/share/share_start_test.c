// SPDX-License-Identifier: Apache-2.0
// Where it is found: compat-tests/twin/share/b_fetch.py.
#include "share/share_start.h"

#include "base/testing.h"

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000 };

static void words_and_durations_are_read(void)
{
    static const struct {
        const char *text;
        int kind;
        int64_t duration_ms;
    } good[] = { { "latest", SHARE_START_LATEST, 0 },
                 { "earliest", SHARE_START_EARLIEST, 0 },
                 { "by_duration:PT1H", SHARE_START_BY_DURATION, HOUR_MS },
                 { "by_duration:P2DT3H4M", SHARE_START_BY_DURATION,
                   2 * DAY_MS + 3 * HOUR_MS + 4 * MINUTE_MS },
                 { "by_duration:PT1.5S", SHARE_START_BY_DURATION, 1500 },
                 { "by_duration:pt10m", SHARE_START_BY_DURATION, 10 * MINUTE_MS } };
    static const char *const bad[] = { "",
                                       "newest",
                                       "by_duration",
                                       "by_duration:",
                                       "by_duration:1H",
                                       "by_duration:PT1",
                                       "by_duration:PTH" };
    struct share_start start;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        CU_ASSERT_TRUE(share_start_parse(str_of(good[i].text), &start));
        CU_ASSERT_EQUAL(start.kind, good[i].kind);
        CU_ASSERT_EQUAL(start.duration_ms, good[i].duration_ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CU_ASSERT_FALSE(share_start_parse(str_of(bad[i]), &start));
}

TEST_MAIN("share_start", TEST(words_and_durations_are_read))
