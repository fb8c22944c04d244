"""Its jobs: one of the hub, one of a worker that must not act twice."""

import msgspec

from atalaia.core.translations import N_
from atalaia.sdk.jobs import FormField, JobRun, JobType, JobUncertain

from . import tides


class Gauge(msgspec.Struct):
    station: str = "harbour"


class Gate(msgspec.Struct):
    order: str
    position: int


async def gauge(run: JobRun) -> dict[str, float]:
    async with run.step("level", station=run.payload.station) as step:
        level_m = await tides.level_of(run.upstream(), run.settings["url"], run.payload.station)
        await step.note(level_m=level_m)
    return {"level_m": level_m}


async def move(run: JobRun) -> dict[str, bool]:
    url = f"{run.settings['url']}/gates/{run.payload.order}"
    body = msgspec.json.encode({"position": run.payload.position})
    async with run.step("level"):
        await tides.level_of(run.upstream(), run.settings["url"], run.payload.order)
    async with run.irreversible("move", position=run.payload.position):
        await run.upstream().call("move", "POST", url, body=body, authorize=tides.authorize)
    return {"moved": True}


async def was_moved(run: JobRun) -> dict[str, bool]:
    url = f"{run.settings['url']}/gates/{run.payload.order}"
    answer = await run.upstream().call("ask", "GET", url, is_repeatable=True, authorize=tides.authorize)
    if not tides.read(answer, tides.Moved).moved:
        raise JobUncertain("The service does not know of this order.")
    return {"moved": True}


JOB_TYPES = (
    JobType(
        name="tide_gauge",
        title=N_("Read the tide"),
        payload=Gauge,
        run=gauge,
        runs_on="hub",
        upstream="tidewatch",
        settings=("url",),
    ),
    JobType(
        name="tide_gate",
        title=N_("Move the gate"),
        payload=Gate,
        run=move,
        resolve=was_moved,
        upstream="tidewatch",
        settings=("url",),
        concurrency_key=lambda _gate: "the gate",
        form=(FormField("order", N_("Order")), FormField("position", N_("Position"), kind="number")),
    ),
)
