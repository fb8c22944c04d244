"""When everything breaks at once, and heals one by one, a phone gets few messages, and every incident is in them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from atalaia.notify.model.notice import IncidentBrief, IncidentNotice, NoticeKind
from atalaia.notify.model.storm import AT_MOST
from atalaia.notify.service.incidents import notify_incident
from atalaia.sdk.channels import ChannelField, ChannelKind, ChannelMessage, Values, take_fields
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.notify_parts import Parts, a_check, an_incident, notifying, wake

INCIDENTS = 300
TOGETHER = 10


class Phone(ChannelKind):
    name = "phone"
    title = "Phone"
    fields = (ChannelField("number", "Number"),)

    def __init__(self) -> None:
        self.messages: list[ChannelMessage] = []

    def check(self, values: Values) -> dict[str, Any]:
        return take_fields(self.fields, values)

    def describe(self, values: Values) -> str:
        return str(values["number"])

    async def send(self, values: Values, message: ChannelMessage) -> str:
        assert values["number"]
        self.messages.append(message)
        await asyncio.sleep(0)
        return "201"

    def told(self, event: str) -> Counter[str]:
        return Counter(item.incident_id for each in self.messages if each.event == event for item in each.items)


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store("access", "notify")


def test_hundreds_that_break_and_heal_within_minutes_are_few_messages(store: Store, clock: FakeClock) -> None:
    async def main() -> None:
        phone = Phone()
        async with notifying(store, clock, kinds=(phone,)) as parts:
            await parts.add_channel("phone", {"number": "1"}, repeat_interval_s=0)
            incidents = [an_incident(f"i{number}", id=f"{number:032}") for number in range(INCIDENTS)]
            for kind in (NoticeKind.OPENED, NoticeKind.RECOVERED):
                for start in range(0, INCIDENTS, TOGETHER):
                    await _tell(parts, kind, incidents[start : start + TOGETHER])
                    await _pass(parts, clock, seconds=1)
                await _pass(parts, clock, seconds=61)
                await _pass(parts, clock, seconds=61)
            await parts.until_empty()
        each_once = dict.fromkeys((incident.id for incident in incidents), 1)
        assert phone.told("incident.opened") == each_once
        assert phone.told("incident.recovered") == each_once
        assert len(phone.messages) <= 4 * AT_MOST

    asyncio.run(main())


async def _tell(parts: Parts, kind: NoticeKind, incidents: Sequence[IncidentBrief]) -> None:
    """As the watch tells what it has found in one look: in one transaction."""
    notices = [IncidentNotice(kind=kind, incident=each, check=a_check()) for each in incidents]

    def unit(tx: Tx) -> None:
        for notice in notices:
            notify_incident(tx, notice, now=parts.clock.now())

    await parts.store.write(unit)


async def _pass(parts: Parts, clock: FakeClock, *, seconds: float) -> None:
    await wake(parts, clock, seconds)
    await parts.until_landed()
