"""500 people look at the live page of the chargers: what the vendor's cloud is asked, what it costs, how long news are on the way.

The hub reads a simulated cloud of 20 chargers each 30 s; each viewer has a session of their own and does what the page's
script does. The way of a part counts from the instant at which the cloud was asked, just before the commit, until its last
byte is in the viewer's hands; the 400 ms for which the script gathers news are in it.
"""

import bisect
import json
import subprocess
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.servers import free_port, is_listening, running, wait_until

from atalaia.access.cookies import CookieNames
from atalaia.access.service.entering import Visitor, enter
from atalaia.access.service.people import create_person
from atalaia.cli.stores import opened_store, operator
from atalaia.core.permissions import Role
from atalaia.sdk.transaction import Tx
from benchmarks.figures import LOAD_CORE, Figure, percentile
from benchmarks.hub import ATALAIA, BenchHub, cpu_s, resident_bytes, running_hub
from benchmarks.viewers import GATHER_S, Crowd, Outcome, Plan, Viewer

VIEWERS = 500
POLL_S = 30.0
IDLE_S, SECONDS = 30.0, 95.0
MOST_S, MOST_SHARE = 1.0, 0.05
NAME = f"live page of the chargers, {VIEWERS} viewers"
LIST, SESSIONS = "/api/v1/chargepoints", "/api/v1/transaction"
# Of ten who look, so many; most are residents.
PEOPLE = (
    *[(Role.CLIENT, "pt-BR,pt;q=0.9")] * 6,
    (Role.CLIENT, "en-GB,en;q=0.9"),
    (Role.COLLABORATOR, "pt-BR,pt;q=0.9"),
    (Role.MANAGER, "pt-BR,pt;q=0.9"),
    (Role.ADMIN, "en-US,en;q=0.9"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """Shares of a core and bytes resident, without viewers and with them; `readings` of the list of chargers in `seconds`."""

    idle: float
    busy: float
    idle_bytes: int
    busy_bytes: int
    readings: int
    seconds: float
    ways_s: Sequence[float]
    failed: int
    part_bytes: int


def run() -> Sequence[Figure]:
    return _figures(measure())


def measure(
    *, viewers: int = VIEWERS, poll_s: float = POLL_S, idle_s: float = IDLE_S, seconds: float = SECONDS
) -> Seen:
    port = free_port()
    vendor = f"http://127.0.0.1:{port}"
    command = ["taskset", "-c", str(LOAD_CORE), ATALAIA, "simulate", "cvepro", "--port", str(port)]
    with running(command, stdout=subprocess.DEVNULL):
        wait_until(lambda: is_listening(port), what="the simulated cloud")
        with running_hub(settings=account_of(vendor, poll_s)) as hub:
            wait_until(lambda: bool(hub.call("GET", "/api/dashboard/chargers")["data"]), what="the first reading")
            idle_bytes, began, spent_s = resident_bytes(hub.pid), time.monotonic(), cpu_s(hub.pid)
            time.sleep(idle_s)
            idle = (cpu_s(hub.pid) - spent_s) / (time.monotonic() - began)
            plan = Plan(
                port=hub.port,
                page="/cvepro",
                part="/cvepro/cards",
                topic="cvepro",
                seconds=seconds,
                viewers=_sign_in(hub, viewers),
            )
            crowd, since = Crowd(plan), time.time()
            began, spent_s = time.monotonic(), cpu_s(hub.pid)
            outcome = crowd.end()
            busy = (cpu_s(hub.pid) - spent_s) / (time.monotonic() - began)
            return Seen(
                idle=idle,
                busy=busy,
                idle_bytes=idle_bytes,
                busy_bytes=resident_bytes(hub.pid),
                readings=sum(since <= at <= since + seconds for at in _asked(vendor, LIST)),
                seconds=seconds,
                ways_s=_ways_s(outcome, sorted([*_asked(vendor, LIST), *_asked(vendor, SESSIONS)])),
                failed=outcome.failed,
                part_bytes=outcome.part_bytes,
            )


def _figures(seen: Seen) -> Sequence[Figure]:
    p50, p99 = percentile(seen.ways_s, 0.5), percentile(seen.ways_s, 0.99)
    per_30_s = 30 * seen.readings / seen.seconds
    due = 30 / POLL_S
    # A window of some 95 s holds three readings, or four.
    asked_well = seen.readings <= seen.seconds / POLL_S + 1
    way_note = (
        f"median {p50:.2f} s, {GATHER_S:g} s of it gathered on purpose; {len(seen.ways_s)} parts of"
        f" {seen.part_bytes / 1000:.0f} KB, {seen.failed} failed"
    )
    return [
        Figure(f"{NAME}: list asked upstream", per_30_s, "per 30 s", due, per_30_s / due, "1 per 30 s", asked_well,
               f"{seen.readings} in {seen.seconds:g} s, by the log of the simulated cloud"),
        Figure(f"{NAME}: from the reading to the browser", p99, "s p99", GATHER_S, p99 / GATHER_S, f"≤ {MOST_S:g} s",
               p99 <= MOST_S and not seen.failed, way_note),
        Figure(f"{NAME}: CPU", seen.busy * 100, "% of a core", seen.idle * 100, seen.busy / seen.idle,
               f"≤ {MOST_SHARE:.0%}", seen.busy <= MOST_SHARE, "beside: the same hub with no viewer"),
        Figure(f"{NAME}: memory", seen.busy_bytes / 1e6, "MB resident", seen.idle_bytes / 1e6,
               seen.busy_bytes / seen.idle_bytes, note="beside: before they came"),
    ]  # fmt: skip


def _ways_s(outcome: Outcome, readings: Sequence[float]) -> list[float]:
    """From the reading that the news were of."""
    ways = []
    for heard_at, got_at in outcome.fetches:
        place = bisect.bisect_right(readings, heard_at)
        if place:
            ways.append(got_at - readings[place - 1])
    return ways


def account_of(vendor: str, poll_s: float) -> dict[str, str]:
    given = {
        "BASE_URL": vendor,
        "API_KEY": "a-key-of-the-vendor",
        "EMAIL": "ops@example.org",
        "PASSWORD": "the password of the vendor",
        "POLL_S": str(poll_s),
        "SESSIONS_EVERY_S": str(poll_s * 2),
    }
    return {f"ATALAIA_CVEPRO_{name}": value for name, value in given.items()}


def _sign_in(hub: BenchHub, count: int) -> list[Viewer]:
    """A session for each, of a handful of people, as signing in makes them; the slow hash of a password is left out."""
    name = CookieNames(is_secure=False).session
    visitor = Visitor(address="127.0.0.1", user_agent="bench")

    def unit(tx: Tx) -> list[Viewer]:
        now = datetime.now(UTC)
        people = [
            create_person(tx, operator(), email=f"p{n}@example.org", name="", role=role, password_hash=None, now=now)
            for n, (role, _) in enumerate(PEOPLE)
        ]
        tokens = [enter(tx, people[n % len(PEOPLE)], visitor=visitor, now=now).session_token for n in range(count)]
        return [
            Viewer(f"{name}={token}; atalaia_timezone=America%2FSao_Paulo", PEOPLE[n % len(PEOPLE)][1])
            for n, token in enumerate(tokens)
        ]

    with opened_store(hub.data_dir, None) as store:
        return store.write_now(unit)


def _asked(vendor: str, path: str) -> list[float]:
    """When each request came there, in seconds since the epoch."""
    with urllib.request.urlopen(f"{vendor}/_sim/log", timeout=10) as answer:
        return [row["at"] for row in json.loads(answer.read()) if row["path"] == path]
