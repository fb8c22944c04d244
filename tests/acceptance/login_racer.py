"""A process that asks for a token as a hub does: `python -m tests.acceptance.login_racer DATABASE_URL LOGIN_URL [REJECTED]`.

It says `ready`, waits for a line, asks ten times at once, and prints the generations that it got.
"""

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from atalaia.core.clock import SystemClock
from atalaia.core.redaction import Secret
from atalaia.core.settings import Settings
from atalaia.outbound.guard import Guard, Trust
from atalaia.outbound.http import HttpClient
from atalaia.sdk.upstreams import Login, Upstream, UpstreamDeclaration
from atalaia.store.encryption import Sealer
from atalaia.store.opening import open_store
from atalaia.upstreams.model.registered import Registered
from atalaia.upstreams.settings import SETTINGS
from atalaia.upstreams.wiring import wire

NAME = "tracker"
AT_ONCE = 10


def declaration(login_url: str) -> UpstreamDeclaration:
    async def log_in(upstream: Upstream, _setting: Callable[[str], Any]) -> Login:
        answer = await upstream.call("login", "POST", login_url, body=b"{}")
        return Login(Secret(answer.body.decode()))

    return UpstreamDeclaration(name=NAME, title="Tracker", login=log_in)


async def race(database_url: str, login_url: str, rejected: int | None) -> list[int]:
    store = open_store(Path(tempfile.gettempdir()), database_url=database_url)
    made = wire(
        store=store,
        clock=SystemClock(),
        settings=Settings(SETTINGS),
        sealer=Sealer([b"k" * 32]),
        http=HttpClient(Guard()),
        pages=SimpleNamespace(banners=[]),  # type: ignore[arg-type]
        declarations=[Registered(declaration(login_url), trust=lambda: Trust.CONFIGURED)],
    )
    assert made.contribution.stop is not None
    try:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        client = made.client(NAME)
        tokens = await asyncio.gather(*(client.token(rejected_generation=rejected) for _ in range(AT_ONCE)))
        return [token.generation for token in tokens]
    finally:
        await made.contribution.stop()
        store.close()


def main() -> None:
    database_url, login_url, *rest = sys.argv[1:]
    print("generations", *asyncio.run(race(database_url, login_url, int(rest[0]) if rest else None)), flush=True)


if __name__ == "__main__":
    main()
