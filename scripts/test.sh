#!/usr/bin/env bash
# Everything that must hold, quick checks first. Each step runs even if one before it failed; the end tells all.
set -uo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin
# Hundreds of hubs are started: each would compile all of it anew where the surroundings forbid to keep what was compiled.
unset PYTHONDONTWRITEBYTECODE
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
started=$SECONDS

step() { # step NAME COMMAND…
    local name=$1 begun=$SECONDS
    shift
    if "$@" >"$log/$name" 2>&1 </dev/null; then
        printf '%-14s ok      %4d s   %s\n' "$name" $((SECONDS - begun)) "$(grep -E '^[0-9]+ passed|, [0-9]+ passed|passed in' "$log/$name" | tail -1)"
    else
        touch "$log/$name.failed"
        printf '%-14s FAILED  %4d s\n' "$name" $((SECONDS - begun))
        tail -n 400 "$log/$name"
    fi
}

tests() { # tests NAME WORKERS PATH…; more workers than cores where the tests wait much
    local name=$1 workers=$2
    shift 2
    # The files in the order in which they are collected: the longest first (tests/conftest.py).
    step "$name" "$bin/pytest" -q -rs --no-header -n "$workers" --dist loadfile --no-loadscope-reorder "$@"
}

computing() { # What needs a processor, and promises nothing in seconds, gets what the others leave while they wait.
    renice -n 5 "$BASHPID" >/dev/null
    tests store 2 tests/store
    tests contract 2 tests/contract
    step types "$bin/mypy"
    tests architecture 2 tests/architecture
}

waiting() { # Processes, wires and pages: much of their time they wait for each other.
    tests acceptance 4 tests/acceptance
    tests browser 3 tests/browser
}

scripts/packages.sh
step format "$bin/ruff" format --check .
step lint "$bin/ruff" check .
tests unit 2 tests/unit
set -m # so that an interruption reaches both, each a group of its own
computing &
waiting &
trap 'kill -- $(jobs -p | sed "s/^/-/"); exit 130' INT TERM
wait
set +m

skipped=$(grep -hE '^SKIPPED' "$log"/* | sort | uniq)
if [ -n "$skipped" ]; then
    printf '\nDid not run:\n%s\n' "$skipped"
fi
printf '\n%d s in all. ' $((SECONDS - started))
mapfile -t failed < <(cd "$log" && compgen -G '*.failed' | sed 's/[.]failed$//')
if [ "${#failed[@]}" = 0 ]; then
    echo "Everything passed."
else
    echo "Failed: ${failed[*]}"
    exit 1
fi
