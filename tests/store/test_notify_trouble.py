"""What fails is tried again, given up in the end, and never lost or told twice without need."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from atalaia.core.clock import SystemClock
from atalaia.core.errors import StoreFull
from atalaia.core.events import Event
from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.channel import Outcome
from atalaia.notify.model.notice import IncidentNotice, NoticeKind
from atalaia.notify.service import sender
from atalaia.notify.service.incidents import notify_incident
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import SECRET, Parts, a_check, an_incident, events_of, notifying, run_parts, wake
from tests.unit.outbound.receiver import Receiver, Request, receiving, reply

OPENED, RECOVERED, ACKNOWLEDGED = NoticeKind.OPENED, NoticeKind.RECOVERED, NoticeKind.ACKNOWLEDGED


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


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
            await wake(parts, clock, 700)
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

    run_parts(store, clock, body, by=answer)


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
            await wake(parts, clock, hours * 3600)
            await receiver.wait_for(count)
            await parts.until_landed()
        assert await parts.outbox_size() == 0
        assert [type(event) for event in heard] == [ChannelTroubled, MessageSettled]
        assert (await parts.service.channel(channel_id)).troubled_since is not None
        is_broken = False
        await parts.tell(OPENED, an_incident(), at=clock.now() + timedelta(minutes=1))
        await wake(parts, clock, 120)
        await parts.until_empty()
        assert ChannelRecovered in [type(event) for event in heard]

    run_parts(store, clock, body, by=answer)


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

    run_parts(store, SystemClock(), body, by=answer)


def test_a_message_about_a_broken_channel_goes_another_way(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        broken = await parts.add_webhook(receiver.url + "/broken", name="broken")
        await parts.add_webhook(receiver.url + "/other", name="other")
        told = await parts.tell(OPENED, an_incident(), except_channels=frozenset({broken}))
        assert told.channels == ("other",)
        await parts.until_empty()
        assert [request.path for request in receiver.requests] == ["/other"]

    run_parts(store, SystemClock(), body)


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

    run_parts(store, SystemClock(), body, by=answer)
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

    run_parts(store, clock, body, by=answer)


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
        await wake(parts, clock, 30)
        await receiver.wait_for(3)
        is_full = False
        await parts.until_empty()
        assert sorted(title for _, title in events_of(receiver)) == ["first", "second", "third"]

    monkeypatch.setattr(store, "write", refuse)
    monkeypatch.setattr(sender, "RECORD_AGAIN_S", 0.02)
    run_parts(store, clock, body)


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
        await wake(parts, clock, 0)
        await receiver.wait_for(2)

    run_parts(store, clock, body, by=answer)
