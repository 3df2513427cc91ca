#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec "$builddir/protocol/codec_fuzz" "$srcdir"/protocol/testdata/codec_fuzz/*
