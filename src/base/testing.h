// SPDX-License-Identifier: Apache-2.0
// A test program is one unit's tests, one function each, and a table:
//
//     static void a_removed_key_is_gone(void) { … CU_ASSERT_EQUAL(…); }
//     TEST_MAIN("hashmap", TEST(a_removed_key_is_gone), TEST(…))
#ifndef BASE_TESTING_H
#define BASE_TESTING_H

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }

static inline int test_run(const char *suite_name, const struct test_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 2;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, cases[i].name, cases[i].run);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    int failed = CU_get_number_of_failures() > 0 || CU_get_number_of_tests_run() == 0;
    CU_cleanup_registry();
    return failed;
}

#define TEST_MAIN(suite_name, ...)                                                                 \
    int main(void)                                                                                 \
    {                                                                                              \
        static const struct test_case cases[] = { __VA_ARGS__ };                                   \
        return test_run(suite_name, cases, sizeof cases / sizeof *cases);                          \
    }

// A fresh folder under $TMPDIR or /tmp; the caller removes it (disk_remove_tree).
static inline char *test_folder(char *into, size_t size)
{
    const char *base = getenv("TMPDIR");
    snprintf(into, size, "%s/odradek-test-XXXXXX", base != NULL ? base : "/tmp");
    return mkdtemp(into);
}

#endif
