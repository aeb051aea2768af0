# shellcheck shell=bash
# Sourced by the other scripts, which set $here to this folder: build PRESET [TARGET...] configures and builds, and
# says nothing but the compiler's complaints.
root=$(dirname "${here:?}")
# shellcheck source=script/setup
. "$here/setup"

# CMake's and ninja's own words matter only when they fail.
build_quietly()
{
    local log status=0
    log=$(mktemp)
    (cd "$root" && "$@") >"$log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

build()
{
    local preset=$1 ninja="$root/build/$1/build.ninja"
    shift
    if [ ! -e "$ninja" ]; then
        echo "build: configuring build/$preset" >&2
        build_quietly cmake --preset "$preset" || return
    fi
    if ninja -C "$root/build/$preset" -n "$@" | grep -q 'no work to do'; then
        return 0
    fi
    echo "build: building build/$preset" >&2
    build_quietly ninja -C "$root/build/$preset" "$@"
}
