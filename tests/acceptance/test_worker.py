"""Workers that die, sleep, lose the line or are told to stop: every gate is moved once, every job comes to its end."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.hub import ADMIN, PASSWORD, Hub
from tests.acceptance.line import Line
from tests.acceptance.visitor import Visitor
from tests.acceptance.worker import WorkerProcess, await_job
from tests.integrations.installing import install
from tests.integrations.tidewatch.server import API_KEY, TideServer
from tests.servers import wait_until

Start = Callable[..., WorkerProcess]
TTL = ("--ttl-s", "2")  # of those that are missed soon
LONG_TTL = ("--ttl-s", "60")  # of those that keep what they have, also where the machine stands still


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return install(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def tides() -> Iterator[TideServer]:
    server = TideServer()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, installed: dict[str, str], tides: TideServer) -> Iterator[Hub]:
    env = {"ATALAIA_TIDEWATCH_URL": tides.url, "ATALAIA_TIDEWATCH_API_KEY": API_KEY}
    hub = Hub(tmp_path_factory.mktemp("workers"), env={**installed, **env})
    try:
        yield hub.start()
    finally:
        hub.close()


@pytest.fixture
def start(hub: Hub, installed: dict[str, str], tides: TideServer) -> Iterator[Start]:
    workers: list[WorkerProcess] = []

    def make(name: str, *options: str, url: str | None = None) -> WorkerProcess:
        workers.append(WorkerProcess(hub, name, *TTL, *options, url=url, env=installed).start())
        return workers[-1]

    yield make
    for event in tides.held.values():
        event.set()
    tides.held.clear()
    for each in workers:
        if each.process.is_running:
            os.kill(each.process.pid, signal.SIGCONT)
        each.process.kill()


def order(hub: Hub, name: str) -> str:
    made = hub.client("jobs:create").made("/api/jobs", {"type": "tide_gate", "payload": {"order": name, "position": 1}})
    return str(made["id"])


def asked_for(tides: TideServer, path: str, *, method: str = "GET") -> None:
    wait_until(lambda: tides.asked(path, method) > 0, what=f"{method} {path}", timeout_s=60)


def ended(hub: Hub, job_id: str) -> dict[str, Any]:
    return await_job(hub.client("read"), job_id, timeout_s=60)


def test_a_worker_killed_before_it_acted_leaves_the_job_to_another(hub: Hub, tides: TideServer, start: Start) -> None:
    go = tides.hold("/level/kill")
    first = start("kill-1")
    job_id = order(hub, "kill")
    asked_for(tides, "/level/kill")
    first.process.kill()
    go.set()
    start("kill-2", *LONG_TTL)
    job = ended(hub, job_id)
    assert (job["status"], job["workerId"]) == ("completed", "kill-2")
    assert job["lostLeases"] >= 1  # or more: where the machine stood still for longer than a lease
    assert tides.moved.count("kill") == 1


def test_a_worker_killed_after_it_acted_is_asked_after_and_never_followed(
    hub: Hub, tides: TideServer, start: Start
) -> None:
    go = tides.hold("/gates/acted")
    first = start("acted-1")
    job_id = order(hub, "acted")
    asked_for(tides, "/gates/acted", method="POST")
    first.process.kill()
    go.set()
    start("acted-2", *LONG_TTL)
    job = ended(hub, job_id)
    assert (job["status"], job["state"], job["result"]) == ("completed", "succeeded", {"moved": True})
    assert tides.moved.count("acted") == 1


def test_a_worker_that_slept_changes_nothing_when_it_wakes(hub: Hub, tides: TideServer, start: Start) -> None:
    go = tides.hold("/level/slept")
    first = start("sleeper")
    job_id = order(hub, "slept")
    asked_for(tides, "/level/slept")
    os.kill(first.process.pid, signal.SIGSTOP)
    go.set()
    start("awake", *LONG_TTL)
    assert ended(hub, job_id)["workerId"] == "awake"
    os.kill(first.process.pid, signal.SIGCONT)
    wait_until(lambda: '"outcome": "lost"' in first.process.output, what="the late one to let go", timeout_s=60)
    assert tides.moved.count("slept") == 1
    assert hub.client("read").get(f"/api/jobs/{job_id}").json["workerId"] == "awake"


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_a_hub_that_is_started_anew_finds_the_work_going_on(
    hub: Hub, tides: TideServer, start: Start, how: str
) -> None:
    go = tides.hold(f"/level/restart-{how}")
    start("patient")
    job_id = order(hub, f"restart-{how}")
    asked_for(tides, f"/level/restart-{how}")
    (hub.kill if how == "kill" else hub.stop)()
    hub.start()
    go.set()
    job = ended(hub, job_id)
    assert job["status"] == "completed"
    assert tides.moved.count(f"restart-{how}") == 1


def test_a_worker_that_is_told_to_stop_finishes_what_it_has(hub: Hub, tides: TideServer, start: Start) -> None:
    go = tides.hold("/level/drain")
    worker = start("drains", "--drain-s", "60", *LONG_TTL)
    job_id = order(hub, "drain")
    asked_for(tides, "/level/drain")
    os.kill(worker.process.pid, signal.SIGTERM)
    wait_until(lambda: '"draining"' in worker.process.output, what="the order to drain")
    later = order(hub, "later")
    go.set()
    assert ended(hub, job_id)["status"] == "completed"
    assert worker.process.process is not None
    assert worker.process.process.wait(90) == 0
    assert hub.client("read").get(f"/api/jobs/{later}").json["status"] == "pending"
    hub.client("jobs:create").post(f"/api/jobs/{later}/cancel", {})


def test_what_is_not_finished_in_time_is_handed_back_at_once(hub: Hub, tides: TideServer, start: Start) -> None:
    go = tides.hold("/level/hasty")
    worker = start("hasty", "--drain-s", "0", *LONG_TTL)
    job_id = order(hub, "hasty")
    asked_for(tides, "/level/hasty")
    assert worker.process.stop() == 0
    go.set()
    job = await_job(hub.client("read"), job_id, "waiting")
    assert (job["lostLeases"], job["attempts"]) == (0, 0)
    start("hasty-2", *LONG_TTL)
    assert ended(hub, job_id)["status"] == "completed"
    assert tides.moved.count("hasty") == 1


def test_a_worker_whose_line_is_cut_lets_go_and_comes_back(hub: Hub, tides: TideServer, start: Start) -> None:
    line = Line(hub.port)
    try:
        go = tides.hold("/level/cut")
        far = start("far", url=line.url)
        job_id = order(hub, "cut")
        asked_for(tides, "/level/cut")
        line.cut()
        wait_until(lambda: '"lease_ran_out"' in far.process.output, what="the end of the lease", timeout_s=60)
        near = start("near", *LONG_TTL)
        go.set()
        assert ended(hub, job_id)["workerId"] == "near"
        assert near.process.stop() == 0
        line.mend()
        assert ended(hub, order(hub, "mended"))["workerId"] == "far"
        assert (tides.moved.count("cut"), tides.moved.count("mended")) == (1, 1)
    finally:
        line.close()


def test_a_key_that_may_not_work_ends_it(hub: Hub, installed: dict[str, str]) -> None:
    env = {**installed, "ATALAIA_KEY": hub.make_key("read")}
    refused = WorkerProcess(hub, "refused", env=env)
    refused.process.launch()
    assert refused.process.process is not None
    assert refused.process.process.wait(60) == 4
    assert "needs the scope jobs:work" in refused.process.output


def test_it_says_which_version_and_commit_it_is(hub: Hub, start: Start) -> None:
    start("versioned")
    client = hub.client("read")

    def found() -> list[dict[str, Any]]:
        return [each for each in client.get("/api/workers").json["items"] if each["id"] == "versioned"]

    wait_until(lambda: bool(found()), what="the worker on the hub's list")
    assert found()[0]["version"].startswith("0.")
    assert not found()[0]["isStale"]


def test_jobs_by_command(hub: Hub, tmp_path: Path) -> None:
    where = ("--hub", hub.url, "--key-file", str(tmp_path / "key"))
    (tmp_path / "key").write_text(hub.make_key("jobs:create", "jobs:work", "read") + "\n", encoding="utf-8")
    (tmp_path / "gate.json").write_text('{"order": "typed", "position": 2}', encoding="utf-8")
    made = hub.cli("job", "create", "tide_gate", "--payload", str(tmp_path / "gate.json"), *where)
    job_id = made.stdout.strip()
    assert json.loads(hub.cli("job", "show", job_id, "--json", *where).stdout)["status"] == "pending"
    assert f"{job_id} is cancelled" in hub.cli("job", "cancel", job_id, *where).stdout
    assert "is pending" in hub.cli("job", "retry", job_id, *where).stdout
    listed = hub.cli("job", "list", "--status", "pending", "--json", *where).stdout
    assert job_id in [job["id"] for job in json.loads(listed)]
    hub.cli("job", "cancel", job_id, *where)
    unknown = hub.cli("job", "show", "nonsense", *where)
    assert (unknown.returncode, "404" in unknown.stderr) == (1, True)


def test_a_job_by_hand_shows_its_steps_and_is_on_record(hub: Hub, tides: TideServer, tmp_path: Path) -> None:
    (tmp_path / "gate.json").write_text('{"order": "by-hand", "position": 2}', encoding="utf-8")
    key = hub.make_key("jobs:create", "jobs:work", "read")
    (tmp_path / "key").write_text(key, encoding="utf-8")
    options = ("--hub", hub.url, "--key-file", str(tmp_path / "key"), "--json")
    done = hub.cli("job", "run", "tide_gate", "--payload", str(tmp_path / "gate.json"), *options)
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {step["step"]["name"] for step in said[:-1]} == {"level", "move"}
    assert said[-1]["end"]["status"] == "completed"
    assert said[-1]["end"]["workerId"].startswith("by-hand-")
    assert tides.moved.count("by-hand") == 1
    assert "canary" not in done.stdout + done.stderr


def test_a_version_that_is_too_old_gets_nothing_and_says_so(hub: Hub, installed: dict[str, str]) -> None:
    hub.make_admin()
    visitor = Visitor(hub.url)
    visitor.sign_in(ADMIN, PASSWORD)
    assert visitor.submit("/settings", {"jobs.min_worker_version": "99.0"}, to="/settings/jobs")[0] == 200
    try:
        stale = WorkerProcess(hub, "stale", env=installed).start()
        assert stale.process.process is not None
        assert stale.process.process.wait(60) == 3
        assert "older than the hub's minimum" in stale.process.output
        listed = hub.client("read").get("/api/workers").json["items"]
        assert [each["isStale"] for each in listed if each["id"] == "stale"] == [True]
    finally:
        visitor.submit("/settings", {"jobs.min_worker_version": ""}, to="/settings/jobs")
