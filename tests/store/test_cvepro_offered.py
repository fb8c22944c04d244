"""Lists that an account may offer besides: sessions under way come sooner, tags are known; where it has none, that is no incident."""

import asyncio
from typing import Any

from atalaia.integrations.cvepro.cloud.polling import Polling
from atalaia.integrations.cvepro.cloud.standing import Standing
from atalaia.integrations.cvepro.model.feeds import ACTIVE, TAGS, Feed
from atalaia.integrations.cvepro.queries import cloud_tags, sessions
from atalaia.integrations.cvepro.queries.chargers import feed
from atalaia.integrations.cvepro.queries.sessions import SessionFilter
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, Site, in_site

PATHS: dict[str, Any] = {"tags_path": "/tags/", "active_path": "transaction/active"}


def test_sessions_under_way_are_kept_before_the_list_has_them_and_once(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        site.fault(late_s=86_400)
        await site.reading.chargers()
        await site.reading.sessions()
        await site.offered.active()
        known = await site.host.read(sessions.active)
        assert known
        assert all(each.tag and each.so_far_mwh is not None for each in known)
        site.fault()
        clock.advance(12 * 3600)
        await site.reading.sessions()
        found = await site.host.read(lambda tx: sessions.page(tx, SessionFilter(), limit=500))
        ended = {each.id: each for each in found}
        assert len(ended) == len(found)
        assert all(not ended[each.id].is_active and not ended[each.id].doubts for each in known)
        assert site.host.told == []

    in_site(make_store(SLICE), clock, act, **PATHS)


def test_an_end_is_not_taken_back_by_a_list_that_is_behind(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        row = {"id": 77, "chargeBoxId": "CVE-001", "startTimestamp": "15/01/2026 08:00:00"}
        ended = {**row, "stopTimestamp": "15/01/2026 08:30:00", "energy": 2000, "startValue": 10, "stopValue": 2010}
        assert site.simulator.post("/_sim/transactions", ended).status == 200
        await site.reading.sessions()
        site.fault(rename={"transactionId": "id"})
        await site.offered.active()
        found = await site.host.read(lambda tx: sessions.some(tx, ["77"]))
        assert found["77"].energy_mwh == 2_000_000

    in_site(make_store(SLICE), clock, act, **PATHS)


def test_tags_are_known_and_those_of_nobody_here_listed(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        await site.offered.tags()
        unclaimed = await site.host.read(cloud_tags.unclaimed)
        assert len(unclaimed) == await site.host.read(cloud_tags.count) > 40
        assert any(each.user_name is None for each in unclaimed)
        site.fault(empty=True)
        await site.offered.tags()
        assert await site.host.read(cloud_tags.count) == 0

    in_site(make_store(SLICE), clock, act, **PATHS)


def test_an_answer_is_read_wherever_its_one_list_is(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(site: Site) -> None:
        for rename in ({"list": "ocppTags"}, {"idTag": "ocppIdTag"}, {"userName": "name", "active": "enabled"}):
            site.fault(rename=rename)
            await site.offered.tags()
            assert await site.host.read(cloud_tags.count) > 40
            assert site.host.told == []
        site.fault(rename={"idTag": "whatever"})
        await site.offered.tags()
        assert site.host.told == ["shape:tags[].idTag"]
        assert "tags[].idTag" in await site.page("/cvepro/cards")
        site.fault()
        await site.offered.tags()
        assert site.host.faults == {}

    in_site(make_store(SLICE), clock, act, **PATHS)


class Pace:
    """The polling of a site, turn by turn."""

    def __init__(self, site: Site) -> None:
        self.site = site
        host: Any = site.host
        self.polling = Polling(host, site.reading, site.offered, Standing(host))

    async def look(self) -> None:
        """What is due is begun, and waited for."""
        await self.polling.look()
        await asyncio.gather(*(turn.task for turn in self.polling._turns if turn.task is not None))
        await self.polling.look()

    async def feed(self, name: str) -> Feed:
        return await self.site.host.read(lambda tx: feed(tx, name))

    def asked(self, path: str) -> int:
        return sum(row["path"].endswith(path) for row in self.site.simulator.get("/_sim/log").json)


def paced(make_store: MakeStore, clock: FakeClock, act: Any, **given: Any) -> None:
    async def main(site: Site) -> None:
        pace = Pace(site)
        await pace.look()  # the chargers
        await act(pace)

    in_site(make_store(SLICE), clock, main, **given)


def test_what_an_account_does_not_offer_is_said_once_and_no_incident(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(pace: Pace) -> None:
        pace.site.fault(list_status={"value": 404, "only": {"path": "tags"}})
        for _ in range(6):
            clock.advance(60)
            await pace.look()
        assert (await pace.feed(TAGS)).is_refused
        assert pace.site.host.told == []
        assert pace.asked("tags") == 1
        assert (await pace.site.page("/cvepro/cards")).count("Not offered by this account") == 1
        pace.site.host.settings["tags_path"] = "tags?page=1"
        pace.site.fault()
        await pace.look()
        assert (await pace.feed(TAGS)).is_well, "asked anew as soon as it is called otherwise"

    paced(make_store, clock, act, tags_path="tags", tags_every_s=60.0)


def test_what_fails_after_it_has_worked_is_an_incident_and_ends(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(pace: Pace) -> None:
        await pace.look()
        assert (await pace.feed(ACTIVE)).is_well
        pace.site.fault(list_status={"value": 404, "only": {"path": "active"}})
        for _ in range(6):
            clock.advance(60)
            await pace.look()
        assert pace.site.host.told == ["feed:active"]
        assert (pace.site.host.faults["feed:active"].severity, pace.polling.is_well) == ("warning", True)
        pace.site.fault()
        clock.advance(61)
        await pace.look()
        assert pace.site.host.faults == {}

    paced(make_store, clock, act, active_path="transaction/active")


def test_what_nobody_asks_for_any_more_is_forgotten_with_its_incident(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(pace: Pace) -> None:
        await pace.look()
        pace.site.fault(list_status={"value": 503, "only": {"path": "tags"}})
        for _ in range(4):
            clock.advance(61)
            await pace.look()
        assert pace.site.host.told == ["feed:tags"]
        pace.site.host.settings["tags_path"] = ""
        await pace.look()
        assert (await pace.feed(TAGS), pace.site.host.faults) == (Feed(name=TAGS), {})
        assert await pace.site.host.read(cloud_tags.count) == 0

    paced(make_store, clock, act, tags_path="tags", tags_every_s=60.0)


def test_however_often_the_doorbell_rings_a_list_is_read_once_in_two_seconds(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(pace: Pace) -> None:
        before = pace.asked("chargepoints")
        for _ in range(100):
            pace.polling.ring()
            await pace.look()
        assert pace.asked("chargepoints") == before
        for _ in range(10):
            clock.advance(1)
            for _ in range(5):
                pace.polling.ring()
            await pace.look()
        assert pace.asked("chargepoints") == before + 5

    paced(make_store, clock, act)


def test_whatever_else_fails_does_not_keep_the_chargers_from_being_read(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(pace: Pace) -> None:
        await pace.look()
        for path in ("transaction", "active", "tags"):
            pace.site.fault(list_status={"value": 502, "only": {"path": path}})
            for _ in range(12):
                clock.advance(30)
                await pace.look()
                found = await pace.site.dashboard()
                assert "stale" not in found, path

    paced(make_store, clock, act, **PATHS, tags_every_s=30.0)
