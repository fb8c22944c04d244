"""A message to several receivers that could not know it again: each gets it once, unless it was surely not sent."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from atalaia.core.clock import Clock, SystemClock
from atalaia.core.errors import InvalidField
from atalaia.core.events import Event
from atalaia.notify.events import ChannelRecovered, ChannelTroubled, MessageSettled
from atalaia.notify.model.channel import Outcome
from atalaia.notify.model.notice import NoticeKind
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, Values, take_fields
from atalaia.sdk.failures import AuthExpired, PermanentFailure, TemporaryFailure
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, an_incident, notifying, until, wake

OPENED, RECOVERED = NoticeKind.OPENED, NoticeKind.RECOVERED
NOT_SENT = TemporaryFailure("not connected", may_have_arrived=False)
PERHAPS = TemporaryFailure("400 Timed Out")
NOBODY = PermanentFailure("no such number")
ANA, BIA = "+551191", "+551192"


class Phones(ChannelKind):
    """Tells its numbers apart; what happens is said beforehand, for each number in its turn."""

    name = "phones"
    title = "Phones"
    is_repeatable = False
    fields = (ChannelField("numbers", "Numbers", "lines"),)

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.turns: dict[str, deque[Exception]] = {}
        self.gate, self.line = asyncio.Event(), asyncio.Event()
        self.asked: list[None] = []
        self.gate.set()
        self.line.set()

    def check(self, values: Values) -> dict[str, Any]:
        return take_fields(self.fields, values)

    def describe(self, values: Values) -> str:
        return ", ".join(values["numbers"])

    def targets(self, values: Values) -> Sequence[str]:
        return list(values["numbers"])

    async def await_open(self, values: Values) -> None:
        assert values["numbers"]
        self.asked.append(None)
        await self.line.wait()

    async def send(self, values: Values, message: ChannelMessage) -> str:
        assert message.target in values["numbers"]
        self.sent.append((message.target, message.event))
        await self.gate.wait()
        turns = self.turns.get(message.target)
        if turns:
            raise turns.popleft()
        return "201"

    def will(self, number: str, *failures: Exception) -> None:
        self.turns[number] = deque(failures)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


@pytest.fixture
def heard(store: Store) -> list[Event]:
    events: list[Event] = []
    for kind in (MessageSettled, ChannelTroubled, ChannelRecovered):
        store.on(kind, lambda _tx, event: events.append(event))
    return events


Body = Callable[[Parts, Phones], Coroutine[Any, Any, None]]


def run(store: Store, clock: Clock, body: Body) -> None:
    async def main() -> None:
        phones = Phones()
        async with notifying(store, clock, kinds=(phones,)) as parts:
            await add_phones(parts)
            await body(parts, phones)

    asyncio.run(main())


async def add_phones(parts: Parts) -> str:
    return await parts.add_channel("phones", {"numbers": [ANA, BIA]}, name="phones", repeat_interval_s=0)


async def record(parts: Parts) -> list[tuple[str, int, Outcome]]:
    """Oldest first."""
    attempts, _ = await parts.service.deliveries()
    return [(each.target, each.attempt, Outcome(each.outcome)) for each in reversed(attempts)]


def settled(heard: list[Event]) -> list[str]:
    return [event.outcome for event in heard if isinstance(event, MessageSettled)]


def kinds_of(heard: list[Event]) -> list[type[Event]]:
    return [type(event) for event in heard if not isinstance(event, MessageSettled)]


def test_each_receiver_gets_it_once_and_is_on_record_by_itself(store: Store, heard: list[Event]) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        await parts.tell(OPENED, an_incident())
        await parts.until_empty()
        assert phones.sent == [(ANA, "incident.opened"), (BIA, "incident.opened")]
        assert await record(parts) == [(ANA, 1, Outcome.DELIVERED), (BIA, 1, Outcome.DELIVERED)]
        assert settled(heard) == ["delivered"]

    run(store, SystemClock(), body)


@pytest.mark.parametrize("failure", [NOT_SENT, AuthExpired("401")])
def test_what_was_surely_not_sent_is_tried_again_for_that_receiver_alone(
    store: Store, clock: FakeClock, heard: list[Event], failure: Exception
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.will(BIA, failure)
        await parts.tell(OPENED, an_incident())
        await until(lambda: has_sent(phones, 2))
        await parts.until_landed()
        await wake(parts, clock, 30)
        await parts.until_empty()
        assert [target for target, _ in phones.sent] == [ANA, BIA, BIA]
        assert await record(parts) == [
            (ANA, 1, Outcome.DELIVERED),
            (BIA, 1, Outcome.RETRIED),
            (BIA, 2, Outcome.DELIVERED),
        ]
        assert settled(heard) == ["delivered", "delivered"]
        assert kinds_of(heard) == []

    run(store, clock, body)


@pytest.mark.parametrize("failure", [PERHAPS, RuntimeError("a bug")])
def test_what_was_perhaps_sent_is_marked_so_told_and_never_sent_again(
    store: Store, clock: FakeClock, heard: list[Event], failure: Exception
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.will(ANA, failure)
        incident = an_incident()
        await parts.tell(OPENED, incident)
        await parts.until_empty()
        await wake(parts, clock, 3600)
        await parts.until_empty()
        assert [target for target, _ in phones.sent] == [ANA, BIA]
        assert await record(parts) == [(ANA, 1, Outcome.UNKNOWN), (BIA, 1, Outcome.DELIVERED)]
        assert settled(heard) == ["delivered", "unknown"]
        assert kinds_of(heard) == [ChannelTroubled]
        await parts.tell(RECOVERED, incident)
        await parts.until_empty()
        assert phones.sent[2:] == [(ANA, "incident.recovered"), (BIA, "incident.recovered")]
        assert kinds_of(heard) == [ChannelTroubled, ChannelRecovered]

    run(store, clock, body)


def test_one_bad_number_among_good_ones_is_one_trouble_and_no_flapping(
    store: Store, clock: FakeClock, heard: list[Event]
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.will(BIA, NOBODY, NOBODY, NOBODY)
        for title in ("a", "b", "c"):
            await parts.tell(OPENED, an_incident(title))
            await wake(parts, clock, 60)
            await parts.until_empty()
        assert kinds_of(heard) == [ChannelTroubled]
        assert (await record(parts))[:2] == [(ANA, 1, Outcome.DELIVERED), (BIA, 1, Outcome.DEAD)]
        await parts.tell(OPENED, an_incident("d"))
        await wake(parts, clock, 60)
        await parts.until_empty()
        assert kinds_of(heard) == [ChannelTroubled, ChannelRecovered]

    run(store, clock, body)


def test_a_rest_that_gets_through_later_does_not_hide_that_somebody_missed_it(
    store: Store, clock: FakeClock, heard: list[Event]
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.will(ANA, PERHAPS)
        phones.will(BIA, NOT_SENT)
        await parts.tell(OPENED, an_incident())
        await until(lambda: has_sent(phones, 2))
        await parts.until_landed()
        await wake(parts, clock, 30)
        await parts.until_empty()
        assert kinds_of(heard) == [ChannelTroubled]
        assert settled(heard) == ["unknown", "delivered"]

    run(store, clock, body)


def test_a_hub_that_stops_while_it_asks_has_sent_nothing_and_leaves_nothing_unknown(
    store: Store, heard: list[Event]
) -> None:
    async def main() -> None:
        before, after = Phones(), Phones()
        before.line.clear()
        async with notifying(store, SystemClock(), kinds=(before,)) as parts:
            await add_phones(parts)
            await parts.tell(OPENED, an_incident())
            await until(lambda: has_asked(before))
            await parts.cut()
        async with notifying(store, SystemClock(), kinds=(after,)) as parts:
            parts.sender.wake.set()
            await parts.until_empty()
            assert before.sent == []
            assert after.sent == [(ANA, "incident.opened"), (BIA, "incident.opened")]
            assert settled(heard) == ["delivered"]

    asyncio.run(main())


def test_a_hub_that_stops_in_the_middle_leaves_an_unknown_and_sends_the_rest(store: Store, heard: list[Event]) -> None:
    async def main() -> None:
        before, after = Phones(), Phones()
        before.gate.clear()
        async with notifying(store, SystemClock(), kinds=(before,)) as parts:
            await add_phones(parts)
            await parts.tell(OPENED, an_incident())
            await until(lambda: has_sent(before, 1))
            await parts.cut()
        async with notifying(store, SystemClock(), kinds=(after,)) as parts:
            parts.sender.wake.set()
            await parts.until_empty()
            assert before.sent == [(ANA, "incident.opened")]
            assert after.sent == [(BIA, "incident.opened")]
            assert await record(parts) == [(ANA, 1, Outcome.UNKNOWN), (BIA, 1, Outcome.DELIVERED)]
            assert settled(heard) == ["delivered", "unknown"]

    asyncio.run(main())


def test_of_two_hubs_that_think_they_lead_each_receiver_hears_one(store: Store) -> None:
    async def main() -> None:
        first, second = Phones(), Phones()
        async with (
            notifying(store, SystemClock(), kinds=(first,)) as parts,
            notifying(store, SystemClock(), kinds=(second,)) as others,
        ):
            await add_phones(parts)
            await parts.tell(OPENED, an_incident())
            others.sender.wake.set()
            await parts.until_empty()
            await others.until_landed()
            sent = [target for target, _ in (*first.sent, *second.sent)]
            assert sorted(sent) == sorted(set(sent))

    asyncio.run(main())


def test_a_channel_whose_kind_is_gone_keeps_its_messages(store: Store, clock: FakeClock) -> None:
    """The clock stands still: what waits to be tried again does not come between."""

    async def main() -> None:
        async with notifying(store, clock, kinds=(Phones(),)) as parts:
            channel_id = await add_phones(parts)
        async with notifying(store, clock) as parts:
            await parts.tell(OPENED, an_incident())
            await until(lambda: has_record(parts))
            await parts.until_landed()
            assert await parts.outbox_size() == 1
            assert (await record(parts))[0] == ("", 1, Outcome.RETRIED)
            with pytest.raises(InvalidField):
                await parts.add_channel("phones", {"numbers": [ANA]}, name="another")
        phones = Phones()
        async with notifying(store, clock, kinds=(phones,)) as parts:
            result = await parts.service.test_channel(channel_id)
            assert result.is_delivered
            assert phones.sent == [(ANA, "test"), (BIA, "test")]

    asyncio.run(main())


def test_a_test_says_of_each_receiver_what_became_of_it(store: Store) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.will(ANA, PERHAPS)
        (channel,), _ = await parts.service.channels()
        result = await parts.service.test_channel(channel.id)
        assert not result.is_delivered
        assert result.status == f"{ANA}: 400 Timed Out; {BIA}: 201"
        assert await record(parts) == [(ANA, 1, Outcome.UNKNOWN), (BIA, 1, Outcome.DELIVERED)]

    run(store, SystemClock(), body)


async def has_sent(phones: Phones, count: int) -> bool:
    await asyncio.sleep(0)
    return len(phones.sent) >= count


async def has_asked(phones: Phones) -> bool:
    await asyncio.sleep(0)
    return bool(phones.asked)


async def has_record(parts: Parts) -> bool:
    return bool(await record(parts))
