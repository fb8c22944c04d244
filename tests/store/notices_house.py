"""A house whose residents are told of their charging: on a real store and outbox, with a phone that is held in the hand."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace
from sqlalchemy import insert

from atalaia.core.errors import InvalidField
from atalaia.integrations.cvepro.manifest import SETTINGS
from atalaia.integrations.cvepro.model.chargers import Charger, Connector
from atalaia.integrations.cvepro.model.notices import Notice, NoticeKind
from atalaia.integrations.cvepro.model.sessions import Session
from atalaia.integrations.cvepro.queries import notices as queries
from atalaia.integrations.cvepro.queries.notices import NoticeFilter
from atalaia.integrations.cvepro.service.keeping import keep_chargers, keep_sessions
from atalaia.integrations.cvepro.service.notices import Notices
from atalaia.integrations.cvepro.service.telling import Telling
from atalaia.integrations.cvepro.tables import residents, tags, waits
from atalaia.notify.service.direct import DirectMessages
from atalaia.sdk.channels import ChannelKind, ChannelMessage, DirectMessage, Values
from atalaia.sdk.messages import MessageDone, MessageKind
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, notifying, wake

NOON = datetime(2026, 1, 15, 15, 0, tzinfo=UTC)  # by the condominium's clock
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ANA, BIA = "+5511912345678", "+5521987654321"
ALL = tuple(str(each) for each in NoticeKind)
SESSION = Session(id="s1", box_id="B1", connector="1", tag="04:a2", started_at=NOON - MINUTE)


class WhatsApp(ChannelKind):
    name = "whatsapp"
    title = "WhatsApp"
    is_repeatable = False
    takes_direct = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []
        self.turns: deque[Exception] = deque()
        self.is_set_up = True
        self.answers = False

    def takes_answers(self) -> bool:
        return self.answers

    def is_ready(self) -> bool:
        return self.is_set_up

    def check(self, values: Values) -> dict[str, Any]:
        return dict(values)

    def describe(self, values: Values) -> str:
        return str(values)

    async def send(self, values: Values, message: ChannelMessage) -> str:
        raise NotImplementedError

    def check_address(self, address: str) -> str:
        if len(address) < 8:
            raise InvalidField("to", "no number")
        return address

    async def send_direct(self, values: Values, message: DirectMessage) -> str:  # noqa: ARG002 - the contract's form
        if self.turns:
            raise self.turns.popleft()
        self.sent.append((message.to, message.text))
        return "201 PENDING"


@dataclass
class House:
    """sdk.integration.Host, as far as notices need it, on the real outbox."""

    store: Store
    clock: FakeClock
    parts: Parts
    phones: WhatsApp
    settings: dict[str, Any] = field(
        default_factory=lambda: {each.key.rpartition(".")[2]: each.default for each in SETTINGS}
    )
    audited: list[str] = field(default_factory=list)
    public_url: str = "https://hub.test"

    def __post_init__(self) -> None:
        self._direct = DirectMessages(self.parts.service.kinds, self.clock)
        host: Any = self
        self.notices = Notices(host)
        self.telling = Telling(host, self.notices)

    def setting(self, name: str) -> Any:
        return self.settings[name]

    def message(self, tx: Tx, **message: Any) -> str:
        return self._direct.queue(tx, owner="cvepro", **message)

    def withdraw_message(self, tx: Tx, message_id: str) -> bool:
        return self._direct.withdraw(tx, message_id, owner="cvepro")

    def message_kinds(self, tx: Tx) -> Sequence[MessageKind]:
        return self._direct.kinds(tx)

    def audit(self, tx: Tx, *, action: str, **_rest: Any) -> None:
        tx.after_commit(lambda: self.audited.append(action))

    async def write(self, unit: Callable[[Tx], Any]) -> Any:
        return await self.store.write(unit)

    async def settle(self, *, then_s: float = 0) -> None:
        """All has been sent; then so much time goes by."""
        await self.parts.until_empty()
        await self.pass_s(then_s)

    async def pass_s(self, seconds: float) -> None:
        await wake(self.parts, self.clock, seconds)

    async def people(self, *rows: dict[str, Any]) -> None:
        await self.store.write(lambda tx: tx.execute(insert(residents), list(rows)))

    async def tag(self, tag: str, resident_id: str, **span: Any) -> None:
        row = {"id": tag + resident_id, "tag": tag, "resident_id": resident_id, **span}
        await self.store.write(lambda tx: tx.execute(insert(tags), [row]))

    async def wait(self, resident_id: str, key: str, asked_at: datetime) -> None:
        row = {"resident_id": resident_id, "charger_key": key, "asked_at": asked_at}
        await self.store.write(lambda tx: tx.execute(insert(waits), [row]))

    async def waiting(self) -> list[str]:
        rows = await self.store.read(lambda tx: tx.rows(waits.select().order_by(waits.c.asked_at)))
        return [row.resident_id for row in rows]

    async def keep(self, *sessions: Session) -> None:
        now = self.clock.now()
        await self.store.write(lambda tx: keep_sessions(tx, sessions, now=now, telling=self.telling))

    async def charger(self, status: str, *, at: datetime | None = None, key: str = "B1", more: str = "") -> None:
        plugs = [Connector(number="1", status=status, status_at=at)]
        plugs += [Connector(number="2", status=more)] if more else []
        found = [Charger(key=key, box_id=key, description=f"Vaga {key}", connectors=tuple(plugs))]
        now = self.clock.now()
        await self.store.write(lambda tx: keep_chargers(tx, found, now=now, telling=self.telling))

    async def record(self, **wanted: Any) -> list[Notice]:
        listed = await self.store.read(lambda tx: queries.page(tx, NoticeFilter(**wanted), limit=50))
        return [each.notice for each in reversed(listed)]

    async def fates(self) -> list[tuple[str, str]]:
        return [(each.kind, each.fate) for each in await self.record()]


def resident(id: str, name: str, phone: str | None, **more: Any) -> dict[str, Any]:
    at = NOON - 24 * HOUR
    base = {"id": id, "name": name, "flat": f"A {id}", "phone": phone, "locale": "pt-BR", "opted_in_at": at}
    return {**base, "notices": list(ALL), "is_active": True, "created_at": at, "changed_at": at, **more}


Body = Callable[[House], Coroutine[Any, Any, None]]


@asynccontextmanager
async def a_house(store: Store, clock: FakeClock) -> AsyncIterator[House]:
    phones = WhatsApp()
    async with notifying(store, clock, kinds=(phones,)) as parts:
        house = House(store, clock, parts, phones)
        store.on(MessageDone, house.notices.on_message)
        yield house


def run(store: Store, clock: FakeClock, body: Body, *, people: Sequence[dict[str, Any]] = ()) -> None:
    """Ana has the tag 04A2, and wants all notices."""

    async def main() -> None:
        async with a_house(store, clock) as house:
            await house.people(*(people or (resident("1", "Ana Souza", ANA),)))
            await house.tag("04A2", "1")
            await body(house)

    asyncio.run(main())


def ended(**more: Any) -> Session:
    """An hour and 40 minutes from now."""
    end: dict[str, Any] = {"stopped_at": NOON + 100 * MINUTE, "energy_mwh": 12_340_000, "cost_micros": 9_870_000}
    return replace(SESSION, **{**end, "stop_reason": "EVDisconnected", **more})
