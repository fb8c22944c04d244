"""An integration for tests of signals: its tasks note when they begin, beat and end, fenced, in a table of their own.

`lookout.look` takes `LOOKOUT_S` seconds. `lookout.linger` goes on until it is broken off, and then tries to have a last word:
where that is refused, it says so in the folder `LOOKOUT_FOLDER`.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

from atalaia.sdk.columns import new_metadata
from atalaia.sdk.integration import Host, Manifest, Offer
from atalaia.sdk.signals import RunLost, RunOutcome, SignalRun, SignalTask
from atalaia.sdk.transaction import Tx

METADATA: MetaData = new_metadata()
NOTES = Table(
    "lookout_notes",
    METADATA,
    Column("seq", Integer, primary_key=True),
    Column("fence", BigInteger, nullable=False),
    Column("word", Text, nullable=False),
)


class Lookout:
    manifest = Manifest(name="lookout", title="Lookout", owner="tests", summary="Looks out.")
    folder = Path(__file__).parent
    upstreams: tuple[Any, ...] = ()
    job_types: tuple[Any, ...] = ()

    def setup(self, _host: Host) -> Offer:
        tasks = (
            SignalTask(name="lookout.look", title="Look", run=look),
            SignalTask(name="lookout.linger", title="Linger", run=linger),
        )
        return Offer(signal_tasks=tasks, metadata=METADATA)


async def look(run: SignalRun) -> RunOutcome:
    await note(run, "began")
    await asyncio.sleep(float(os.environ["LOOKOUT_S"]))
    await note(run, "ended")
    return RunOutcome(work=1)


async def linger(run: SignalRun) -> RunOutcome:
    await note(run, "began")
    try:
        while True:
            await asyncio.sleep(0.02)
            await note(run, "beat")
    finally:
        last = asyncio.ensure_future(note(run, "last word"))
        last.add_done_callback(lambda told: _mark(run.fence, told))
        await asyncio.shield(last)


def _mark(fence: int, told: "asyncio.Task[None]") -> None:
    if isinstance(told.exception(), RunLost):
        (Path(os.environ["LOOKOUT_FOLDER"]) / f"refused-{fence}").touch()


async def note(run: SignalRun, word: str) -> None:
    def unit(tx: Tx) -> None:
        tx.insert(NOTES, [{"fence": run.fence, "word": word}])

    await run.write(unit)


integration = Lookout()
