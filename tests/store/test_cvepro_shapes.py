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


def known_fields() -> list[str]:
    """All that the vendor is known to tell, of a session that is over too."""
    session = sessions_of(7, FEW, date(2026, 1, 15))[0]
    charger = charger_item(session.charger, session, session.stop)
    told = (charger, transaction_item(session, session.stop), active_item(session, session.start), tag_item("04A1", 1))
    return sorted({*names_in(list(told)), *TOP})


CHANGES: dict[str, Any] = {
    "missing": lambda name: {"drop": [name]},
    "null": lambda name: {"null": [name]},
    "of another type": lambda name: {"retype": [name]},
    "renamed": lambda name: {"rename": {name: f"{name}New"}},
}


async def is_whole(site: Site, what: str) -> None:
    found = await site.dashboard()
    assert len(found["data"]) == FEW, what
    assert all(item["statusConector"] and item["tipoConector"] and item["velocidade"] for item in found["data"]), what
    html = await site.page("/cvepro/cards")
    assert html.count("data-key=") == FEW, what
    for item in (await site.board.look()).shown:
        shown = await site.page("/cvepro/chargers/{key}", path_params={"key": item.charger.key})
        assert item.charger.name in shown, what
    assert "<table" in await site.page("/cvepro/sessions"), what


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_becomes_of_a_field_the_pages_are_whole(make_store: MakeStore, clock: FakeClock, change: str) -> None:
    fields = known_fields()
    assert len(fields) > 40

    async def act(site: Site) -> None:
        await site.reading.chargers()
        await site.reading.sessions()
        for name in fields:
            site.fault(**{"drop": None, "null": None, "retype": None, "rename": None, **CHANGES[change](name)})
            clock.advance(30)
            await site.read()
            await read_sessions(site)
            await is_whole(site, f"{name} {change}")
        site.fault()
        assert await site.read() is None
        await site.reading.sessions()
        assert site.host.faults == {}, "well again, nothing is left open"

    options = Options(chargers=FEW, now=lambda: clock.now().timestamp())
    in_site(make_store(SLICE), clock, act, options=options)


async def read_sessions(site: Site) -> None:
    try:
        await site.reading.sessions()
    except AtalaiaError as error:
        await site.reading.failed("sessions", error)


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
