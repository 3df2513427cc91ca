#!/bin/sh
exec python3 "$srcdir/scripts/layers" "$srcdir"
