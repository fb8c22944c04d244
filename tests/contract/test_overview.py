"""The overview is made once for all who look, and never shows what has been overtaken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from atalaia.home.overview import Shown, Verdict
from atalaia.home.parts import GOOD_FOR_S, Look, OverviewParts
from atalaia.store.live import Live
from tests.contract.watch_site import Visit, visit
from tests.fakes import FakeClock

ENGLISH, WALL = Look("en", "UTC", wall=False), Look("en", "UTC", wall=True)


def shown(total: int) -> Shown:
    return Shown(Verdict("up", "well"), {}, total, [], 0, [], 0, [], 0, [], datetime(2026, 1, 1, tzinfo=UTC))


def render(what: Shown, look: Look) -> str:
    return f"{what.total} {look.wall}"


class Readings:
    """Counts what is read, and holds it back where told to."""

    def __init__(self) -> None:
        self.n = 0
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def read(self) -> Shown:
        self.n += 1
        n = self.n
        await self.may_end.wait()
        return shown(n)


def play(story: Callable[[OverviewParts, Readings, FakeClock, Live], object]) -> None:
    async def run() -> None:
        readings, clock, live = Readings(), FakeClock(), Live()
        await story(OverviewParts(readings.read, clock=clock, live=live), readings, clock, live)  # type: ignore[misc]

    asyncio.run(run())


def test_those_who_ask_together_wait_for_one_reading() -> None:
    async def story(parts: OverviewParts, readings: Readings, _clock: FakeClock, _live: Live) -> None:
        answers = await asyncio.gather(*(parts.html(look, render) for look in (ENGLISH, ENGLISH, WALL)))
        assert answers == ["1 False", "1 False", "1 True"]
        assert readings.n == 1

    play(story)


def test_what_has_changed_is_read_again_even_while_it_is_read() -> None:
    async def story(parts: OverviewParts, readings: Readings, clock: FakeClock, live: Live) -> None:
        assert await parts.html(ENGLISH, render) == "1 False"
        live.publish("other")
        assert await parts.html(ENGLISH, render) == "1 False"
        live.publish("checks", "a")
        readings.may_end.clear()
        early = asyncio.create_task(parts.html(ENGLISH, render))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert readings.n == 2
        clock.advance(0.01)
        live.publish("checks", "b")
        late = asyncio.create_task(parts.html(ENGLISH, render))
        await asyncio.sleep(0)
        readings.may_end.set()
        assert (await early, await late) == ("2 False", "3 False")
        assert await parts.html(ENGLISH, render) == "3 False"

    play(story)


def test_while_people_look_it_is_made_anew_in_the_background() -> None:
    async def story(parts: OverviewParts, readings: Readings, clock: FakeClock, _live: Live) -> None:
        await parts.html(ENGLISH, render)
        clock.advance(0.6 * GOOD_FOR_S)
        assert await parts.html(ENGLISH, render) == "1 False"
        async with made(parts):
            assert readings.n == 2
        clock.advance(0.6 * GOOD_FOR_S)  # the first is too old by now
        assert await parts.html(ENGLISH, render) == "2 False"

    play(story)


def test_nobody_sees_what_is_too_old() -> None:
    async def story(parts: OverviewParts, _readings: Readings, clock: FakeClock, _live: Live) -> None:
        await parts.html(ENGLISH, render)
        clock.advance(GOOD_FOR_S)
        assert await parts.html(ENGLISH, render) == "2 False"

    play(story)


def test_a_reading_that_fails_is_told_and_tried_again() -> None:
    async def run() -> None:
        failing = [OSError("gone")]

        async def read() -> Shown:
            if failing:
                raise failing.pop()
            return shown(7)

        parts = OverviewParts(read, clock=FakeClock(), live=Live())
        with pytest.raises(OSError, match="gone"):
            await parts.html(ENGLISH, render)
        assert await parts.html(ENGLISH, render) == "7 False"

    asyncio.run(run())


def test_the_part_follows_each_change_in_the_readers_language(tmp_path: Path) -> None:
    async def conversation(there: Visit) -> None:
        async def read(language: str) -> str:
            answer = await there.client.get("/overview/now", headers=there.html | {"accept-language": language})
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert answer.text.lstrip().startswith('<div id="now"')
            return answer.text

        await there.hear("sp-1")
        check = await there.add(name="Shop <b>", agents=["sp-1"])
        await there.see(check, True)
        assert "All is well" in await read("en")
        await there.see(check, False)
        assert "1 check is down" in await read("en")
        assert "Shop &lt;b&gt;" in await read("en")
        assert "1 verificação fora do ar" in await read("pt-BR")

    visit(tmp_path, conversation)


def test_what_has_an_incident_is_told_once_and_what_is_over_stays_in_view(tmp_path: Path) -> None:
    async def conversation(there: Visit) -> None:
        async def read() -> str:
            return (await there.client.get("/overview/now", headers=there.html | {"accept-language": "en"})).text

        async def open_count() -> str:
            return (await there.client.get("/incidents/open", headers=there.html)).text

        await there.hear("sp-1")
        check = await there.add(name="Shop", agents=["sp-1"])
        await there.see(check, True)
        assert "Over lately" not in await read()
        assert "hidden>0<" in await open_count()
        await there.see(check, False)
        page = await read()
        assert ("Open incidents" in page, "not well" in page) == (True, False)
        assert 'data-count="1"' in await open_count()
        await there.see(check, True)
        page = await read()
        assert ("Open incidents" in page, "Over lately" in page, "Shop is down" in page) == (False, True, True)

    visit(tmp_path, conversation)


@asynccontextmanager
async def made(parts: OverviewParts) -> AsyncIterator[None]:
    """Once what is made in the background is there."""
    if parts._making is not None:
        await parts._making
    yield
