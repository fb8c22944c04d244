"""What an incident's transaction has queued is delivered, in order, and on record."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from atalaia.core.clock import SystemClock
from atalaia.core.errors import StoreFull
from atalaia.core.events import Event
from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.channel import Outcome
from atalaia.notify.model.notice import IncidentNotice, NoticeKind, Told
from atalaia.notify.model.severity import Severity
from atalaia.notify.service import sender
from atalaia.notify.service.incidents import notify_incident
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import SECRET, Parts, a_check, an_incident, notifying
from tests.unit.outbound.receiver import Receiver, Request, receiving, reply

OPENED, RECOVERED, ACKNOWLEDGED = NoticeKind.OPENED, NoticeKind.RECOVERED, NoticeKind.ACKNOWLEDGED


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


def _run(store: Store, clock: Any, body: Callable[[Parts, Receiver], Coroutine[Any, Any, None]], **answer: Any) -> None:
    async def run() -> None:
        async with receiving(answer.get("by")) as receiver, notifying(store, clock) as parts:
            await body(parts, receiver)

    asyncio.run(run())


def _events(receiver: Receiver) -> list[tuple[str, str]]:
    bodies = [json.loads(request.body) for request in receiver.requests]
    return [(body["event"], body["incident"]["title"]) for body in bodies]


async def _wake(parts: Parts, clock: FakeClock, seconds: float) -> None:
    clock.advance(seconds)
    parts.sender.wake.set()


def test_an_opened_incident_is_told_right_after_its_commit(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        told = await parts.tell(OPENED, an_incident())
        assert told == Told(channels=("hook",))
        request = (await receiver.wait_for(1))[0]
        assert json.loads(request.body)["url"].startswith("https://hub.test/incidents/")
        await parts.until_empty()

    _run(store, SystemClock(), body)


def test_what_was_rolled_back_is_never_told(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)

        def unit(tx: Tx) -> None:
            notice = IncidentNotice(kind=OPENED, incident=an_incident("never"), check=a_check())
            notify_incident(tx, notice, now=parts.clock.now())
            raise ValueError("no")

        with pytest.raises(ValueError, match="no"):
            await parts.store.write(unit)
        await parts.tell(OPENED, an_incident("was"))
        await parts.until_empty()
        assert _events(receiver) == [("incident.opened", "was")]

    _run(store, SystemClock(), body)


def test_an_incident_without_a_route_says_that_nobody_was_told(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        assert (await parts.tell(OPENED, an_incident())).is_nobody
        await parts.add_webhook(receiver.url, match={"team": "other"})
        assert (await parts.tell(OPENED, an_incident())).is_nobody
        quiet = await parts.tell(RECOVERED, an_incident())
        assert not quiet.is_nobody
        assert receiver.requests == []

    _run(store, SystemClock(), body)


def test_a_recovery_is_told_to_those_who_heard_of_the_opening(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url + "/a", name="a")
        await parts.add_webhook(receiver.url + "/b", name="b", min_severity=Severity.CRITICAL)
        incident = an_incident(severity=Severity.WARNING)
        await parts.tell(OPENED, incident)
        await parts.tell(RECOVERED, an_incident(id=incident.id, severity=Severity.CRITICAL, state="resolved"))
        await parts.until_empty()
        assert [request.path for request in receiver.requests] == ["/a", "/a"]
        assert [event for event, _ in _events(receiver)] == ["incident.opened", "incident.recovered"]

    _run(store, SystemClock(), body)


def test_an_opening_told_twice_goes_out_once_and_a_risen_severity_reaches_the_others(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url + "/a", name="a")
        await parts.add_webhook(receiver.url + "/b", name="b", min_severity=Severity.CRITICAL)
        incident = an_incident(severity=Severity.WARNING)
        await parts.tell(OPENED, incident)
        await parts.tell(OPENED, incident)
        told = await parts.tell(OPENED, an_incident(id=incident.id, severity=Severity.CRITICAL))
        assert told.channels == ("a", "b")
        await parts.until_empty()
        assert sorted(request.path for request in receiver.requests) == ["/a", "/b"]

    _run(store, SystemClock(), body)


def test_the_first_goes_at_once_and_what_breaks_within_30_s_follows_as_one(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        for title in ("first", "second", "third"):
            await parts.tell(OPENED, an_incident(title))
        await receiver.wait_for(1)
        assert _events(receiver) == [("incident.opened", "first")]
        await _wake(parts, clock, 30)
        await parts.until_empty()
        assert len(receiver.requests) == 2
        grouped = json.loads(receiver.requests[1].body)
        assert [entry["incident"]["title"] for entry in grouped["incidents"]] == ["second", "third"]
        record, _ = await parts.service.deliveries()
        assert len({attempt.message_id for attempt in record}) == 2
        assert len(record) == 3

    _run(store, clock, body)


def test_after_all_has_recovered_the_next_opening_is_a_first_again(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        for _ in range(3):
            incident = an_incident()
            await parts.tell(OPENED, incident)
            clock.advance(1)
            await parts.tell(RECOVERED, incident)
            clock.advance(1)
        await parts.until_empty()
        assert sorted(event for event, _ in _events(receiver)) == ["incident.opened"] * 3 + ["incident.recovered"] * 3

    _run(store, clock, body)


def test_what_recovers_while_it_is_held_back_is_told_in_order_at_once(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        held = an_incident("held")
        await parts.tell(OPENED, an_incident("first"))
        await parts.tell(OPENED, held)
        clock.advance(1)
        await parts.tell(RECOVERED, held)
        await parts.until_empty()
        assert _events(receiver) == [
            ("incident.opened", "first"),
            ("incident.opened", "held"),
            ("incident.recovered", "held"),
        ]

    _run(store, clock, body)


def test_an_open_incident_is_repeated_until_somebody_acknowledges(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url, repeat_interval_s=60)
        incident = an_incident()
        await parts.tell(OPENED, incident)
        await parts.until_empty()
        for count in (2, 3):
            await _wake(parts, clock, 60)
            await receiver.wait_for(count)
            await parts.until_empty()
        await parts.tell(ACKNOWLEDGED, incident)
        await _wake(parts, clock, 600)
        await parts.tell(RECOVERED, incident)
        await parts.until_empty()
        events = [event for event, _ in _events(receiver)]
        assert events == ["incident.opened", "incident.repeated", "incident.repeated", "incident.recovered"]

    _run(store, clock, body)


def test_a_failed_message_is_tried_again_with_the_same_delivery_id(store: Store, clock: FakeClock) -> None:
    answers = iter([reply(503, b"", Retry_After="120"), reply(500), reply()])

    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return next(answers)

    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        for count in (2, 3):
            await receiver.wait_for(count - 1)
            await parts.until_landed()
            await _wake(parts, clock, 700)
            await receiver.wait_for(count)
        await parts.until_empty()
        assert len({request.headers["x-atalaia-delivery"] for request in receiver.requests}) == 1
        record, _ = await parts.service.deliveries()
        assert [(attempt.attempt, attempt.outcome) for attempt in record] == [
            (3, Outcome.DELIVERED),
            (2, Outcome.RETRIED),
            (1, Outcome.RETRIED),
        ]
        assert "503" in record[2].status
        assert record[0].duration_ms > 0

    _run(store, clock, body, by=answer)


def test_a_recovery_waits_for_the_opening_and_other_channels_do_not(store: Store, clock: FakeClock) -> None:
    is_broken = True

    async def answer(request: Request) -> bytes:
        await asyncio.sleep(0)
        return reply(500 if is_broken and request.path == "/bad" else 200)

    async def body(parts: Parts, receiver: Receiver) -> None:
        nonlocal is_broken
        await parts.add_webhook(receiver.url + "/bad", name="bad")
        await parts.add_webhook(receiver.url + "/good", name="good")
        incident = an_incident()
        await parts.tell(OPENED, incident)
        await parts.tell(RECOVERED, incident)
        await receiver.wait_for(3)
        await parts.until_landed()
        is_broken = False
        await _wake(parts, clock, 700)
        await parts.until_empty()
        by_path = {
            path: [e for r, (e, _) in zip(receiver.requests, _events(receiver), strict=True) if r.path == path]
            for path in ("/good", "/bad")
        }
        assert by_path["/good"] == ["incident.opened", "incident.recovered"]
        assert by_path["/bad"][-2:] == ["incident.opened", "incident.recovered"]
        assert "incident.recovered" not in by_path["/bad"][:-1]

    _run(store, clock, body, by=answer)


def test_a_message_is_given_up_after_a_day_and_its_channel_becomes_the_news(store: Store, clock: FakeClock) -> None:
    heard: list[Event] = []
    for kind in (MessageSettled, ChannelTroubled, ChannelRecovered):
        store.on(kind, lambda _tx, event: heard.append(event))
    is_broken = True

    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return reply(500 if is_broken else 200)

    async def body(parts: Parts, receiver: Receiver) -> None:
        nonlocal is_broken
        channel_id = await parts.add_webhook(receiver.url, repeat_interval_s=0)
        await parts.tell(OPENED, an_incident())
        for hours, count in ((0, 1), (1, 2), (12, 3), (12, 4)):
            await _wake(parts, clock, hours * 3600)
            await receiver.wait_for(count)
            await parts.until_landed()
        assert await parts.outbox_size() == 0
        assert [type(event) for event in heard] == [ChannelTroubled, MessageSettled]
        assert (await parts.service.channel(channel_id)).troubled_since is not None
        is_broken = False
        await parts.tell(OPENED, an_incident(), at=clock.now() + timedelta(minutes=1))
        await _wake(parts, clock, 120)
        await parts.until_empty()
        assert ChannelRecovered in [type(event) for event in heard]

    _run(store, clock, body, by=answer)


def test_a_receiver_that_is_gone_is_given_up_at_once(store: Store) -> None:
    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return reply(410)

    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        await receiver.wait_for(1)
        await parts.until_empty()
        record, _ = await parts.service.deliveries(outcome=Outcome.DEAD)
        assert len(record) == 1

    _run(store, SystemClock(), body, by=answer)


def test_a_message_about_a_broken_channel_goes_another_way(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        broken = await parts.add_webhook(receiver.url + "/broken", name="broken")
        await parts.add_webhook(receiver.url + "/other", name="other")
        told = await parts.tell(OPENED, an_incident(), except_channels=frozenset({broken}))
        assert told.channels == ("other",)
        await parts.until_empty()
        assert [request.path for request in receiver.requests] == ["/other"]

    _run(store, SystemClock(), body)


def test_what_was_queued_before_a_crash_is_delivered_by_the_next_start(store: Store) -> None:
    notices = [IncidentNotice(kind=OPENED, incident=an_incident(f"n{n}"), check=a_check()) for n in range(5)]

    async def run() -> None:
        async with receiving() as receiver:
            async with notifying(store, SystemClock()) as parts:
                await parts.add_webhook(receiver.url)
            now = SystemClock().now() - timedelta(minutes=1)
            for notice in notices:
                await store.write(partial(notify_incident, notice=notice, now=now))
            assert receiver.requests == []
            async with notifying(store, SystemClock()) as parts:
                await parts.until_empty()
            body = b"".join(request.body for request in receiver.requests)
            assert all(f'"n{n}"'.encode() in body for n in range(5))

    asyncio.run(run())


def test_no_secret_stands_in_the_record_or_in_the_clear_in_the_store(store: Store) -> None:
    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return f"HTTP/1.1 500 {SECRET}\r\nContent-Length: 0\r\n\r\n".encode()

    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        await receiver.wait_for(1)
        await parts.until_landed()

    _run(store, SystemClock(), body, by=answer)
    for table in ("channels", "channel_states", "outbox", "notices", "deliveries", "audit"):
        rows = store.read_now(lambda tx, table=table: tx.raw(f"SELECT * FROM {table}"))  # type: ignore[misc]
        assert SECRET not in str(rows)


def test_a_deleted_channel_leaves_nothing_waiting(store: Store, clock: FakeClock) -> None:
    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return reply(500)

    async def body(parts: Parts, receiver: Receiver) -> None:
        channel_id = await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        await receiver.wait_for(1)
        await parts.until_landed()
        await parts.service.delete_channel(parts.actor().principal, None, channel_id)
        assert await parts.outbox_size() == 0
        assert (await parts.service.deliveries())[0] != []
        assert not parts.service.has_route

    _run(store, clock, body, by=answer)


def test_a_store_that_can_not_be_written_keeps_no_message_back_and_makes_none_twice(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_full = False
    write = store.write

    async def refuse(unit: Callable[[Tx], Any]) -> Any:
        if is_full:
            raise StoreFull("no room")
        return await write(unit)

    async def body(parts: Parts, receiver: Receiver) -> None:
        nonlocal is_full
        await parts.add_webhook(receiver.url)
        for title in ("first", "second", "third"):
            await parts.tell(OPENED, an_incident(title))
        await receiver.wait_for(1)
        await parts.until_landed()
        is_full = True
        await _wake(parts, clock, 30)
        await receiver.wait_for(3)
        is_full = False
        await parts.until_empty()
        assert sorted(title for _, title in _events(receiver)) == ["first", "second", "third"]

    monkeypatch.setattr(store, "write", refuse)
    monkeypatch.setattr(sender, "RECORD_AGAIN_S", 0.02)
    _run(store, clock, body)


def test_a_channel_that_is_off_is_told_nothing_until_it_is_on_again(store: Store, clock: FakeClock) -> None:
    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return reply(500)

    async def body(parts: Parts, receiver: Receiver) -> None:
        who = parts.actor().principal
        channel_id = await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        await receiver.wait_for(1)
        await parts.until_landed()
        await parts.service.change_channel(who, None, channel_id, changes={"is_enabled": False}, values={})
        assert not parts.service.has_route
        assert (await parts.tell(OPENED, an_incident())).is_nobody
        clock.advance(700)
        await parts.sender.run()
        assert parts.sender.in_flight == 0
        await parts.service.change_channel(who, None, channel_id, changes={"is_enabled": True}, values={})
        await _wake(parts, clock, 0)
        await receiver.wait_for(2)

    _run(store, clock, body, by=answer)
