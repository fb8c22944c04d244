"""kill -9 of hub and agent at random moments under load, and what must be true afterwards.

A sample of it runs in `make test`, the long runs in `make soak` (tests/acceptance/soak.py). Each run is named by its seed.
"""

import contextlib
import http.client
import itertools
import json
import random
import sqlite3
import threading
import time
import urllib.parse
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from atalaia_agent.spool_files import decode_line
from tests.acceptance.calls import Client
from tests.acceptance.hub import Agent, Hub
from tests.acceptance.receiver import Receiver
from tests.servers import wait_until

LINES = 5  # a body of samples
PAUSE_S = 0.04  # between two requests of one sender
PING_S = 0.2  # the least that an agent takes
KILL_AFTER_S = (0.05, 1.2)
SETTLE_S = 120
SECRET = "crash-run"
WINDOW_S = 500  # of one query


@dataclass(frozen=True, slots=True)
class Crashes:
    """What one run did, and found. All is well when nothing is `missing` and nothing is `twice`."""

    seed: int
    hub_kills: int
    agent_kills: int
    acknowledged: int
    spooled: int
    missing: tuple[str, ...]
    twice: tuple[str, ...]


class Sender(threading.Thread):
    """Sends one thing after the other, each again until it is acknowledged, until it is told to stop."""

    def __init__(self, client: Client, *, path: str, kind: str) -> None:
        super().__init__(daemon=True)
        self.client = client
        self.acknowledged = 0
        self._path = path
        self._kind = kind
        self._stopping = threading.Event()

    def make(self, number: int) -> bytes:
        raise NotImplementedError

    def run(self) -> None:
        for number in itertools.count():
            body = self.make(number)
            while not self._is_taken(body):
                self._stopping.wait(PAUSE_S)
            self.acknowledged += 1
            if self._stopping.wait(PAUSE_S):
                return

    def finish(self) -> int:
        """After the present one; how many were acknowledged."""
        self._stopping.set()
        self.join(SETTLE_S)
        assert not self.is_alive(), "the hub takes nothing any more"
        return self.acknowledged

    def _is_taken(self, body: bytes) -> bool:
        try:
            answer = self.client.request("POST", self._path, body=body, headers={"Content-Type": self._kind})
        except (OSError, http.client.HTTPException):  # refused, or cut in the middle of the answer
            return False
        return answer.status in {200, 204}


class Pings(Sender):
    SOURCE: ClassVar = {"location": "loader", "datacenter": "lab", "country": "BR"}

    def __init__(self, client: Client) -> None:
        super().__init__(client, path="/api/ping", kind="application/json")

    def make(self, number: int) -> bytes:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{number % 1000:03d}Z"
        return json.dumps({"timestamp_start": stamp, "source": self.SOURCE, "ping_id": str(uuid.uuid4())}).encode()


class Samples(Sender):
    METRIC = "crash_value"

    def __init__(self, client: Client) -> None:
        super().__init__(client, path="/api/v1/import/prometheus", kind="text/plain")
        self.base_s = int(time.time()) - 20 * 3600

    def make(self, number: int) -> bytes:
        numbers = range(number * LINES, (number + 1) * LINES)
        return "".join(f"{self.METRIC} {each} {(self.base_s + each) * 1000}\n" for each in numbers).encode()


def run_crashes(folder: Path, *, seed: int, hub_kills: int, agent_kills: int) -> Crashes:
    """Load, kills in random order, peace, and the count."""
    chance = random.Random(seed)
    victims = ["hub"] * hub_kills + ["agent"] * agent_kills
    chance.shuffle(victims)
    hub = Hub(folder).start()
    try:
        agent = hub.agent("crash", "--ping", "--ping-interval-s", str(PING_S), "--location", "crash")
        pings, samples = Pings(hub.client("ingest")), Samples(hub.client("ingest"))
        spooled: set[int] = set()
        pings.start()
        samples.start()
        for victim in victims:
            threading.Event().wait(chance.uniform(*KILL_AFTER_S))
            if victim == "hub":
                hub.kill()
                hub.start()
            else:
                agent.kill()
                spooled |= set(spooled_times(agent))
                agent.start()
        counts = pings.finish(), samples.finish()
        _settle(agent, spooled)
        missing, twice = _compare(hub, counts, samples=samples, spooled=spooled)
        return Crashes(seed, hub_kills, agent_kills, sum(counts), len(spooled), tuple(missing), tuple(twice))
    finally:
        hub.close()


def spooled_times(agent: Agent) -> Iterator[int]:
    """When each whole record on the agent's disk was measured, in ms."""
    for segment in sorted(agent.spool.glob("records-*.seg")):
        try:
            content = segment.read_bytes()
        except FileNotFoundError:  # it runs, and has sent it
            continue
        for line in content.split(b"\n"):
            decoded = decode_line(line)
            if decoded is not None:
                yield int(json.loads(decoded[1])["at"])


def _settle(agent: Agent, spooled: set[int]) -> None:
    """Until the spool is sent; what it held at its end counts too."""
    threading.Event().wait(1)
    assert agent.process.is_running, agent.process.output
    agent.process.process.terminate()  # type: ignore[union-attr]  # it runs
    agent.process.process.wait(30)  # type: ignore[union-attr]
    spooled |= set(spooled_times(agent))
    without_ping = [part for part in agent.process.command if part not in {"--ping", "--ping-interval-s", str(PING_S)}]
    agent.process.command = without_ping
    agent.start()
    wait_until(lambda: not list(spooled_times(agent)), what="an empty spool", timeout_s=SETTLE_S)


