#!/usr/bin/env bash
# Makes the virtual environment that the Makefile works in; adds python3-venv on Debian where it is missing and we may.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "Atalaia needs Python 3.11 or newer; $("$python" --version) is too old. Try: make PYTHON=python3.12 setup" >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing python3-venv"
        apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends python3-venv >/dev/null
    else
        echo "python3-venv is missing. Install it: sudo apt-get install python3-venv" >&2
        exit 1
    fi
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-compile --require-hashes -r constraints.txt
# As pip would, one file after the other; some are no Python of this version, which is nobody's trouble.
"$venv/bin/python" -m compileall -q -j 0 "$venv/lib" >/dev/null 2>&1 || true
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
