"""Of bodies whose series nobody knows, one is read with care, and the others wait for it."""

import asyncio

import pytest

from atalaia.metrics.service.newcomers import Newcomers, first_series


@pytest.mark.parametrize(
    ("body", "first"),
    [
        (b'up{host="a"} 1\nup{host="b"} 0\n', b'up{host="a"}'),
        (b"# HELP up Is it?\n# TYPE up gauge\nup 1\n", b"up"),
        (b"\n up 1\n", b"up"),
        (b"# nothing", b""),
        (b"", b""),
        (b" \n", b""),
    ],
)
def test_a_body_is_known_by_its_first_series(body: bytes, first: bytes) -> None:
    assert first_series(body) == first
    assert Newcomers({first}).knows(body)
    assert not Newcomers({b"other"}).knows(body)


def test_the_second_waits_until_the_first_is_through_and_another_does_not() -> None:
    async def come() -> list[str]:
        newcomers, said, kept = Newcomers(set()), [], asyncio.Event()

        async def one(name: str, body: bytes) -> None:
            async with newcomers.introduced(body):
                said.append(f"{name} comes in")
                if name == "first":
                    await kept.wait()

        tasks = [
            asyncio.create_task(one(name, body))
            for name, body in (("first", b"a 1"), ("second", b"a 2"), ("other", b"b 1"))
        ]
        for _ in range(20):
            await asyncio.sleep(0)
        assert said == ["first comes in", "other comes in"]
        kept.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 60)
        return said

    assert asyncio.run(come()) == ["first comes in", "other comes in", "second comes in"]


def test_one_that_fails_holds_up_nobody() -> None:
    async def come() -> None:
        newcomers = Newcomers(set())

        async def fail() -> None:
            async with newcomers.introduced(b"a 1"):
                await asyncio.sleep(0)
                raise LookupError

        async def go() -> None:
            async with newcomers.introduced(b"a 1"):
                pass

        done = await asyncio.wait_for(asyncio.gather(fail(), go(), return_exceptions=True), 60)
        assert [type(each) for each in done] == [LookupError, type(None)]

    asyncio.run(come())
