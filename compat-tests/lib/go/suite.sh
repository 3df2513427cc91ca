# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A Go suite: one program, built from the modules that go.sum pins.
# Sourced by the suites with $here set to their folder.
case $1 in
build)
    cd "$here"
    go build -mod=readonly -o "$BUILD_DIR/suite" . ;;
run)
    shift
    exec "$BUILD_DIR/suite" "$@" ;;
esac
