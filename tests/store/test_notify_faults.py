"""What goes wrong beside the receiver: the hub's clock, its own faults, two who change the same thing at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from atalaia.core.clock import SystemClock
from atalaia.core.errors import Conflict, InvalidField
from atalaia.notify.model.channel import Outcome
from atalaia.notify.model.notice import NoticeKind
from atalaia.notify.queries import channels as channel_queries
from atalaia.notify.service import channels as edit
from atalaia.notify.service import recording, sender
from atalaia.sdk.transaction import Tx
from atalaia.store.opening import migrate_store, open_store
from atalaia.store.store import Store
from tests.conftest import SOURCE, MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import SEALER, Parts, an_incident, events_of, run_parts, until, wake
from tests.unit.notify.smtp_server import mail_server
from tests.unit.outbound.receiver import Receiver, Request, reply

OPENED = NoticeKind.OPENED
MAIL = {"host": "127.0.0.1", "sender": "hub@hub.test", "recipients": ["a@x.test", "b@x.test"], "security": "none"}


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


def test_what_breaks_after_the_clock_was_set_back_is_told_at_once(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident("before"))
        await receiver.wait_for(1)
        clock.jump(-3600)
        await parts.tell(OPENED, an_incident("after"))
        await receiver.wait_for(2)

    run_parts(store, clock, body)


def test_what_waits_while_the_clock_is_set_back_does_not_wait_for_what_it_was_set_back_by(
    store: Store, clock: FakeClock
) -> None:
    answers = iter([reply(500)])

    async def answer(_request: Request) -> bytes:
        await asyncio.sleep(0)
        return next(answers, reply())

    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident("tried"))
        await receiver.wait_for(1)
        await parts.until_landed()
        await parts.tell(OPENED, an_incident("held"))
        clock.jump(-3 * 3600)
        await wake(parts, clock, 1)
        await parts.until_empty()
        assert sorted(title for _, title in events_of(receiver)) == ["held", "tried", "tried"]

    run_parts(store, clock, body, by=answer)


@pytest.mark.parametrize("said", ["550 5.7.1 \x00\x1b[2Jno", "550 5.7.1 \x07no"])
def test_whatever_a_server_says_is_put_on_record_and_its_message_tried_no_oftener_for_it(
    store: Store, said: str
) -> None:
    async def body(parts: Parts, _receiver: Receiver) -> None:
        async with mail_server() as box:
            box.answers["RCPT"] = said
            await parts.add_channel("email", {**MAIL, "port": box.port})
            await parts.tell(OPENED, an_incident())
            await parts.until_empty()
            record, _ = await parts.service.deliveries()
            assert [(each.target, each.outcome) for each in record] == [
                ("b@x.test", Outcome.DEAD),
                ("a@x.test", Outcome.DEAD),
            ]
            assert all(each.status.isprintable() and each.status.endswith("no") for each in record)

    run_parts(store, SystemClock(), body)


def test_a_receiver_that_a_mail_server_puts_off_is_tried_again_by_itself(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, _receiver: Receiver) -> None:
        async with mail_server() as box:
            box.put_off = {"b@x.test"}
            await parts.add_channel("email", {**MAIL, "port": box.port})
            await parts.tell(OPENED, an_incident())
            await until_recorded(parts, 2)
            box.put_off = set()
            await wake(parts, clock, 700)
            await parts.until_empty()
            record, _ = await parts.service.deliveries()
            assert [(each.target, each.outcome) for each in reversed(record)] == [
                ("a@x.test", Outcome.DELIVERED),
                ("b@x.test", Outcome.RETRIED),
                ("b@x.test", Outcome.DELIVERED),
            ]

    run_parts(store, clock, body)


async def until_recorded(parts: Parts, count: int) -> None:
    async def is_so() -> bool:
        return len((await parts.service.deliveries())[0]) >= count and not parts.sender.in_flight

    await until(is_so)


def test_a_fault_of_ours_after_a_message_went_out_does_not_send_it_over_and_over(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = iter([ValueError("no"), ValueError("no")])
    plain = recording.record_result

    def record(*args: Any, **named: Any) -> Any:
        if (fault := next(faults, None)) is not None:
            raise fault
        return plain(*args, **named)

    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        await parts.tell(OPENED, an_incident())
        await parts.until_empty()
        assert len(receiver.requests) == 1

    monkeypatch.setattr(sender, "record_result", record)
    monkeypatch.setattr(sender, "RECORD_AGAIN_S", 0.02)
    run_parts(store, clock, body)


def test_what_was_queued_for_a_channel_that_is_gone_does_not_wait_for_ever(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        channel_id = await parts.add_webhook(receiver.url)
        kept = await parts.add_webhook(receiver.url, name="kept")
        await parts.tell(OPENED, an_incident())
        await parts.until_empty()
        later = clock.now() + timedelta(seconds=5)
        await parts.tell(OPENED, an_incident(), at=later)
        await store.write(lambda tx: tx.execute(text("DELETE FROM channels WHERE id = :id"), {"id": channel_id}))
        await parts.service.prune()
        rows = await store.read(lambda tx: tx.raw("SELECT channel_id FROM outbox"))
        assert rows == [(kept,)]

    run_parts(store, clock, body)


def test_nothing_is_queued_for_a_channel_that_is_removed_meanwhile(
    store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        channel_id = await parts.add_webhook(receiver.url)
        stale = await store.read(channel_queries.live_routes)
        await parts.service.delete_channel(parts.actor().principal, None, channel_id)
        monkeypatch.setattr("atalaia.notify.service.incidents.channel_queries.live_routes", lambda _tx: stale)
        await parts.tell(OPENED, an_incident())
        assert await parts.outbox_size() == 0

    run_parts(store, clock, body)


# -- two at once, on PostgreSQL; on SQLite there is one writer


@pytest.fixture
def shared(new_database: Callable[[], str], tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path, database_url=new_database())
    migrate_store(store, [SOURCE / name / "migrations" for name in ("access", "notify")])
    yield store
    store.close()


def _add(parts: Parts, name: str) -> str:
    values = {"url": "https://x.test/h", "secret": "s3cret-canary"}
    return parts.store.write_now(
        lambda tx: (
            edit.create_channel(
                tx, parts.actor(), name=name, kind="webhook", values=values, kinds=parts.service.kinds, sealer=SEALER
            ).id
        )
    )


def _change(parts: Parts, channel_id: str, tx: Tx, **changes: Any) -> None:
    edit.change_channel(
        tx, parts.actor(), channel_id, changes=changes, values={}, kinds=parts.service.kinds, sealer=SEALER
    )


def _while_another_waits(store: Store, first: Any, second: Any) -> Any:
    """`second` begins when `first` has written and not committed yet, and is let go once it waits; what came of `second`."""
    written, go_on = threading.Event(), threading.Event()

    def hold(tx: Tx) -> None:
        first(tx)
        written.set()
        assert go_on.wait(60)

    def waits(tx: Tx) -> int:
        return int(
            tx.raw(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )[0][0]
        )

    with ThreadPoolExecutor(2) as threads:
        holding = threads.submit(store.write_now, hold)
        assert written.wait(60)
        waiting = threads.submit(store.write_now, second)
        try:
            while not store.read_now(waits):
                go_on.wait(0.01)
        finally:
            go_on.set()
        holding.result()
        return waiting.exception()


def test_of_two_who_change_a_channel_at_once_neither_undoes_what_the_other_did(shared: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, _receiver: Receiver) -> None:
        channel_id = _add(parts, "hook")
        failed = _while_another_waits(
            shared,
            lambda tx: _change(parts, channel_id, tx, name="renamed"),
            lambda tx: _change(parts, channel_id, tx, is_enabled=False),
        )
        assert failed is None
        channel = await parts.service.channel(channel_id)
        assert (channel.name, channel.is_enabled) == ("renamed", False)

    run_parts(shared, clock, body)


def test_of_two_who_give_the_same_name_at_once_one_is_told_that_it_is_taken(shared: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, _receiver: Receiver) -> None:
        one, two = _add(parts, "one"), _add(parts, "two")
        values = {"url": "https://x.test/h", "secret": "s3cret-canary"}
        renamed = _while_another_waits(
            shared,
            lambda tx: _change(parts, one, tx, name="wanted"),
            lambda tx: _change(parts, two, tx, name="wanted"),
        )
        assert isinstance(renamed, Conflict)
        made = _while_another_waits(
            shared,
            lambda tx: _change(parts, one, tx, name="again"),
            lambda tx: edit.create_channel(
                tx, parts.actor(), name="again", kind="webhook", values=values, kinds=parts.service.kinds, sealer=SEALER
            ),
        )
        assert isinstance(made, Conflict)

    run_parts(shared, clock, body)


def test_a_password_is_not_taken_along_to_another_server(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, _receiver: Receiver) -> None:
        who = parts.actor().principal
        values = {**MAIL, "security": "tls", "username": "me", "password": "s3cret-canary"}
        channel_id = await parts.add_channel("email", values)
        await parts.service.change_channel(
            who, None, channel_id, changes={}, values={"host": "127.0.0.1", "port": "587"}
        )
        with pytest.raises(InvalidField) as refused:
            await parts.service.change_channel(who, None, channel_id, changes={}, values={"host": "mine.test"})
        assert refused.value.field == "password"
        moved = {"host": "new.test", "password": "another-one"}
        changed = await parts.service.change_channel(who, None, channel_id, changes={}, values=moved)
        assert changed.settings["host"] == "new.test"

    run_parts(store, clock, body)
