#!/bin/sh
exec python3 "$srcdir/scripts/tidy" "$srcdir"
