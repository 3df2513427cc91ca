#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/api/dispatch_fuzz" "$srcdir"/src/api/testdata/dispatch_fuzz
