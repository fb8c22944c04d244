#!/usr/bin/env bash
# Makes the virtual environment of the job queues that the benchmarks measure beside ours, and Redis for one of them.
# Never fails: a peer that isn't there is a row that says so.
set -uo pipefail
venv=$1
python=${PYTHON:-python3}
lock=benchmarks/peers/constraints.txt
scripts/packages.sh bench
[ "$venv/.ready" -nt "$lock" ] && exit 0
echo "Installing the peers of the benchmarks"
if { [ -x "$venv/bin/python" ] || "$python" -m venv "$venv"; } &&
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"; then
    touch "$venv/.ready"
else
    echo "The peers can't be installed; the benchmarks go on without them." >&2
fi
exit 0
