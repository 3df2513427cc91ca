#!/bin/sh
exec "$srcdir/scripts/headers" "$srcdir" "$builddir"
