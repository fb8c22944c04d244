"""A message to an address: after the commit, in order, once; and its sender hears what became of it."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from atalaia.core.clock import Clock, SystemClock
from atalaia.core.errors import InvalidField
from atalaia.core.permissions import ROLE_PERMISSIONS, SYSTEM, Permission, Principal, Role
from atalaia.notify.model.channel import Outcome
from atalaia.notify.model.notice import NoticeKind
from atalaia.notify.queries import direct as queries
from atalaia.notify.queries.outbox import waiting
from atalaia.notify.service.direct import DirectMessages, shown_attempt
from atalaia.sdk.channels import ChannelKind, ChannelMessage, DirectMessage, Values
from atalaia.sdk.failures import NoSuchAddress, PermanentFailure, TemporaryFailure
from atalaia.sdk.messages import MessageDone, MessageFate
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, an_incident, notifying, until, wake
from tests.unit.notify.smtp_server import mail_server

NOT_SENT = TemporaryFailure("not connected", may_have_arrived=False)
PERHAPS = TemporaryFailure("400 Timed Out")
NOBODY = NoSuchAddress("+551191 is not there")
ANA, BIA = "+551191", "+551192"
MINUTE = timedelta(minutes=1)


class Phones(ChannelKind):
    """What happens is said beforehand, for each number in its turn."""

    name = "phones"
    title = "Phones"
    is_repeatable = False
    takes_direct = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.turns: dict[str, deque[Exception]] = {}
        self.gate = asyncio.Event()
        self.gate.set()

    def check(self, values: Values) -> dict[str, Any]:
        return dict(values)

    def describe(self, values: Values) -> str:
        return str(values)

    async def send(self, values: Values, message: ChannelMessage) -> str:
        raise NotImplementedError

    def check_address(self, address: str) -> str:
        if not address.startswith("+"):
            raise InvalidField("to", "a number with +")
        return address.replace(" ", "")

    async def send_direct(self, values: Values, message: DirectMessage) -> str:
        assert values == {}
        self.sent.append((message.to, message.text))
        await self.gate.wait()
        if self.turns.get(message.to):
            raise self.turns[message.to].popleft()
        return "201"


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


@pytest.fixture
def done(store: Store) -> list[MessageDone]:
    events: list[MessageDone] = []
    store.on(MessageDone, lambda _tx, event: events.append(event))
    return events


Body = Callable[[Parts, Phones], Coroutine[Any, Any, None]]


def run(store: Store, clock: Clock, body: Body) -> None:
    async def main() -> None:
        phones = Phones()
        async with notifying(store, clock, kinds=(phones,)) as parts:
            await body(parts, phones)

    asyncio.run(main())


async def send(parts: Parts, text: str, to: str = ANA, *, kind: str = "phones", **times: Any) -> str:
    direct = DirectMessages(parts.service.kinds, parts.clock)
    return await parts.store.write(
        lambda tx: direct.queue(tx, owner="me", kind=kind, to=to, subject="For a test", text=text, **times)
    )


def fates(done: list[MessageDone]) -> list[tuple[str, MessageFate]]:
    return [(each.to, each.fate) for each in done]


async def record(parts: Parts) -> list[tuple[str, int, Outcome]]:
    attempts, _ = await parts.service.deliveries()
    return [(each.target, each.attempt, Outcome(each.outcome)) for each in reversed(attempts)]


def test_it_is_sent_after_the_commit_and_then_forgotten(store: Store, done: list[MessageDone]) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        id_ = await send(parts, "olá", "+55 11 91")
        await parts.until_empty()
        assert phones.sent == [(ANA, "olá")]
        assert [(each.id, each.owner, each.status) for each in done] == [(id_, "me", "201")]
        assert fates(done) == [(ANA, MessageFate.DELIVERED)]
        attempts, _ = await parts.service.deliveries()
        (attempt,) = attempts
        assert (attempt.title, attempt.channel_name, attempt.incident_id) == ("For a test", "Phones", None)
        assert await store.read(lambda tx: queries.by_id(tx, [id_])) == {}

    run(store, SystemClock(), body)


def test_a_transaction_that_is_rolled_back_sends_nothing(store: Store) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        direct = DirectMessages(parts.service.kinds, parts.clock)

        def unit(tx: Tx) -> None:
            direct.queue(tx, owner="me", kind="phones", to=ANA, subject="s", text="t")
            raise RuntimeError

        with pytest.raises(RuntimeError):
            await store.write(unit)
        await parts.until_empty()
        assert phones.sent == []

    run(store, SystemClock(), body)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "webhook"}, "kind"),
        ({"to": "11 91"}, "to"),
        ({"subject": "  "}, "subject"),
        ({"subject": "a" * 201}, "subject"),
        ({"text": ""}, "text"),
        ({"text": "a" * 4001}, "text"),
    ],
)
def test_what_can_not_be_sent_is_refused_by_its_field(store: Store, wrong: dict[str, str], field: str) -> None:
    async def body(parts: Parts, _phones: Phones) -> None:
        direct = DirectMessages(parts.service.kinds, parts.clock)
        values: dict[str, Any] = {"owner": "me", "kind": "phones", "to": ANA, "subject": "s", "text": "t", **wrong}
        with pytest.raises(InvalidField) as refused:
            await store.write(lambda tx: direct.queue(tx, **values))
        assert refused.value.field == field

    run(store, SystemClock(), body)


def test_what_was_surely_not_sent_goes_again_and_holds_up_what_follows_to_that_address_alone(
    store: Store, clock: FakeClock, done: list[MessageDone]
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.turns[ANA] = deque([NOT_SENT])
        for text, to in (("one", ANA), ("two", ANA), ("three", BIA)):
            await send(parts, text, to)
        await until(lambda: have_been_tried(parts, 2))
        await parts.until_landed()
        assert sorted(phones.sent) == [(ANA, "one"), (BIA, "three")]
        await wake(parts, clock, 30)
        await parts.until_empty()
        assert [each for each in phones.sent if each[0] == ANA] == [(ANA, "one"), (ANA, "one"), (ANA, "two")]
        assert sorted(fates(done)) == [(ANA, "delivered"), (ANA, "delivered"), (BIA, "delivered")]

    run(store, clock, body)


@pytest.mark.parametrize(
    ("failure", "fate"),
    [
        (PERHAPS, MessageFate.UNKNOWN),
        (RuntimeError("a bug"), MessageFate.UNKNOWN),
        (NOBODY, MessageFate.REFUSED),
        (PermanentFailure("never"), MessageFate.FAILED),
    ],
)
def test_what_was_perhaps_sent_or_never_can_be_is_over_at_once(
    store: Store, clock: FakeClock, done: list[MessageDone], failure: Exception, fate: MessageFate
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.turns[ANA] = deque([failure])
        await send(parts, "one")
        await parts.until_empty()
        await wake(parts, clock, 3600)
        await parts.until_empty()
        assert phones.sent == [(ANA, "one")]
        assert fates(done) == [(ANA, fate)]

    run(store, clock, body)


def test_after_a_day_it_is_given_up(store: Store, clock: FakeClock, done: list[MessageDone]) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.turns[ANA] = deque([NOT_SENT] * 3)
        await send(parts, "one")
        await until(lambda: have_been_tried(parts, 1))
        await parts.until_landed()
        await wake(parts, clock, 25 * 3600)
        await parts.until_empty()
        assert fates(done) == [(ANA, MessageFate.FAILED)]

    run(store, clock, body)


def test_one_for_later_waits_and_holds_up_nothing_before_it(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        await send(parts, "later", not_before=clock.now() + 10 * MINUTE)
        await send(parts, "now")
        await until(lambda: have_been_tried(parts, 1))
        await parts.until_landed()
        assert phones.sent == [(ANA, "now")]
        await wake(parts, clock, 601)
        await parts.until_empty()
        assert phones.sent == [(ANA, "now"), (ANA, "later")]

    run(store, clock, body)


def test_what_would_come_too_late_is_not_sent(store: Store, clock: FakeClock, done: list[MessageDone]) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.turns[ANA] = deque([NOT_SENT])
        await send(parts, "one", expires_at=clock.now() + MINUTE)
        await until(lambda: have_been_tried(parts, 1))
        await parts.until_landed()
        await wake(parts, clock, 61)
        await parts.until_empty()
        assert phones.sent == [(ANA, "one")]
        assert fates(done) == [(ANA, MessageFate.EXPIRED)]
        assert (await record(parts))[-1] == (ANA, 2, Outcome.EXPIRED)

    run(store, clock, body)


def test_a_hub_that_stops_in_the_middle_leaves_an_unknown(store: Store, done: list[MessageDone]) -> None:
    async def main() -> None:
        before, after = Phones(), Phones()
        before.gate.clear()
        async with notifying(store, SystemClock(), kinds=(before,)) as parts:
            await send(parts, "one")
            await until(lambda: has_begun(before))
            await parts.cut()
        async with notifying(store, SystemClock(), kinds=(after,)) as parts:
            parts.sender.wake.set()
            await parts.until_empty()
        assert before.sent == [(ANA, "one")]
        assert after.sent == []
        assert fates(done) == [(ANA, MessageFate.UNKNOWN)]

    asyncio.run(main())


def test_of_two_hubs_that_think_they_lead_one_sends(store: Store) -> None:
    async def main() -> None:
        first, second = Phones(), Phones()
        async with (
            notifying(store, SystemClock(), kinds=(first,)) as parts,
            notifying(store, SystemClock(), kinds=(second,)) as others,
        ):
            for number in range(20):
                await send(parts, str(number))
                others.sender.wake.set()
            await parts.until_empty()
            await others.until_landed()
        sent = [text for _, text in (*first.sent, *second.sent)]
        assert sorted(sent, key=int) == [str(number) for number in range(20)]

    asyncio.run(main())


def test_one_that_is_withdrawn_is_not_sent_unless_it_is_under_way(
    store: Store, clock: FakeClock, done: list[MessageDone]
) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        direct = DirectMessages(parts.service.kinds, clock)
        later = await send(parts, "later", not_before=clock.now() + MINUTE)
        assert not await store.write(lambda tx: direct.withdraw(tx, later, owner="another"))
        assert await store.write(lambda tx: direct.withdraw(tx, later, owner="me"))
        assert not await store.write(lambda tx: direct.withdraw(tx, later, owner="me"))
        phones.gate.clear()
        now = await send(parts, "now")
        await until(lambda: has_begun(phones))
        assert not await store.write(lambda tx: direct.withdraw(tx, now, owner="me"))
        phones.gate.set()
        await wake(parts, clock, 61)
        await parts.until_empty()
        assert phones.sent == [(ANA, "now")]
        assert [each.id for each in done] == [now]

    run(store, clock, body)


def test_one_whose_kind_is_gone_waits_for_it(store: Store, clock: FakeClock) -> None:
    async def main() -> None:
        async with notifying(store, clock, kinds=(Phones(),)) as parts:
            await send(parts, "one", not_before=clock.now() + MINUTE)
        async with notifying(store, clock) as parts:
            await wake(parts, clock, 61)
            await until(lambda: have_been_tried(parts, 1))
            await parts.until_landed()
            assert await parts.outbox_size() == 1
        phones = Phones()
        async with notifying(store, clock, kinds=(phones,)) as parts:
            await wake(parts, clock, 60)
            await parts.until_empty()
        assert phones.sent == [(ANA, "one")]

    asyncio.run(main())


def test_mail_goes_by_way_of_the_oldest_channel_that_is_on(store: Store, clock: FakeClock) -> None:
    async def main() -> None:
        async with mail_server() as box, notifying(store, clock) as parts:
            direct = DirectMessages(parts.service.kinds, clock)
            (kind,) = await store.read(direct.kinds)
            assert (kind.name, kind.is_ready) == ("email", False)
            await send(parts, "olá\nvizinha", "Ana <ana@x.test>", kind="email")
            await until(lambda: have_been_tried(parts, 1))
            await parts.until_landed()
            values = {"host": "localhost", "port": box.port, "sender": "hub@x.test", "recipients": ["ops@x.test"]}
            await parts.add_channel("email", {**values, "security": "none"}, name="mail", is_routed=False)
            assert (await store.read(direct.kinds))[0].is_ready
            await wake(parts, clock, 60)
            await parts.until_empty()
            (mail,) = box.mails
            assert (mail["To"], mail["Subject"]) == ("Ana <ana@x.test>", "For a test")
            assert mail.get_content().split() == ["olá", "vizinha"]

    asyncio.run(main())


def test_an_alert_goes_before_what_people_are_told(store: Store, clock: FakeClock) -> None:
    async def body(parts: Parts, _phones: Phones) -> None:
        await send(parts, "one", not_before=clock.now() + MINUTE)
        channel = await parts.add_webhook("http://127.0.0.1:9/", group_wait_s=0)
        await parts.tell(NoticeKind.OPENED, an_incident(), at=clock.now() + MINUTE)
        rows = await store.read(lambda tx: outbox_rows(tx, clock))
        assert [row.channel_id for row in rows] == [channel, "direct:phones"]

    run(store, clock, body)


def test_an_address_is_shown_in_part_to_who_does_not_look_after_channels(store: Store) -> None:
    async def body(parts: Parts, phones: Phones) -> None:
        phones.turns["+5511912345678"] = deque([NoSuchAddress("5511912345678 is not there")])
        await send(parts, "one", "+5511912345678")
        await parts.until_empty()
        attempts, _ = await parts.service.deliveries()
        reader = principal(ROLE_PERMISSIONS[Role.AGENT] - {Permission.CHANNELS_WRITE})
        shown = shown_attempt(attempts[0], reader)
        assert "12345" not in repr(shown)
        assert shown.target == "+55•••78"
        assert shown_attempt(attempts[0], SYSTEM) == attempts[0]

    run(store, SystemClock(), body)


def principal(permissions: frozenset[Permission]) -> Principal:
    return Principal(id="p", kind="person", name="p", permissions=permissions)


def outbox_rows(tx: Tx, clock: Clock) -> list[Any]:
    return waiting(tx, now=clock.now() + 2 * MINUTE, limit=10)


async def have_been_tried(parts: Parts, count: int) -> bool:
    return len(await record(parts)) >= count


async def has_begun(phones: Phones) -> bool:
    await asyncio.sleep(0)
    return bool(phones.sent)
