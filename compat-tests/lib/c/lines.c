// SPDX-License-Identifier: Apache-2.0
#include "lines.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>

static void line_print(const char *name)
{
    const CU_pFailureRecord failure = CU_get_failure_list();

    if (failure == NULL)
        printf("ok %s\n", name);
    else
        printf("not ok %s line %u: %s\n", name, failure->uiLineNumber, failure->strCondition);
    fflush(stdout);
}

int lines_run(const struct lines_test *tests, int count, const char *only)
{
    int ran = 0;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite suite = CU_add_suite("compat", NULL, NULL);
    for (int i = 0; suite != NULL && i < count; i++) {
        if (only != NULL && strcmp(only, tests[i].name) != 0)
            continue;
        CU_pTest test = CU_add_test(suite, tests[i].name, tests[i].run);
        if (test == NULL)
            break;
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        CU_run_test(suite, test);
        clock_gettime(CLOCK_MONOTONIC, &end);
        printf("# %s: %.1f s\n", tests[i].name, (double)(end.tv_sec - begin.tv_sec) +
               (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
        line_print(tests[i].name);
        ran++;
    }
    CU_cleanup_registry();
    return ran > 0 ? 0 : 1;
}
