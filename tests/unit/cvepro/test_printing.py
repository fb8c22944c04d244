"""The process that draws: papers as wanted, an end that is told, nothing left behind, and none of the hub's secrets in it."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import msgspec
import pytest

from atalaia.integrations.cvepro.model.reports import Format
from atalaia.integrations.cvepro.papers.orders import Look, Order, Wanted
from atalaia.integrations.cvepro.service.printing import printed
from atalaia.sdk.jobs import JobFailed
from tests.unit.cvepro.statement_kit import MADE_AT, flat_of, line, statement

Started = list[tuple[Process, dict[str, str]]]
WANTED = tuple(Wanted(flat=flat, format=each) for flat in (None, "101") for each in (Format.PDF, Format.XLSX))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """Processes as they are started, with what of the environment they get."""
    found: Started = []
    start: Callable[..., Any] = asyncio.create_subprocess_exec

    async def recorded(*command: str, env: dict[str, str], **more: Any) -> Process:
        found.append((await start(*command, env=env, **more), env))
        return found[-1][0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", recorded)
    return found


def order(*, zone: str | None = None) -> Order:
    found = statement([flat_of("101", [line(n, flat="101") for n in range(40)])])
    look = Look(locale="en", condominium="São João", address="", made_at=MADE_AT)
    return Order(statement=msgspec.structs.replace(found, zone=zone or found.zone), look=look, wanted=WANTED)


def test_papers_come_as_they_are_wanted_and_the_process_ends(started: Started, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATALAIA_CVEPRO_PASSWORD", "of the vendor")

    async def main() -> list[tuple[str | None, Format, bytes]]:
        async with aclosing(printed(order())) as papers:
            return [(each.flat, each.format, each.content[:4]) async for each in papers]

    assert asyncio.run(main()) == [
        (None, Format.PDF, b"%PDF"),
        (None, Format.XLSX, b"PK\x03\x04"),
        ("101", Format.PDF, b"%PDF"),
        ("101", Format.XLSX, b"PK\x03\x04"),
    ]
    ((process, env),) = started
    assert process.returncode == 0
    assert [name for name in env if name.startswith("ATALAIA_")] == []


def test_one_that_breaks_is_a_failure_that_says_why(started: Started) -> None:
    async def main() -> None:
        async with aclosing(printed(order(zone="Nowhere/At_All"))) as papers:
            await anext(papers)

    with pytest.raises(JobFailed, match="No time zone found") as failed:
        asyncio.run(main())
    assert (failed.value.failure, failed.value.is_retryable) == ("not_drawn", True)
    assert started[0][0].returncode == 1


def test_one_that_is_cancelled_amid_it_leaves_no_process(started: Started) -> None:
    async def main() -> None:
        first = asyncio.Event()

        async def draw() -> None:
            async with aclosing(printed(order())) as papers:
                await anext(papers)
                first.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(draw())
        async with asyncio.timeout(60):
            await first.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert started[0][0].returncode is not None
