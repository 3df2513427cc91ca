// SPDX-License-Identifier: Apache-2.0
// Where a broken belief ends the process.
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

static void (*must_hook)(void);

void must_set_hook(void (*hook)(void))
{
    must_hook = hook;
}

void must_failed(const char *file, int line, const char *condition)
{
    void (*hook)(void) = must_hook;
    must_hook = NULL; // a hook that fails itself must not recurse
    fprintf(stderr, "must failed file=%s line=%d condition=\"%s\"\n", file, line, condition);
    if (hook != NULL)
        hook();
    abort();
}
