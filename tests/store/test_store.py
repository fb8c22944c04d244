"""The store keeps its promises on both engines."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from atalaia.core.errors import Overloaded
from atalaia.core.events import Event
from atalaia.core.translations import Translations
from atalaia.sdk.transaction import Tx
from atalaia.store.engine import is_refused_value
from atalaia.store.leadership import TTL_S, Leadership, database_now
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.store import Store
from atalaia.store.work import Merged
from atalaia.web.errors import answer_to
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.servers import wait_until

CREATE = "CREATE TABLE things (name TEXT PRIMARY KEY, n BIGINT NOT NULL)"


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    made = make_store()
    made.write_now(lambda tx: tx.raw(CREATE))
    return made


def _add(name: str, n: int = 1) -> "object":
    return lambda tx: tx.raw("INSERT INTO things VALUES (?, ?)", (name, n))


def _names(store: Store) -> list[str]:
    return [row[0] for row in store.read_now(lambda tx: tx.raw("SELECT name FROM things ORDER BY name"))]


def test_a_write_is_there_when_it_is_answered(store: Store) -> None:
    store.write_now(lambda tx: tx.raw("INSERT INTO things VALUES (?, ?)", ("a", 1)))
    assert _names(store) == ["a"]


def test_a_unit_that_fails_fails_alone(store: Store) -> None:
    def fail(tx: Tx) -> None:
        tx.raw("INSERT INTO things VALUES ('gone', 1)")
        raise ValueError("no")

    async def run() -> list[object]:
        units = [_add(f"n{number}") if number % 3 else fail for number in range(30)]
        return await asyncio.gather(*(store.write(unit) for unit in units), return_exceptions=True)  # type: ignore[arg-type]

    answers = asyncio.run(run())
    assert [isinstance(answer, ValueError) for answer in answers] == [number % 3 == 0 for number in range(30)]
    assert _names(store) == sorted(f"n{number}" for number in range(30) if number % 3)


def test_payloads_of_a_merged_unit_run_together_and_a_bad_one_fails_alone(store: Store) -> None:
    sizes: list[int] = []

    def insert(tx: Tx, payloads: Sequence[str]) -> list[str]:
        sizes.append(len(payloads))
        tx.raw_many("INSERT INTO things VALUES (?, 1)", [(payload,) for payload in payloads])
        return [payload.upper() for payload in payloads]

    merged = Merged("things", insert)

    async def run() -> list[object]:
        names = [f"m{number:03}" for number in range(100)] + ["m050"]
        return await asyncio.gather(*(store.merge(merged, name) for name in names), return_exceptions=True)

    answers = asyncio.run(run())
    failed = [answer for answer in answers if isinstance(answer, BaseException)]
    assert len(failed) == 1
    assert answers[0] == "M000"
    assert len(_names(store)) == 100
    assert max(sizes) > 1


def test_merged_units_of_several_kinds_share_a_transaction_and_one_that_fails_takes_none_with_it(store: Store) -> None:
    """They ran each in a savepoint, which on PostgreSQL was a third of all that was said to it."""
    tries: list[str] = []
    told: list[tuple[str, str]] = []
    store.live.subscribe(lambda topic, id_: told.append((topic, id_)))

    def insert(tx: Tx, payloads: Sequence[str]) -> list[str]:
        tries.append("insert")
        tx.raw_many("INSERT INTO things VALUES (?, 1)", [(payload,) for payload in payloads])
        tx.publish("things", "good")
        return list(payloads)

    def refuse(tx: Tx, payloads: Sequence[str]) -> list[str]:
        tries.append("refuse")
        tx.publish("things", "bad")
        if "bad" in payloads:
            raise ValueError("refused")
        return list(payloads)

    good, picky = Merged("good", insert), Merged("picky", refuse)

    async def run(*said: str) -> list[object]:
        both = [store.merge(good, name) for name in said] + [store.merge(picky, name) for name in said]
        return await asyncio.gather(*both, return_exceptions=True)

    assert asyncio.run(run("a", "b")) == ["a", "b", "a", "b"]
    assert tries == ["insert", "refuse"]
    told.clear()
    *others, failed = asyncio.run(run("c", "bad"))
    assert others == ["c", "bad", "c"]
    assert isinstance(failed, ValueError)
    assert _names(store) == ["a", "b", "bad", "c"]
    wait_until(lambda: len(told) >= 2, what="news")
    assert sorted(set(told)) == [("things", "bad"), ("things", "good")]


def test_what_comes_in_together_is_written_together(store: Store) -> None:
    sizes: list[int] = []

    def count(_tx: Tx, payloads: Sequence[int]) -> list[int]:
        sizes.append(len(payloads))
        return list(payloads)

    merged = Merged("counted", count)

    async def caller(number: int) -> None:
        for turn in range(5):
            assert await store.merge(merged, number * turn) == number * turn

    async def run() -> None:
        await asyncio.gather(*(caller(number) for number in range(64)))

    asyncio.run(run())
    assert sum(sizes) == 5 * 64
    assert len(sizes) <= 10  # 5, but for a machine that is busy with something else


def test_too_many_that_wait_are_refused_and_the_rest_is_written(
    make_store: MakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atalaia.store.writer.MAX_WAITING", 10)
    store = make_store()
    merged: Merged[int, int] = Merged("echo", lambda _tx, payloads: payloads)

    async def run() -> list[object]:
        async def one(number: int) -> int:
            return await store.merge(merged, number)

        return await asyncio.gather(*(one(number) for number in range(15)), return_exceptions=True)

    answers = asyncio.run(run())
    assert answers[:10] == list(range(10))
    assert [type(answer) for answer in answers[10:]] == [Overloaded] * 5
    assert store.waiting == 0


def test_a_closing_store_writes_what_still_waits(make_store: MakeStore) -> None:
    store = make_store()
    done: list[int] = []

    def note(_tx: Tx, payloads: Sequence[int]) -> list[None]:
        done.extend(payloads)
        return [None] * len(payloads)

    async def run() -> None:
        waiter = store.merge(Merged("noted", note), 1)
        store.close()
        await waiter

    asyncio.run(run())
    assert done == [1]


def test_what_a_failed_unit_published_is_never_told(store: Store) -> None:
    told: list[tuple[str, str]] = []
    store.live.subscribe(lambda topic, id_: told.append((topic, id_)))

    def fail(tx: Tx) -> None:
        tx.publish("things", "bad")
        tx.after_commit(lambda: told.append(("after", "bad")))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        store.write_now(fail)
    done = []
    store.write_now(lambda tx: tx.after_commit(lambda: done.append(1)))
    assert done == [1]
    assert told == []


def test_an_event_is_handled_in_the_transaction_of_its_cause(store: Store) -> None:
    class Happened(Event, frozen=True):
        name: str

    def handler(tx: Tx, event: Happened) -> None:
        tx.raw("INSERT INTO things VALUES (?, 1)", (event.name,))
        if event.name == "bad":
            raise ValueError(event.name)

    store.on(Happened, handler)
    store.write_now(lambda tx: tx.emit(Happened(name="good")))
    with pytest.raises(ValueError, match="bad"):
        store.write_now(lambda tx: tx.emit(Happened(name="bad")))
    assert _names(store) == ["good"]


@pytest.mark.parametrize(("name", "n"), [("half a \ud800", 1), ("nul \0", 1), ("too much", 2**63)])
def test_a_value_that_the_database_does_not_take_is_wrong_input_and_no_fault_of_the_hub(
    store: Store, name: str, n: int
) -> None:
    insert = "INSERT INTO things VALUES (?, ?)"
    if store.dialect == "sqlite" and "\0" in name:  # which takes it
        store.write_now(lambda tx: tx.raw(insert, (name, n)))
        return
    with pytest.raises(Exception) as refused:  # noqa: PT011 - each driver has one of its own
        store.write_now(lambda tx: tx.raw(insert, (name, n)))
    assert is_refused_value(refused.value)
    assert answer_to(refused.value, Translations({}).translator("en")).status == 400
    assert not is_refused_value(ValueError("of ours"))


def test_one_hub_leads_and_another_follows_when_it_is_silent(store: Store) -> None:
    clock = FakeClock()
    first, second = Leadership(holder="a", clock=clock), Leadership(holder="b", clock=clock)
    assert store.write_now(first.renew)
    assert not store.write_now(second.renew)
    assert (first.is_leader, second.is_leader) == (True, False)
    clock.advance(TTL_S + 0.1)
    assert not first.is_leader
    assert store.write_now(second.renew)
    assert not store.write_now(first.renew)
    assert second.fence == first.fence + 1
    store.write_now(second.release)
    clock.advance(0.01)
    assert store.write_now(first.renew)


def test_hubs_whose_clocks_differ_lead_by_the_databases(new_database: Callable[[], str], tmp_path: Path) -> None:
    store = open_store(tmp_path, database_url=new_database())
    migrate_store(store, [])
    right, ahead = FakeClock(), FakeClock()
    ahead.jump(3600)
    first, second = (Leadership(holder=str(each), clock=each, now=database_now) for each in (right, ahead))
    try:
        assert store.write_now(second.renew)
        assert not store.write_now(first.renew)
        store.write_now(second.release)
        assert store.write_now(first.renew)
        assert not store.write_now(second.renew)
    finally:
        store.close()


def test_a_postgresql_that_is_gone_without_a_word_is_missed_within_half_a_minute(
    new_database: Callable[[], str], tmp_path: Path
) -> None:
    store = open_store(tmp_path, database_url=new_database())
    try:
        with store.writer_engine.connect() as connection:
            line = socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno()))  # type: ignore[union-attr]
        with line:
            asked_for_s = [
                line.getsockopt(socket.IPPROTO_TCP, option)
                for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            ]
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert asked_for_s[0] + asked_for_s[1] * asked_for_s[2] <= 30
            assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000  # in ms
    finally:
        store.close()


def test_what_is_published_is_heard_here_at_once_and_by_other_hubs_once(
    make_store: MakeStore, dialect: str, database_url: str | None, tmp_path: Path
) -> None:
    if dialect != "postgresql":
        pytest.skip("one hub has the directory")
    mine, other = make_store(), open_store(tmp_path, database_url=database_url)
    try:
        heard_here: list[str] = []
        heard_there: list[str] = []
        mine.live.subscribe(lambda topic, _: heard_here.append(topic))
        other.live.subscribe(lambda topic, _: heard_there.append(topic))

        def publish_until_heard() -> bool:
            heard_here.clear()
            mine.write_now(lambda tx: tx.publish("checks", "1"))
            assert heard_here == ["checks"]
            return bool(heard_there)

        wait_until(publish_until_heard, what="the other hub's listener")
        mine.write_now(lambda tx: tx.publish("last", ""))
        wait_until(lambda: "last" in heard_there, what="the other hub")
        assert heard_there.count("last") == 1
        assert heard_here.count("last") == 1
    finally:
        other.close()
