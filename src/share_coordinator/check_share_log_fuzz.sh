#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/share_coordinator/share_log_fuzz" "$srcdir"/src/share_coordinator/testdata/share_log_fuzz
