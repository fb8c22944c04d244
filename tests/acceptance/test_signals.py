"""Two hubs on one PostgreSQL, as processes: one run at a time and not too often, whatever becomes of a hub in the middle of one."""

import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.acceptance.calls import Client
from tests.acceptance.conftest import MakeHub
from tests.acceptance.hub import Hub
from tests.integrations.installing import install
from tests.servers import wait_until

SOURCE = Path(__file__).parent / "lookout"
PATH = "/api/signals/watch"
SENDERS, PER_SENDER_S, SECONDS = 5, 10, 8
MIN_INTERVAL_S = 0.2
LEASE_S = 2.0
LONG_LEASE_S = 60.0  # where all goes well: none may lapse on a machine that stands still


@pytest.fixture
def hubs(
    make_hub: MakeHub, new_database: Callable[[], str], tmp_path: Path, request: pytest.FixtureRequest
) -> tuple[Hub, Hub]:
    """Their lease can be given as a parameter."""
    installed = install(tmp_path, name="lookout", source=SOURCE)
    lease_s = getattr(request, "param", LEASE_S)
    env = {"ATALAIA_SIGNALS_LEASE_S": str(lease_s), "LOOKOUT_S": "0.12", "LOOKOUT_FOLDER": str(tmp_path)}
    url = new_database()
    first, second = (make_hub(database_url=url, env={**installed, **env}) for _ in range(2))
    return first.start(), second.start()


def make_signal(hub: Hub, task: str, *, min_interval_s: float) -> None:
    options = ("--task", task, "--min-interval", str(min_interval_s))
    for _ in range(2):  # the second time changes the one there is
        done = hub.cli("signal", "create", "watch", *options)
        assert done.returncode == 0, done.stderr


def key_for(hub: Hub) -> str:
    done = hub.cli("key", "create", "sender", "--scope", "signal:watch", "--json")
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["key"])


def send(hub: Hub, key: str) -> int:
    return Client(hub.url).request("POST", PATH, headers={"x-monitor-key": key}).status


def runs_of(hub: Hub) -> list[dict[str, Any]]:
    """Oldest first, without the one under way."""
    found = [run for run in hub.client("read").items(f"{PATH}/runs?limit=500") if run["outcome"] != "running"]
    return found[::-1]


def notes(hub: Hub) -> list[tuple[int, str]]:
    """Fence and word, in the order in which they were committed to."""
    assert hub.database_url is not None
    with psycopg.connect(hub.database_url) as connection:
        rows = connection.execute("SELECT fence, word FROM lookout_notes ORDER BY seq").fetchall()
    return [(int(fence), str(word)) for fence, word in rows]


def instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@pytest.mark.parametrize("hubs", [LONG_LEASE_S], indirect=True)
def test_never_two_at_once_and_never_too_often(hubs: tuple[Hub, Hub]) -> None:
    make_signal(hubs[0], "lookout.look", min_interval_s=MIN_INTERVAL_S)
    key = key_for(hubs[0])
    answers: Counter[int] = Counter()
    lock = threading.Lock()

    def sender(number: int) -> None:
        began = time.monotonic()
        for count in range(PER_SENDER_S * SECONDS):
            status = send(hubs[(number + count) % 2], key)
            with lock:
                answers[status] += 1
            # On a grid of its own, as signallers are.
            threading.Event().wait(max(0.0, began + (count + 1) / PER_SENDER_S - time.monotonic()))

    threads = [threading.Thread(target=sender, args=(number,)) for number in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {200, 202} <= set(answers) <= {200, 202, 429}, answers
    assert sum(answers.values()) == SENDERS * PER_SENDER_S * SECONDS

    def is_too_soon() -> bool:
        status = send(hubs[0], key)
        answers[status] += 1
        return status == 429

    wait_until(is_too_soon, what="one that comes too soon")
    client = hubs[1].client("read")
    wait_until(lambda: client.get(PATH).json["running"] is None, what="the last run's end")
    runs = runs_of(hubs[1])
    assert {run["outcome"] for run in runs} == {"succeeded"}
    assert [run["fence"] for run in runs] == list(range(1, answers[202] + 1))
    for former, later in pairwise(runs):
        assert instant(former["ended_at"]) <= instant(later["started_at"])
        assert instant(later["started_at"]) - instant(former["started_at"]) >= MIN_INTERVAL_S - 0.001
    assert notes(hubs[0]) == [(fence, word) for fence in range(1, answers[202] + 1) for word in ("began", "ended")]


def until_begun(hub: Hub, key: str) -> None:
    """Until a signal begins a run; all before it are skipped."""
    seen: list[int] = []

    def is_begun() -> bool:
        seen.append(send(hub, key))
        return seen[-1] == 202

    wait_until(is_begun, what="a run that begins", timeout_s=60)
    assert set(seen[:-1]) <= {200}


def lock_of(hub: Hub) -> tuple[float, float]:
    """When the last run began, and until when nobody else may, in seconds."""
    assert hub.database_url is not None
    with psycopg.connect(hub.database_url) as connection:
        row = connection.execute("SELECT started_at, lease_until FROM signal_locks WHERE name = 'watch'").fetchone()
    assert row is not None
    return row[0] / 1000, row[1] / 1000


def test_a_hub_killed_in_a_run_frees_its_lock_with_the_lease(hubs: tuple[Hub, Hub]) -> None:
    first, second = hubs
    make_signal(second, "lookout.linger", min_interval_s=0)
    key = key_for(second)
    assert send(first, key) == 202
    wait_until(lambda: (1, "beat") in notes(second), what="the run at work")
    first.kill()
    _, held_until = lock_of(second)
    until_begun(second, key)
    assert lock_of(second)[0] >= held_until
    assert [(run["fence"], run["outcome"]) for run in runs_of(second)] == [(1, "lost")]
    wait_until(lambda: (2, "beat") in notes(second), what="the next run at work")


def test_one_that_comes_back_from_the_dead_writes_nothing(hubs: tuple[Hub, Hub], tmp_path: Path) -> None:
    first, second = hubs
    make_signal(second, "lookout.linger", min_interval_s=0)
    key = key_for(second)
    assert send(first, key) == 202
    wait_until(lambda: (1, "beat") in notes(second), what="the run at work")
    os.kill(first.process.pid, signal.SIGSTOP)
    try:
        until_begun(second, key)
        wait_until(lambda: (2, "beat") in notes(second), what="the next run at work")
    finally:
        os.kill(first.process.pid, signal.SIGCONT)
    wait_until((tmp_path / "refused-1").exists, what="the late writer's refusal", timeout_s=60)
    # It serves as before, and knows that another runs (or that this one, too, was not heard of for too long).
    assert send(first, key) in {200, 202}
    said = [fence for fence, _ in notes(second)]
    assert said == sorted(said)
    assert (1, "last word") not in notes(second)
    assert [run["outcome"] for run in runs_of(second) if run["fence"] == 1] == ["lost"]
