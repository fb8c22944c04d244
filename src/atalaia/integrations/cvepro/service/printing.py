"""Papers drawn in a process of their own (`papers.press`), which is gone when this ends, however it ends."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from typing import Final

import msgspec
import structlog

from atalaia.core.redaction import scrub
from atalaia.core.translations import N_
from atalaia.integrations.cvepro.papers.orders import LENGTH_BYTES, Order, Printed, framed
from atalaia.sdk.jobs import JobFailed

_PRESS: Final = "atalaia.integrations.cvepro.papers.press"
_OURS: Final = "ATALAIA_"
_SAID: Final = 2000  # characters of what it said at its end

log = structlog.get_logger()


async def printed(order: Order) -> AsyncGenerator[Printed, None]:
    """One paper after the other, as wanted; the process goes with it: use it with `contextlib.aclosing`.

    Raises:
        JobFailed: the process came to no good end.
    """
    # Settings, secrets among them, are nothing that drawing needs.
    env = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", _PRESS, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=env
    )
    said = asyncio.create_task(_all_of(process.stderr))
    try:
        await _tell(process, order)
        for _ in order.wanted:
            yield await _paper(process, said)
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        await _all_of(process.stdout)  # what it had written already: a pipe that is not at its end stays open
        await said
        await process.wait()


async def _tell(process: Process, order: Order) -> None:
    assert process.stdin is not None  # noqa: S101 - it is a pipe
    process.stdin.write(framed(order))
    try:
        await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        return  # why it ended is heard when its first paper does not come


async def _paper(process: Process, said: "asyncio.Task[bytes]") -> Printed:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    try:
        length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES))
        return msgspec.msgpack.decode(await process.stdout.readexactly(length), type=Printed)
    except asyncio.IncompleteReadError as error:
        status = await process.wait()
        why = scrub((await said).decode(errors="replace").strip()[-_SAID:])
        log.warning("papers_not_drawn", status=status, why=why)
        raise JobFailed(
            N_("The papers could not be drawn: {why}"),
            failure="not_drawn",
            is_retryable=True,
            why=why.rpartition("\n")[2] or f"status {status}",
        ) from error


async def _all_of(stream: asyncio.StreamReader | None) -> bytes:
    return b"" if stream is None else await stream.read()
