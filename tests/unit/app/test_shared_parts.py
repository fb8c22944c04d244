"""A part is made once for all who read alike, anew as soon as something is told of it, and never with a reader's name in it."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest

from atalaia.app.shared_parts import KEPT_S, MOST, SharedParts, nameless
from atalaia.core.permissions import Permission, Principal, Role
from atalaia.store.live import Live

TOPICS = ("chargers",)


def in_loop(scene: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    async def play() -> None:
        await scene()

    @wraps(scene)
    def test() -> None:
        asyncio.run(play())

    return test


class Bench:
    def __init__(self) -> None:
        self.live = Live()
        self.now = 100.0
        self.made: list[str] = []
        self.parts = SharedParts(self.live, monotonic=lambda: self.now)

    def maker(self, text: str, *, until: asyncio.Event | None = None) -> Callable[[], Awaitable[str]]:
        async def make() -> str:
            self.made.append(text)
            if until is not None:
                await until.wait()
            return text

        return make

    async def html(self, text: str, key: str = "all") -> str:
        return await self.parts.html(key, TOPICS, self.maker(text))


@in_loop
async def test_many_who_ask_at_once_get_what_is_made_once() -> None:
    bench, may_end = Bench(), asyncio.Event()
    asking = [
        asyncio.ensure_future(bench.parts.html("all", TOPICS, bench.maker("a", until=may_end))) for _ in range(500)
    ]
    await asyncio.sleep(0)
    may_end.set()
    assert set(await asyncio.gather(*asking)) == {"a"}
    assert bench.made == ["a"]


@in_loop
async def test_another_reader_has_another_part() -> None:
    bench = Bench()
    assert [await bench.html("a", "pt"), await bench.html("b", "en"), await bench.html("c", "pt")] == ["a", "b", "a"]


@in_loop
async def test_news_of_its_topic_end_it_and_other_news_do_not() -> None:
    bench = Bench()
    await bench.html("a")
    bench.live.publish("checks", "7")
    assert await bench.html("b") == "a"
    bench.live.publish("chargers", "7")
    assert await bench.html("c") == "c"


@in_loop
async def test_what_was_begun_before_the_news_is_for_those_who_asked_before_them() -> None:
    bench, may_end = Bench(), asyncio.Event()
    before = asyncio.ensure_future(bench.parts.html("all", TOPICS, bench.maker("old", until=may_end)))
    await asyncio.sleep(0)
    bench.live.publish("chargers")
    assert await bench.html("new") == "new"
    may_end.set()
    assert await before == "old"
    assert await bench.html("newer") == "new"


@in_loop
async def test_it_is_made_anew_after_a_moment_also_without_news() -> None:
    bench = Bench()
    await bench.html("a")
    bench.now += KEPT_S + 0.1
    assert await bench.html("b") == "b"


@in_loop
async def test_one_who_leaves_takes_it_from_nobody() -> None:
    bench, may_end = Bench(), asyncio.Event()
    first, second = (
        asyncio.ensure_future(bench.parts.html("all", TOPICS, bench.maker("a", until=may_end))) for _ in range(2)
    )
    await asyncio.sleep(0)
    first.cancel()
    may_end.set()
    assert await second == "a"


@in_loop
async def test_a_failure_reaches_who_asked_and_is_not_kept() -> None:
    bench = Bench()

    async def fail() -> str:
        raise LookupError("gone")

    with pytest.raises(LookupError):
        await bench.parts.html("all", TOPICS, fail)
    assert await bench.html("a") == "a"


@in_loop
async def test_no_more_are_kept_than_a_bound() -> None:
    bench = Bench()
    for number in range(MOST + 1):
        await bench.html("first", str(number))
    assert await bench.html("again", "0") == "again"
    assert await bench.html("again", str(MOST)) == "first"


def test_who_reads_is_left_out_but_for_what_they_may() -> None:
    person = Principal(
        "p1", "person", "Ana", frozenset({Permission.DASHBOARDS_READ}), role=Role.CLIENT, session_id="s1", locale="en"
    )
    other = Principal("p2", "person", "Bruno", person.permissions, role=Role.CLIENT, session_id="s2", timezone="UTC")
    assert nameless(person) == nameless(other)
    assert "Ana" not in repr(nameless(person))
    assert (nameless(person).permissions, nameless(person).role) == (person.permissions, Role.CLIENT)
    assert nameless(person) != nameless(Principal("p3", "person", "Caio", frozenset(Permission), role=Role.ADMIN))
