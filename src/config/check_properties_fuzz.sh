#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/src/config/properties_fuzz" "$srcdir"/src/config/testdata/properties_fuzz/*
