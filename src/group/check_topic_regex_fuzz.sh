#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/group/topic_regex_fuzz" "$srcdir"/src/group/testdata/topic_regex_fuzz
