"""The chargers' page and its kept address while the vendor's login answers 502: served all the time from the last good data.

Ten minutes of outage in one, at ten times the speed; five people look each second, and five others ask the kept address.
"""

import json
import subprocess
import urllib.request
from collections.abc import Sequence

from tests.servers import free_port, is_listening, running, wait_until

from benchmarks.charging_viewers import account_of
from benchmarks.figures import LOAD_CORE, Figure, percentile
from benchmarks.hub import ATALAIA, BenchHub, running_hub
from benchmarks.people import signed_in_cookie
from benchmarks.steady import Outcome, Plan, drive

POLL_S = 3.0
SECONDS = 30.0  # for each of the two
PER_S = 5
P99_MS = 100.0
PAGES = {"page": "/cvepro", "kept address": "/api/dashboard/chargers"}


def run() -> Sequence[Figure]:
    port = free_port()
    vendor = f"http://127.0.0.1:{port}"
    command = ["taskset", "-c", str(LOAD_CORE), ATALAIA, "simulate", "cvepro", "--port", str(port)]
    with running(command, stdout=subprocess.DEVNULL):
        wait_until(lambda: is_listening(port), what="the simulated cloud")
        with running_hub(settings=account_of(vendor, POLL_S)) as hub:
            wait_until(lambda: bool(hub.call("GET", "/api/dashboard/chargers")["data"]), what="the first reading")
            cookie = signed_in_cookie(hub)
            before = {name: _drive(hub, path, cookie, seconds=5.0) for name, path in PAGES.items()}
            _fault(vendor, {"login_status": 502, "expire_token": True})
            wait_until(lambda: hub.call("GET", "/api/dashboard/chargers").get("stale"), what="the outage")
            return [
                _figure(name, _drive(hub, path, cookie, seconds=SECONDS), before[name]) for name, path in PAGES.items()
            ]


def _figure(name: str, outage: Outcome, well: Outcome) -> Figure:
    p99, floor = percentile(outage.page_ms, 0.99), percentile(well.page_ms, 0.99)
    note = (
        f"median {percentile(outage.page_ms, 0.5):.1f} ms, {len(outage.page_ms)} requests, {outage.unanswered} failed;"
        " beside: while the cloud is well"
    )
    met = p99 <= P99_MS and not outage.unanswered
    return Figure(
        f"chargers' {name} while the cloud's login answers 502", p99, "ms p99", floor, p99 / floor,
        f"p99 ≤ {P99_MS:g} ms", met, note,
    )  # fmt: skip


def _drive(hub: BenchHub, path: str, cookie: str, *, seconds: float) -> Outcome:
    return drive(
        Plan(port=hub.port, key=hub.key, seconds=seconds, pings_per_s=0, pages_per_s=PER_S, path=path, cookie=cookie)
    )


def _fault(vendor: str, faults: dict[str, object]) -> None:
    request = urllib.request.Request(f"{vendor}/_sim/faults", data=json.dumps(faults).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()
