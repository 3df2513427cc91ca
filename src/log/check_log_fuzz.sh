#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus of log_fuzz: its files, their truncations and mutations.
exec "$builddir/src/log/log_fuzz" "$srcdir"/src/log/testdata/log_fuzz
