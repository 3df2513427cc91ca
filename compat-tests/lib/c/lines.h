// SPDX-License-Identifier: Apache-2.0
//
// Runs CUnit tests and says what became of each in the lines that compat-tests/run reads:
// `ok NAME` or `not ok NAME reason`. The reason is the first assertion that failed.
#ifndef COMPAT_LINES_H
#define COMPAT_LINES_H

struct lines_test {
    const char *name;
    void (*run)(void);
};

// Runs `count` tests in order. With `only` not NULL, runs the test of that name alone. Returns the
// process's exit status: 0 whatever the tests said (the lines tell), 1 when none could be run.
int lines_run(const struct lines_test *tests, int count, const char *only);

#endif
