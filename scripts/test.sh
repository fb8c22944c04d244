#!/usr/bin/env bash
# Everything that must hold, quick checks first. Each step runs even if one before it failed; the end tells all.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
# Hundreds of hubs are started: each would compile all of it anew where the surroundings forbid to keep what was compiled.
unset PYTHONDONTWRITEBYTECODE
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
failed=()
started=$SECONDS

step() { # step NAME COMMAND…
    local name=$1 begun=$SECONDS status
    shift
    "$@" >"$log/$name" 2>&1 </dev/null
    status=$?
    if [ "$status" = 0 ]; then
        printf '%-14s ok      %4d s   %s\n' "$name" $((SECONDS - begun)) "$(grep -E '^[0-9]+ passed|, [0-9]+ passed|passed in' "$log/$name" | tail -1)"
    else
        failed+=("$name")
        printf '%-14s FAILED  %4d s\n' "$name" $((SECONDS - begun))
        tail -n 400 "$log/$name"
    fi
}

tests() { # tests NAME WORKERS PATH…; more workers than cores where the tests wait much
    local name=$1 workers=$2
    shift 2
    local options=(-q -rs --no-header)
    [ "$workers" != 0 ] && options+=(-n "$workers" --dist loadfile)
    step "$name" "$bin/pytest" "${options[@]}" "$@"
}

scripts/packages.sh
step format "$bin/ruff" format --check .
step lint "$bin/ruff" check .
step types "$bin/mypy"
tests architecture 2 tests/architecture
tests unit 2 tests/unit
tests store 2 tests/store
tests contract 2 tests/contract
tests acceptance 3 tests/acceptance
tests browser 2 tests/browser

skipped=$(grep -hE '^SKIPPED' "$log"/* | sort | uniq)
if [ -n "$skipped" ]; then
    printf '\nDid not run:\n%s\n' "$skipped"
fi
printf '\n%d s in all. ' $((SECONDS - started))
if [ "${#failed[@]}" = 0 ]; then
    echo "Everything passed."
else
    echo "Failed: ${failed[*]}"
    exit 1
fi
