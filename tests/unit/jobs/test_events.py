"""The events of one job: none is missed, whenever it comes."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Raw

from atalaia.jobs.api import events
from atalaia.jobs.api.events import JobEvents
from atalaia.jobs.model.states import STATUS, State
from atalaia.jobs.model.views import JobOut
from atalaia.jobs.service.following import Following

AT = datetime(2026, 1, 1, tzinfo=UTC)


def job(state: State) -> JobOut:
    return JobOut(
        id="j1", type="t", status=STATUS[state], payload=Raw(b"{}"), result=None, steps=(), attempts=1, worker_id=None,
        created_at=AT, updated_at=AT, state=str(state), error=None, queue="default", priority=0, run_at=AT,
        unique_key=None, concurrency_key=None, lost_leases=0, max_attempts=1, leased_until=None, is_cancelling=False,
        created_by="",
    )  # fmt: skip


class Jobs:
    """What is read, in order; `while_read(n)` happens after the n-th look, and before its answer is there."""

    def __init__(self, states: list[State], while_read: Callable[[int], None]) -> None:
        self._states = states
        self._while_read = while_read
        self._looks = 0
        self.reading = self

    async def job(self, _id: str) -> JobOut:
        self._looks += 1
        self._while_read(self._looks)
        return job(self._states[min(self._looks, len(self._states)) - 1])


class AnyTicket:
    def is_good(self, _job_id: str, _ticket: str) -> bool:
        return True


def told(states: list[State], *, heard: set[int]) -> str:
    """`heard`: at which looks something changes, of which the look itself shows nothing yet."""

    async def run() -> str:
        following = Following(None)  # type: ignore[arg-type]  # news are told by hand here
        sent: list[bytes] = []

        def while_read(look: int) -> None:
            if look in heard:
                following._spread("j1")

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))

        async def receive() -> Any:
            await asyncio.Event().wait()

        app = JobEvents(Jobs(states, while_read), following, AnyTicket())  # type: ignore[arg-type]
        scope = {"path_params": {"job_id": "j1"}, "query_string": b"ticket=x", "state": {}}
        await asyncio.wait_for(app.handle(scope, receive, send), 60)
        assert following.count == 0
        return b"".join(sent).decode()

    return asyncio.run(run())


def test_what_changes_while_the_job_is_first_read_is_told() -> None:
    assert "event: end" in told([State.LEASED, State.SUCCEEDED], heard={1})


def test_what_changes_while_the_job_is_read_anew_is_told() -> None:
    """The news came between the look and the wait, and was thrown away with the news that had led to the look."""
    assert "event: end" in told([State.LEASED, State.LEASED, State.SUCCEEDED], heard={1, 2})


def test_news_that_got_lost_is_made_up_for_with_the_next_beat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.01)
    said = told([State.LEASED, State.LEASED, State.SUCCEEDED], heard=set())
    assert said.count(": beat") == 2
    assert said.count("event: status") == 2
    assert "event: end" in said
