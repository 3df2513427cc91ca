// SPDX-License-Identifier: Apache-2.0
#ifndef BASE_CLOCK_POSIX_H
#define BASE_CLOCK_POSIX_H

#include "base/clock.h"

// The machine's clock; static, never freed.
struct clock *clock_posix(void);

#endif
