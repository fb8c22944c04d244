"""What an incident's transaction has queued is delivered, in order, and on record."""

import asyncio
import json

import pytest

from atalaia.core.clock import SystemClock
from atalaia.notify.model.notice import IncidentNotice, NoticeKind, Told
from atalaia.notify.model.severity import Severity
from atalaia.notify.service.incidents import notify_incident
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, a_check, an_incident, events_of, run_parts, wake
from tests.unit.outbound.receiver import Receiver, Request, reply

OPENED, RECOVERED, ACKNOWLEDGED = NoticeKind.OPENED, NoticeKind.RECOVERED, NoticeKind.ACKNOWLEDGED


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


def test_an_opened_incident_is_told_right_after_its_commit(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        told = await parts.tell(OPENED, an_incident())
        assert told == Told(channels=("hook",))
        request = (await receiver.wait_for(1))[0]
        assert json.loads(request.body)["url"].startswith("https://hub.test/incidents/")
        await parts.until_empty()

    run_parts(store, SystemClock(), body)


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
        assert events_of(receiver) == [("incident.opened", "was")]

    run_parts(store, SystemClock(), body)


def test_an_incident_without_a_route_says_that_nobody_was_told(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        assert (await parts.tell(OPENED, an_incident())).is_nobody
        await parts.add_webhook(receiver.url, match={"team": "other"})
        assert (await parts.tell(OPENED, an_incident())).is_nobody
        quiet = await parts.tell(RECOVERED, an_incident())
        assert not quiet.is_nobody
        assert receiver.requests == []

    run_parts(store, SystemClock(), body)


def test_a_recovery_is_told_to_those_who_heard_of_the_opening(store: Store) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url + "/a", name="a")
        await parts.add_webhook(receiver.url + "/b", name="b", min_severity=Severity.CRITICAL)
        incident = an_incident(severity=Severity.WARNING)
        await parts.tell(OPENED, incident)
        await parts.tell(RECOVERED, an_incident(id=incident.id, severity=Severity.CRITICAL, state="resolved"))
        await parts.until_empty()
        assert [request.path for request in receiver.requests] == ["/a", "/a"]
        assert [event for event, _ in events_of(receiver)] == ["incident.opened", "incident.recovered"]

    run_parts(store, SystemClock(), body)


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

    run_parts(store, SystemClock(), body)


def test_the_first_goes_at_once_and_what_breaks_within_30_s_follows_as_one(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        for title in ("first", "second", "third"):
            await parts.tell(OPENED, an_incident(title))
        await receiver.wait_for(1)
        assert events_of(receiver) == [("incident.opened", "first")]
        await wake(parts, clock, 30)
        await parts.until_empty()
        assert len(receiver.requests) == 2
        grouped = json.loads(receiver.requests[1].body)
        assert [entry["incident"]["title"] for entry in grouped["incidents"]] == ["second", "third"]
        record, _ = await parts.service.deliveries()
        assert len({attempt.message_id for attempt in record}) == 2
        assert len(record) == 3

    run_parts(store, clock, body)


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
        assert sorted(event for event, _ in events_of(receiver)) == ["incident.opened"] * 3 + ["incident.recovered"] * 3

    run_parts(store, clock, body)


def test_what_recovers_while_it_is_held_back_is_told_in_order_at_once(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url)
        held = an_incident("held")
        await parts.tell(OPENED, an_incident("first"))
        await parts.tell(OPENED, held)
        clock.advance(1)
        await parts.tell(RECOVERED, held)
        await parts.until_empty()
        assert events_of(receiver) == [
            ("incident.opened", "first"),
            ("incident.opened", "held"),
            ("incident.recovered", "held"),
        ]

    run_parts(store, clock, body)


def test_an_open_incident_is_repeated_until_somebody_acknowledges(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, receiver: Receiver) -> None:
        await parts.add_webhook(receiver.url, repeat_interval_s=60)
        incident = an_incident()
        await parts.tell(OPENED, incident)
        await parts.until_empty()
        for count in (2, 3):
            await wake(parts, clock, 60)
            await receiver.wait_for(count)
            await parts.until_empty()
        await parts.tell(ACKNOWLEDGED, incident)
        await wake(parts, clock, 600)
        await parts.tell(RECOVERED, incident)
        await parts.until_empty()
        events = [event for event, _ in events_of(receiver)]
        assert events == ["incident.opened", "incident.repeated", "incident.repeated", "incident.recovered"]

    run_parts(store, clock, body)


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
        await wake(parts, clock, 700)
        await parts.until_empty()
        by_path = {
            path: [e for r, (e, _) in zip(receiver.requests, events_of(receiver), strict=True) if r.path == path]
            for path in ("/good", "/bad")
        }
        assert by_path["/good"] == ["incident.opened", "incident.recovered"]
        assert by_path["/bad"][-2:] == ["incident.opened", "incident.recovered"]
        assert "incident.recovered" not in by_path["/bad"][:-1]

    run_parts(store, clock, body, by=answer)
