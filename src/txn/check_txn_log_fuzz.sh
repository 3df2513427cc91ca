#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/txn/txn_log_fuzz" "$srcdir"/src/txn/testdata/txn_log_fuzz
