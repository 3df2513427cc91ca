// SPDX-License-Identifier: Apache-2.0
#include "log/cleaner_throttle.h"

#include "base/testing.h"

enum { SECOND_US = 1000000 };

// Over a long time the rate is what was asked, whoever does the bytes; slower work is never held up.
static void the_rate_holds_on_average(void)
{
    struct cleaner_throttle throttle;
    cleaner_throttle_init(&throttle, 0);
    int64_t now_us = 0, done = 0;
    while (now_us < 100 * (int64_t)SECOND_US) {
        now_us += 100; // a disk that could do 640 MB/s
        done += 64000;
        now_us = cleaner_throttle_note(&throttle, 1e6, 64000, now_us);
    }
    double rate = (double)done / (double)now_us * 1e6;
    CU_ASSERT_TRUE(rate > 0.9e6 && rate < 1.1e6);
    cleaner_throttle_init(&throttle, now_us);
    for (int i = 0; i < 1000; i++) {
        now_us += 1000;
        CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e6, 900, now_us), now_us);
    }
}

// Another cleaner that comes while one waits, waits as long.
static void all_wait_together(void)
{
    struct cleaner_throttle throttle;
    cleaner_throttle_init(&throttle, 0);
    CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e6, 3000000, 100000), 100000);
    CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e6, 1000000, 400000), 4 * SECOND_US);
    CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e6, 10, 500000), 4 * SECOND_US);
    CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e6, 10, 4 * SECOND_US), 4 * SECOND_US);
}

static void a_rate_of_nothing_waits_for_another(void)
{
    struct cleaner_throttle throttle;
    cleaner_throttle_init(&throttle, 0);
    CU_ASSERT_TRUE(cleaner_throttle_note(&throttle, 0, 1, SECOND_US) > INT64_C(1) << 60);
    cleaner_throttle_init(&throttle, 2 * SECOND_US);
    CU_ASSERT_EQUAL(cleaner_throttle_note(&throttle, 1e300, 1, 3 * SECOND_US), 3 * SECOND_US);
}

TEST_MAIN("cleaner_throttle", TEST(the_rate_holds_on_average), TEST(all_wait_together),
          TEST(a_rate_of_nothing_waits_for_another))
