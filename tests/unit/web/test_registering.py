"""Registering handlers together gives the application that Litestar itself would have made."""

import asyncio
from typing import Any

import httpx
from litestar import Controller, Litestar, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, JSONBody

from atalaia.web.registering import Application


@get("/things/{name:str}")
async def one(name: FromPath[str], house: NamedDependency[str]) -> dict[str, str]:
    return {"name": name, "house": house}


@get("/things")
async def all_of_them() -> list[str]:
    return ["a"]


@post("/things")
async def make(data: JSONBody[dict[str, Any]]) -> dict[str, Any]:
    return data


class Others(Controller):
    path = "/others"

    @get("/")
    async def look(self) -> list[int]:
        return [1]

    @post("/")
    async def add(self) -> list[int]:
        return [1, 2]


OPTIONS: dict[str, Any] = {
    "route_handlers": [one, all_of_them, make, Others],
    "dependencies": {"house": Provide(lambda: "here", sync_to_thread=False)},
}


def test_it_is_described_as_litestar_describes_it() -> None:
    assert Application(**OPTIONS).openapi_schema.to_schema() == Litestar(**OPTIONS).openapi_schema.to_schema()


async def _ask(application: Any) -> list[tuple[int, Any]]:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answers = [
            await client.get("/things/x"),
            await client.get("/things"),
            await client.post("/things", json={"a": 1}),
            await client.put("/things"),
            await client.get("/others"),
            await client.post("/others"),
            await client.get("/nothing"),
        ]
    return [(answer.status_code, answer.json()) for answer in answers]


def test_it_answers_as_litestar_does() -> None:
    answers = asyncio.run(_ask(Application(**OPTIONS)))
    assert answers == asyncio.run(_ask(Litestar(**OPTIONS)))
    assert [status for status, _ in answers] == [200, 200, 201, 405, 200, 201, 404]


def test_a_handler_may_come_later() -> None:
    application: Any = Application(route_handlers=[all_of_them])
    application.register(Others)

    async def ask() -> int:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=application), base_url="http://hub") as client:
            return (await client.get("/others")).status_code

    assert asyncio.run(ask()) == 200
