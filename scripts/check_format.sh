#!/bin/sh
exec "$srcdir/scripts/format" --check
