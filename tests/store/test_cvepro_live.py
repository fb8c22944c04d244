"""The live connection by itself: a hub that does not lead any more lets go of it, and what is set otherwise is connected to anew."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from atalaia.integrations.cvepro.cloud.live import Live
from atalaia.integrations.cvepro.model.feeds import LIVE, Feed
from atalaia.integrations.cvepro.queries.chargers import feed
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.cvepro_site import SLICE, Site, in_site

MOST_S = 60.0


class Bell:
    def __init__(self, site: Site) -> None:
        self.site = site
        self.rings = 0
        host: Any = site.host
        self.live = Live(host, site.reading, site.offered, ring=self._ring, is_cloud_well=lambda: True)
        host.settings["live_url"] = f"ws{str(host.settings['base_url']).removeprefix('http')}/api/v1/live"

    def _ring(self) -> None:
        self.rings += 1

    async def connections(self) -> int:
        found = await asyncio.to_thread(self.site.simulator.made, "/_sim/ring", {"times": 0})
        return int(found["connections"])

    async def feed(self) -> Feed:
        return await self.site.host.read(lambda tx: feed(tx, LIVE))

    async def until(self, holds: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(MOST_S):
            while not await holds():  # noqa: ASYNC110 - asked of another process
                await asyncio.sleep(0.02)


def belled(make_store: MakeStore, clock: FakeClock, act: Callable[[Bell], Awaitable[None]]) -> None:
    async def main(site: Site) -> None:
        bell = Bell(site)
        try:
            await bell.live.look()
            await bell.until(lambda: has(bell, 1))
            await act(bell)
        finally:
            await bell.live.stop()

    in_site(make_store(SLICE), clock, main)


async def has(bell: Bell, count: int) -> bool:
    return await bell.connections() == count and (count == 0 or bell.rings > 0)


def test_once_up_it_is_well_and_everything_is_read_at_once(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(bell: Bell) -> None:
        assert (await bell.feed()).is_well
        before = bell.rings
        assert before >= 1, "what changed while nobody listened"
        await asyncio.to_thread(bell.site.simulator.made, "/_sim/ring", {"times": 3})
        await bell.until(lambda: rung(bell, before))

    belled(make_store, clock, act)


async def rung(bell: Bell, before: int) -> bool:
    return bell.rings > before


def test_a_hub_that_does_not_lead_any_more_lets_go_of_it(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(bell: Bell) -> None:
        clock.advance(11)
        await bell.until(lambda: has(bell, 0))
        assert (await bell.feed()).is_well, "what is so is for the next one to say"
        await bell.live.look()
        await bell.until(lambda: has(bell, 1))

    belled(make_store, clock, act)


def test_what_is_not_set_any_more_is_closed_and_forgotten(make_store: MakeStore, clock: FakeClock) -> None:
    async def act(bell: Bell) -> None:
        bell.site.host.settings["live_url"] = ""
        await bell.live.look()
        await bell.until(lambda: has(bell, 0))
        assert await bell.feed() == Feed(name=LIVE)

    belled(make_store, clock, act)


def test_a_wrong_destination_is_told_as_a_loss_in_the_other_side_s_words(
    make_store: MakeStore, clock: FakeClock
) -> None:
    async def act(bell: Bell) -> None:
        bell.site.host.settings["live_destination"] = "/topic/none"
        await bell.live.look()
        await bell.until(lambda: has_failed(bell, 1))
        since = (await bell.feed()).failing_since
        clock.advance(1)
        # It was said to be well with each new line until the refusal came: no outage ever lasted.
        await bell.until(lambda: has_failed(bell, 2))
        assert (await bell.feed()).failing_since == since
        assert "no such destination" in str((await bell.feed()).error)
        for _ in range(5):
            clock.advance(9)
            await bell.live.look()
            clock.advance(30)
            await bell.live.look()
        assert bell.site.host.told == ["feed:live"]
        bell.site.host.settings["live_destination"] = "/topic/chargepoints"
        await bell.live.look()
        await bell.until(lambda: is_over(bell))

    belled(make_store, clock, act)


async def has_failed(bell: Bell, count: int) -> bool:
    return (await bell.feed()).failures >= count


async def is_over(bell: Bell) -> bool:
    return bell.site.host.faults == {}
