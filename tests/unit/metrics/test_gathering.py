"""Bodies that come at once go to the store together; one that is alone goes at once."""

import asyncio

import pytest

from atalaia.metrics.service import gathering
from atalaia.metrics.service.gathering import Gathering


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that nothing goes for having waited long."""
    monkeypatch.setattr(gathering, "LONGEST_S", 600.0)


@pytest.mark.usefixtures("never")
def test_a_body_that_is_alone_waits_for_nobody() -> None:
    async def send() -> None:
        gathered = Gathering()
        with gathered.expected():
            pass
        await asyncio.wait_for(gathered.together(), 60)

    asyncio.run(send())


@pytest.mark.usefixtures("never")
def test_a_body_waits_for_those_that_are_being_read() -> None:
    async def send() -> list[str]:
        gathered, said = Gathering(), []
        rest = asyncio.Event()

        async def one(name: str, *, waits: bool) -> None:
            with gathered.expected():
                if waits:
                    await rest.wait()
            said.append(f"{name} read")
            await gathered.together()
            said.append(f"{name} goes")

        tasks = [asyncio.create_task(one("quick", waits=False)), asyncio.create_task(one("slow", waits=True))]
        for _ in range(20):
            await asyncio.sleep(0)
        assert said == ["quick read"]
        rest.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        return said

    assert asyncio.run(send()) == ["quick read", "slow read", "quick goes", "slow goes"]


@pytest.mark.usefixtures("never")
def test_enough_of_them_wait_for_no_more() -> None:
    async def send() -> None:
        gathered = Gathering()
        with gathered.expected():  # somebody whose body never comes
            await asyncio.wait_for(asyncio.gather(*(gathered.together() for _ in range(gathering.ENOUGH))), 60)

    asyncio.run(send())


def test_nobody_waits_long_for_a_body_that_does_not_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "LONGEST_S", 0.001)

    async def send() -> None:
        gathered = Gathering()
        with gathered.expected():
            await asyncio.wait_for(gathered.together(), 60)

    asyncio.run(send())


@pytest.mark.usefixtures("never")
def test_one_that_gives_up_holds_up_nobody() -> None:
    async def send() -> None:
        gathered = Gathering()
        with gathered.expected():
            gone = asyncio.create_task(gathered.together())
            stays = asyncio.create_task(gathered.together())
            await asyncio.sleep(0)
            gone.cancel()
            await asyncio.sleep(0)
        await asyncio.wait_for(stays, 60)
        assert gone.cancelled()

    asyncio.run(send())
