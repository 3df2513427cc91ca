# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Runs shell functions as tests, one `ok NAME` or `not ok NAME reason` line each. A test is a
# function that fails by `fail REASON`, or by any command that fails (set -e).

fail() {
    echo "failed: $*"
    exit 1
}

# same WANT GOT: the two texts are equal.
same() {
    [ "$1" = "$2" ] || fail "wanted '$(short "$1")', got '$(short "$2")'"
}

# has TEXT PART: the text holds the part.
has() {
    case $1 in
    *"$2"*) ;;
    *) fail "no '$(short "$2")' in '$(short "$1")'" ;;
    esac
}

short() {
    printf '%s' "$1" | tr '\n' '|' | cut -c 1-200
}

# test_run NAME FUNCTION: the function runs in a shell of its own, with its output in the log.
test_run() {
    # Not in a condition, where the shell would ignore set -e.
    set +e
    ( set -e; "$2" ) > "$WORK_DIR/$1.out" 2>&1
    status=$?
    set -e
    sed "s/^/# $1: /" "$WORK_DIR/$1.out" | cut -c 1-2000
    if [ "$status" -eq 0 ]; then
        echo "ok $1"
    else
        echo "not ok $1 $(tail -n 1 "$WORK_DIR/$1.out" | cut -c 1-300)"
    fi
}
