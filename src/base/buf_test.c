// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "base/testing.h"

// The budget refuses once used up, grants one buffer past its limit, and is given back by the last
// unref.
static void budget_refuses_and_recovers(void)
{
    struct buf_budget budget = { .limit = 100 };
    struct buf *first = buf_new(&budget, 500);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL(buf_new(&budget, 1));
    buf_ref(first);
    buf_unref(first);
    CU_ASSERT_PTR_NULL(buf_new(&budget, 1));
    buf_unref(first);
    struct buf *second = buf_new(&budget, 1);
    CU_ASSERT_PTR_NOT_NULL(second);
    buf_unref(second);
    CU_ASSERT_EQUAL(atomic_load(&budget.used), 0);
}

TEST_MAIN("buf", TEST(budget_refuses_and_recovers))
