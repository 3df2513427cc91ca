# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# A Python suite: an environment with what requirements.txt pins, and main.py run in it.
# Sourced by the suites with $here set to their folder.
case $1 in
build)
    python3 -m venv "$BUILD_DIR/venv"
    "$BUILD_DIR/venv/bin/pip" install -q --disable-pip-version-check --no-deps \
        -r "$here/requirements.txt" ;;
run)
    shift
    PYTHONPATH=$COMPAT_LIB/python PYTHONDONTWRITEBYTECODE=1 \
        exec "$BUILD_DIR/venv/bin/python" "$here/main.py" "$@" ;;
esac
