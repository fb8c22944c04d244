"""An agent's state as pages show it."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from atalaia.agents.model.agents import Agent, Seen
from atalaia.agents.model.wire import Status
from atalaia.agents.views import view_of

NOW = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
AGENT = Agent(
    id="a",
    name="sp-1",
    key_id="k",
    is_enrolled=False,
    hostname="sp-1.example.org",
    version="1",
    python="3.11",
    platform="Linux",
    first_seen_at=NOW - timedelta(days=1),
    retired_at=None,
    last_seen_at=NOW - timedelta(seconds=5),
    silent_since=None,
    seen=Seen(),
)


@pytest.mark.parametrize(
    ("change", "badge"),
    [
        ({}, "up"),
        ({"last_seen_at": NOW - timedelta(minutes=2)}, "unknown"),
        ({"silent_since": NOW}, "unknown"),
        ({"retired_at": NOW}, "paused"),
        ({"seen": Seen(clock_skew_ms=61_000)}, "degraded"),
        ({"seen": Seen(clock_skew_ms=-61_000)}, "degraded"),
        ({"seen": Seen(status=Status(line="down"))}, "degraded"),
        ({"seen": Seen(status=Status(spool_error="disk full"))}, "degraded"),
        ({"silent_since": NOW, "seen": Seen(clock_skew_ms=61_000)}, "unknown"),
    ],
)
def test_one_state_for_all_that_may_be(change: dict[str, object], badge: str) -> None:
    assert view_of(msgspec.structs.replace(AGENT, **change), now=NOW).badge == badge


def test_the_share_of_a_core_is_over_the_life_of_its_process() -> None:
    started_ms = (NOW - timedelta(seconds=1005)).timestamp() * 1000
    agent = msgspec.structs.replace(AGENT, seen=Seen(status=Status(cpu_s=1.0), started_at=int(started_ms)))
    assert view_of(agent, now=NOW).cpu_share == pytest.approx(0.001)
