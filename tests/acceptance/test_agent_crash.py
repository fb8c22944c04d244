"""Killed at random moments under load: what was on disk arrives once, whatever happens.

The seed is printed with a failure; `ATALAIA_SEED` repeats it, `ATALAIA_KILLS` makes more of it.
"""

import os
import random
import signal
import threading
from pathlib import Path
from typing import Any

import pytest

from atalaia_agent.spool_files import decode_line, segment_names
from tests.servers import wait_until
from tests.unit.agent.local_servers import http, http_answering
from tests.unit.agent.processes import agent_running
from tests.unit.agent.stub_hub import StubHub

pytestmark = pytest.mark.acceptance

KILLS = int(os.environ.get("ATALAIA_KILLS", "8"))
SEED = int(os.environ.get("ATALAIA_SEED", "20261122"))
ENOUGH = 20  # records

Key = tuple[str, int]


def on_disk(spool: Path) -> set[Key]:
    found = set()
    for name in segment_names(spool):
        for line in name.in_directory(spool).read_bytes().split(b"\n"):
            decoded = decode_line(line)
            if decoded is not None:
                found.add((name.spool_id, decoded[0]))
    return found


def received(hub: StubHub) -> set[Key]:
    with hub.changed:
        return {(batch["spool"]["id"], record["seq"]) for batch in hub.batches for record in batch["records"]}


def test_what_was_spooled_arrives_once_however_often_it_is_killed(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    spool = tmp_path / "spool"
    spooled: set[Key] = set()
    with http_answering(http()) as target, StubHub(report_interval_s=0.05) as hub:
        probes = [_probe(number, target.url) for number in range(10)]
        hub.set_plan(*probes)
        kills = 0
        while kills < KILLS or len(spooled) <= ENOUGH:  # one that is killed as soon as it starts has measured nothing
            kills += 1
            assert kills < 20 * KILLS, "it measures nothing"
            with agent_running(hub.url, spool, "--ping", "--ping-interval-s", "0.2") as process:
                threading.Event().wait(dice.uniform(0.3, 1.5))  # the moment is the point of the test
                hub.forget_answers = dice.choice([0, 0, 1, 3])
                if dice.random() < 0.4:
                    hub.answers.extend([(503, {})] * dice.randrange(1, 3))
                threading.Event().wait(dice.uniform(0.0, 0.3))
                process.send_signal(signal.SIGKILL)
                process.wait()
            spooled |= on_disk(spool)
        hub.answers.clear()
        hub.forget_answers = 0
        with agent_running(hub.url, spool):
            wait_until(lambda: spooled <= received(hub), what=f"all spooled records (seed {SEED})", timeout_s=90)
        _assert_once(hub)
        assert hub.batches[-1]["status"]["dropped_total"] == 0


def _probe(number: int, url: str) -> dict[str, Any]:
    return {"id": f"p{number}", "kind": "http", "target": f"{url}/{number}", "interval_s": 0.2, "timeout_s": 1}


def _assert_once(hub: StubHub) -> None:
    measurements = [(record["probe"], record["at"], record["t"]) for record in hub.records]
    assert len(set(measurements)) == len(measurements), f"seed {SEED}"
    pings = [record["ping_id"] for record in hub.of_type("ping")]
    assert len(set(pings)) == len(pings), f"seed {SEED}"
