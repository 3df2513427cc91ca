#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The corpus of replay_fuzz: its files, their truncations and mutations.
exec "$builddir/src/metadata/replay_fuzz" "$srcdir"/src/metadata/testdata/replay_fuzz
