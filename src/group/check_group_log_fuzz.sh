#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/group/group_log_fuzz" "$srcdir"/src/group/testdata/group_log_fuzz
