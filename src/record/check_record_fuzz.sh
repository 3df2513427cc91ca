#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus of record_fuzz: its files, their truncations and mutations.
exec "$builddir/src/record/record_fuzz" "$srcdir"/src/record/testdata/record_fuzz
