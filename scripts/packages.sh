#!/usr/bin/env bash
# What the tests (or with `bench`, the benchmarks) need besides Python: Debian packages. As root they are installed;
# otherwise, what is missing is named. Prints nothing and takes no time where everything is there. Never fails: the
# tests that lack something say so.
set -uo pipefail

# package, and a program of it (a glob where Debian keeps it off the PATH)
needed='
chromium-headless-shell  /usr/bin/chromium*
postgresql         /usr/lib/postgresql/*/bin/initdb
mariadb-server     /usr/sbin/mariadbd
victoria-metrics   /usr/bin/victoria-metrics
nginx-light        /usr/sbin/nginx
prometheus         /usr/bin/promtool
'
what=tests
if [ "${1:-}" = bench ]; then
    what=benchmarks
    needed='
postgresql         /usr/lib/postgresql/*/bin/initdb
victoria-metrics   /usr/bin/victoria-metrics
wrk                /usr/bin/wrk
redis-server       /usr/bin/redis-server
'
fi

missing() {
    local package program
    while read -r package program; do
        [ -n "$package" ] && ! compgen -G "$program" >/dev/null && echo "$package"
    done <<<"$needed"
}

install() {
    local policy=/usr/sbin/policy-rc.d
    export DEBIAN_FRONTEND=noninteractive
    # Database servers would start themselves: private ones are started, on ports of their own.
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    echo "Installing for the $what: $*"
    apt-get update -q >/dev/null || true
    apt-get install -y -q --no-install-recommends "$@" >/dev/null && return
    for package in "$@"; do # one that can't be had must not keep the others away
        apt-get install -y -q --no-install-recommends "$package" >/dev/null || true
    done
}

mapfile -t lacking < <(missing)
[ "${#lacking[@]}" = 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install "${lacking[@]}"
    mapfile -t lacking < <(missing)
fi
[ "${#lacking[@]}" = 0 ] && exit 0
echo "Missing, so the $what that need them do not run: ${lacking[*]}"
echo "To have them: sudo apt-get install --no-install-recommends ${lacking[*]}"
