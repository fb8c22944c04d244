"""Every field of the vendor's answers missing, null, of another type, or under another name, one at a time.

Never a failure of ours, never a blank page; what could not be read is named once.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from atalaia.core.errors import AtalaiaError
from atalaia_simulators.cvepro.site import Options
from atalaia_simulators.cvepro.traffic import sessions_of
from atalaia_simulators.cvepro.words import active_item, charger_item, tag_item, transaction_item
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, Site, in_site

TOP = ("chargePointList", "count", "error", "list", "token", "expiresAt")
FEW = 3


def names_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, found in value.items():
            yield key
            yield from names_in(found)
    elif isinstance(value, list):
        for each in value:
            yield from names_in(each)


def known_fields() -> dict[str, set[str]]:
    """All that the vendor is known to tell, of a session that is over too, each with the lists that have it."""
    session = sessions_of(7, FEW, date(2026, 1, 15))[0]
    told = {
        "chargers": charger_item(session.charger, session, session.stop),
        "sessions": transaction_item(session, session.stop),
        "active": active_item(session, session.start),
        "tags": tag_item("04A1", 1),
    }
    found: dict[str, set[str]] = {name: set(told) for name in TOP}
    for list_, item in told.items():
        for name in names_in(item):
            found.setdefault(name, set()).add(list_)
    return found


CHANGES: dict[str, Any] = {
    "missing": lambda name: {"drop": [name]},
    "null": lambda name: {"null": [name]},
    "of another type": lambda name: {"retype": [name]},
    "renamed": lambda name: {"rename": {name: f"{name}New"}},
}


async def is_whole(site: Site, what: str, n: int) -> None:
    """`n`: of all chargers one has its own page looked at, each in its turn."""
    found = await site.dashboard()
    assert len(found["data"]) == FEW, what
    assert all(item["statusConector"] and item["tipoConector"] and item["velocidade"] for item in found["data"]), what
    html = await site.page("/cvepro/cards")
    assert html.count("data-key=") == FEW, what
    charger = (await site.board.look()).shown[n % FEW].charger
    assert charger.name in await site.page("/cvepro/chargers/{key}", path_params={"key": charger.key}), what
    assert "<table" in await site.page("/cvepro/sessions"), what
    plan = await site.page("/cvepro/plan/now")
    assert plan.count("data-key=") >= FEW, what
    assert "<svg" in plan or "the cards alone" in plan, what


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_becomes_of_a_field_the_pages_are_whole(make_store: MakeStore, clock: FakeClock, change: str) -> None:
    fields = known_fields()
    assert len(fields) > 40

    async def act(site: Site) -> None:
        await site.reading.chargers()
        await site.reading.sessions()
        for n, (name, lists) in enumerate(sorted(fields.items())):
            site.fault(**{"drop": None, "null": None, "retype": None, "rename": None, **CHANGES[change](name)})
            clock.advance(30)
            if "chargers" in lists:
                await site.read()
            await read_besides(site, lists)
            await is_whole(site, f"{name} {change}", n)
        site.fault()
        assert await site.read() is None
        await read_besides(site, {"sessions", "active", "tags"})
        assert site.host.faults == {}, "well again, nothing is left open"

    options = Options(chargers=FEW, now=lambda: clock.now().timestamp())
    in_site(make_store(SLICE), clock, act, options=options, tags_path="tags", active_path="transaction/active")


async def read_besides(site: Site, lists: set[str]) -> None:
    readings = {"sessions": site.reading.sessions, "active": site.offered.active, "tags": site.offered.tags}
    for name in sorted(lists & readings.keys()):
        try:
            await readings[name]()
        except AtalaiaError as error:
            await site.reading.failed(name, error)


def test_a_field_that_most_items_lack_is_one_incident_with_its_path(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(rename={"lastHeartbeatTimestamp": "lastSeen"})
        for _ in range(3):
            assert await site.read() is None
        assert site.host.told == ["shape:chargePointList[].lastHeartbeatTimestamp"]
        assert "lastHeartbeatTimestamp" in await site.page("/cvepro/cards")
        site.fault(rename={"chargePointList": "chargeBoxes"})
        assert await site.read() is not None
        assert "shape:chargePointList" in site.host.faults
        assert (await site.dashboard())["stale"] is True

    in_site(make_store(SLICE), clock, act)


def test_a_field_that_this_account_never_gives_is_not_missed(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(drop=["fwVersion"])
        await site.read()
        assert site.host.told == []

    in_site(make_store(SLICE), clock, act, absent_fields=["chargePointList[].fwVersion"])