def _compare(hub: Hub, counts: tuple[int, int], *, samples: Samples, spooled: set[int]) -> tuple[list[str], list[str]]:
    missing: list[str] = []
    twice: list[str] = []
    pings, bodies = counts
    counted = _ping_count(hub)
    (missing if counted < pings else twice).extend([f"{abs(counted - pings)} pings"] if counted != pings else [])
    kept = _kept_samples(hub, samples.base_s, bodies * LINES)
    missing += [f"sample {number}" for number in range(bodies * LINES) if kept.get(number) != number]
    hub.stop()
    reports = Counter(_reported_times(hub))
    missing += [f"record of {at}" for at in sorted(spooled) if not reports[at]]
    twice += [f"record of {at}" for at, count in reports.items() if count > 1]
    return missing, twice


def _ping_count(hub: Hub) -> int:
    answer = hub.client("read").get("/api/ping/stats?hours=24")
    return sum(item["count"] for item in answer.json["items"] if item["source"]["location"] == "loader")


def _kept_samples(hub: Hub, base_s: int, count: int) -> dict[int, float]:
    """Number -> value, second by second."""
    client, found = hub.client("read"), dict[int, float]()
    for start in range(base_s, base_s + count, WINDOW_S):
        asked = {"metric": Samples.METRIC, "from": start, "to": start + WINDOW_S, "step": "1s", "agg": "last"}
        for item in client.get(f"/api/series/query?{urllib.parse.urlencode(asked)}").json["items"]:
            points = zip(item["times"], item["values"], strict=True)
            found |= {int(at // 1000 - base_s): value for at, value in points if value is not None}
    return found


def _reported_times(hub: Hub) -> list[int]:
    database = sqlite3.connect(f"file:{hub.data_dir / 'atalaia.db'}?mode=ro", uri=True)
    try:
        query = "SELECT at FROM ping_reports r JOIN ping_sources s ON s.id = r.source_id WHERE s.location = 'crash'"
        return [row[0] for row in database.execute(query)]
    finally:
        database.close()


@dataclass(frozen=True, slots=True)
class Alerts:
    """Acknowledged failures, and those of them whose alert came; `keys_apart` are alerts with two dedup keys."""

    seed: int
    hub_kills: int
    acknowledged: int
    missing: tuple[str, ...]
    keys_apart: tuple[str, ...]
    repeated: int


def run_alerts(folder: Path, *, seed: int, hub_kills: int, per_kill: int = 3) -> Alerts:
    """Heartbeats fail, the hub is killed right after it said so: the alert must come, under one dedup key."""
    chance = random.Random(seed)
    hub = Hub(folder).start()
    with _receiver() as receiver:
        try:
            addresses = _make_heartbeats(hub, receiver, hub_kills * per_kill)
            acknowledged: list[str] = []
            waiting = list(addresses)
            for _ in range(hub_kills):
                acknowledged += [name for name in waiting[:per_kill] if _fail(hub, addresses[name])]
                waiting = waiting[per_kill:]
                threading.Event().wait(chance.choice([0.0, chance.uniform(0, 0.02), chance.uniform(0, 0.3)]))
                hub.kill()
                hub.start()
            return _alerts_of(receiver, acknowledged, seed=seed, hub_kills=hub_kills)
        finally:
            hub.close()


def _alerts_of(receiver: Receiver, acknowledged: list[str], *, seed: int, hub_kills: int) -> Alerts:
    def told() -> set[str]:
        return {each.json["check"]["name"] for each in list(receiver.deliveries) if each.event == "incident.opened"}

    with contextlib.suppress(TimeoutError):  # who is missing is the result
        wait_until(lambda: told() >= set(acknowledged), what="all alerts", timeout_s=SETTLE_S)
    keys: dict[str, set[str]] = {}
    for each in receiver.deliveries:
        if each.event == "incident.opened":
            keys.setdefault(each.json["incident"]["id"], set()).add(each.delivery_id)
    apart = tuple(sorted(incident for incident, found in keys.items() if len(found) > 1))
    missing = tuple(sorted(set(acknowledged) - told()))
    opened = [each for each in receiver.deliveries if each.event == "incident.opened"]
    return Alerts(seed, hub_kills, len(acknowledged), missing, apart, len(opened) - len(keys))


def _make_heartbeats(hub: Hub, receiver: Receiver, count: int) -> dict[str, str]:
    """Name -> path to ping."""
    client = hub.client("read", "write")
    channel = client.made("/api/channels", {"name": "sink", "kind": "webhook", "url": receiver.url, "secret": SECRET})
    client.made("/api/routes", {"channel": channel["id"], "match": {}, "group_wait_s": 0})
    found = {}
    for number in range(count):
        spec = {"name": f"job {number}", "kind": "heartbeat", "period_s": 3600, "grace_s": 3600, "failures_to_down": 1}
        found[spec["name"]] = urllib.parse.urlsplit(client.made("/api/checks", spec)["ping_url"]).path
    return {str(name): path for name, path in found.items()}


def _fail(hub: Hub, path: str) -> bool:
    try:
        return hub.client().get(f"{path}/fail").status == 200
    except (OSError, http.client.HTTPException):
        return False


@contextlib.contextmanager
def _receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    try:
        yield receiver
    finally:
        receiver.close()
