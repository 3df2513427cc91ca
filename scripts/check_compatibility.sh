#!/bin/sh
exec python3 "$srcdir/scripts/compatibility" --check
