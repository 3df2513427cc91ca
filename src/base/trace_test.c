// SPDX-License-Identifier: Apache-2.0
#include "base/trace.h"
#include "base/testing.h"

static int64_t fixed_ms(struct clock *clock)
{
    (void)clock;
    return 1700000000123;
}

static struct clock fixed = { fixed_ms, fixed_ms };

// One line: time, level, words; line breaks in foreign text are flattened; levels above are not
// written.
static void a_line_is_one_line(void)
{
    int pipe_fds[2];
    CU_ASSERT_EQUAL_FATAL(pipe(pipe_fds), 0);
    struct trace trace;
    trace_init(&trace, &fixed, TRACE_INFO, pipe_fds[1]);
    trace_info(&trace, "topic created topic=%s", "a\nb");
    trace_debug(&trace, "not to be seen");
    close(pipe_fds[1]);
    char got[256];
    ssize_t n = read(pipe_fds[0], got, sizeof got - 1);
    CU_ASSERT_TRUE_FATAL(n > 0);
    got[n] = '\0';
    CU_ASSERT_STRING_EQUAL(got, "2023-11-14T22:13:20.123Z INFO  topic created topic=a b\n");
    close(pipe_fds[0]);
    trace_fini(&trace);
}

TEST_MAIN("trace", TEST(a_line_is_one_line))
