"""A full disk, a cut line, a store of samples that is away: nothing lost, said clearly, over by itself."""

import json
import os
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.acceptance.line import Line
from tests.acceptance.receiver import Receiver
from tests.acceptance.visitor import Visitor
from tests.servers import find_binary, free_port, running, wait_until

DISK_BYTES = 24 << 20
BLOCK = b"\0" * 65536


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, so small that it can be filled."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system can't be mounted here (needs root)")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    filler = place / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(BLOCK):
                pass
        except OSError:
            return filler
    return filler


def samples(name: str, numbers: range, *, base_ms: int) -> bytes:
    return "".join(f"{name} {number} {base_ms + number * 1000}\n" for number in numbers).encode()


def send(client: Client, body: bytes) -> int:
    return client.request("POST", "/api/v1/import/prometheus", body=body, headers={"Content-Type": "text/plain"}).status


def test_a_full_disk_refuses_writes_says_so_and_heals_by_itself(small_disk: Path, make_hub: MakeHub) -> None:
    hub = make_hub()
    hub.folder.rmdir()
    hub.folder.symlink_to(small_disk)
    hub.start()
    client, ingest = hub.client("read", "write"), hub.client("ingest")
    client.made("/api/checks", {"name": "Job", "kind": "heartbeat", "period_s": 3600, "grace_s": 60})
    visitor = Visitor(hub.url)
    visitor.sign_in(*hub.make_admin())

    filler = fill(small_disk)
    base_ms = int(time.time() * 1000) - 3_600_000
    statuses: list[int] = []

    def is_refused() -> bool:
        number = len(statuses)
        statuses.append(send(ingest, samples(f"full_{number}", range(500), base_ms=base_ms)))
        return statuses[-1] == 507

    wait_until(is_refused, what="a refusal", timeout_s=60)

    def is_said() -> bool:
        """After a refusal: what is small may find room in between, and then there is nothing to be said for a moment."""
        is_refused()
        health = client.get("/health")
        status, page = visitor.page("/")
        assert status == 200
        told = (health.status, health.json["status"], health.json["checks"]["store"])
        return told == (503, "degraded", False) and "full" in page.lower()

    wait_until(is_said, what="a word of it")
    assert set(statuses) <= {204, 507}
    assert client.get("/api/checks").json["items"][0]["name"] == "Job"

    filler.unlink()
    wait_until(lambda: client.get("/health").status == 200, what="recovery", timeout_s=60)
    assert send(ingest, samples("after", range(10), base_ms=base_ms)) == 204
    for number, taken in enumerate(statuses):
        asked = urllib.parse.urlencode(
            {"metric": f"full_{number}", "from": base_ms, "to": base_ms + 500_000, "step": "500s", "agg": "count"}
        )
        found = client.get(f"/api/series/query?{asked}").json["items"]
        kept = sum(value or 0 for item in found for value in item["values"])
        assert kept == (500 if taken == 204 else 0), (number, taken)


def test_a_cut_of_the_line_is_filled_in_with_the_right_times(hub: Hub, receiver: Receiver) -> None:
    line = Line(hub.port)
    try:
        hub.agent("far", hub_url=line.url)
        hub.await_agent("far")
        client = hub.client("read", "write")
        (agent,) = client.items("/api/agents")
        spec = {
            "name": "Site",
            "kind": "http",
            "target": receiver.url,
            "interval_s": 1,
            "timeout_s": 30,
            "agents": [agent["id"]],
        }
        check = client.made("/api/checks", spec)
        wait_until(lambda: client.get(f"/api/checks/{check['id']}").json["state"] == "up", what="the first result")

        line.cut()
        cut_at = time.time()
        looks_with(200, 3, receiver)
        # The target is down for the middle of the cut, which nobody but the agent can see.
        broken = looks_with(500, 4, receiver)
        healed = looks_with(200, 3, receiver)
        line.mend()

        def points() -> list[tuple[float, float]]:
            return probe_up(client, check["id"], cut_at, healed[-1])

        wait_until(lambda: any(at > broken[-1] for at, _ in points()), what="the back-fill", timeout_s=90)
        down = [at for at, value in points() if value == 0]
        # To the second: a look begins before it comes there, and behind the end of the one before.
        before = max(at for at, status in receiver.looks if status == 200 and at < broken[0])
        assert len(down) >= 2
        assert int(before) <= min(down) <= max(down) <= broken[-1]
        assert all(value == 0 for at, value in points() if broken[0] < at < int(broken[-1]))
        assert any(value == 1 for at, value in points() if at < broken[0])
        assert any(value == 1 for at, value in points() if at > broken[-1])
    finally:
        line.close()


def looks_with(status: int, count: int, receiver: Receiver) -> list[float]:
    """When so many looks were answered with this, from now on."""
    begun = len(receiver.looks)
    receiver.status = status

    def found() -> list[float]:
        return [at for at, given in receiver.looks[begun:] if given == status]

    wait_until(lambda: len(found()) >= count, what=f"{count} times {status}", timeout_s=90)
    return found()


def probe_up(client: Client, check_id: str, from_s: float, to_s: float) -> list[tuple[float, float]]:
    """(second, value) of each second that has a sample."""
    asked = {
        "metric": "probe_up",
        "labels": f"check={check_id}",
        "from": int(from_s),
        "to": int(to_s) + 1,
        "step": "1s",
        "agg": "last",
    }
    items = client.get(f"/api/series/query?{urllib.parse.urlencode(asked)}").json["items"]
    return [
        (at / 1000, value)
        for item in items
        for at, value in zip(item["times"], item["values"], strict=True)
        if value is not None
    ]


def test_samples_reach_victoria_metrics_once_though_it_was_away(make_hub: MakeHub, tmp_path: Path) -> None:
    binary = find_binary("victoria-metrics")
    if binary is None:
        pytest.skip("VictoriaMetrics is not installed (Debian: victoria-metrics)")
    port = free_port()
    command = [binary, f"-storageDataPath={tmp_path / 'vm'}", f"-httpListenAddr=127.0.0.1:{port}", "-loggerLevel=ERROR"]
    command += ["-search.latencyOffset=0s", "-dedup.minScrapeInterval=1ms"]
    url = f"http://127.0.0.1:{port}"
    hub = make_hub(env={"ATALAIA_METRICS_FORWARD_TARGETS": url}).start()
    ingest, base_ms = hub.client("ingest"), int(time.time() * 1000) - 3_600_000

    def import_part(number: int) -> None:
        for start in range(number * 500, (number + 1) * 500, 50):
            assert send(ingest, samples("forwarded", range(start, start + 50), base_ms=base_ms)) == 204

    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        import_part(0)
        wait_until(lambda: len(exported(url, base_ms)) == 500, what="the first part", timeout_s=60)
    import_part(1)  # while it is away
    with running(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        import_part(2)
        wait_until(lambda: len(set(exported(url, base_ms))) >= 1500, what="all parts", timeout_s=120)
        points = exported(url, base_ms)
    assert sorted(points) == [(base_ms + number * 1000, float(number)) for number in range(1500)]


def exported(url: str, base_ms: int) -> list[tuple[int, float]]:
    asked = urllib.parse.urlencode({"match[]": "forwarded", "start": base_ms // 1000, "end": base_ms // 1000 + 7200})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/export?{asked}", timeout=10) as answer:
            lines = answer.read().splitlines()
    except OSError:
        return []
    parts = [json.loads(line) for line in lines]
    return [point for part in parts for point in zip(part["timestamps"], part["values"], strict=True)]
