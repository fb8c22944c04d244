"""Jobs that run in the hub itself: to their end, cancelled, broken off at a stop, and never acting without the store."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from atalaia.app.hub_jobs import HubJobs
from atalaia.core.clock import SystemClock
from atalaia.core.permissions import SYSTEM
from atalaia.core.settings import Settings
from atalaia.jobs.model.types import Context, JobTypes
from atalaia.jobs.model.views import JobOut
from atalaia.jobs.service import JobsService
from atalaia.jobs.service.control import Actor
from atalaia.jobs.settings import SETTINGS
from atalaia.sdk.failures import TemporaryFailure
from atalaia.sdk.jobs import Handler, JobRun, JobType, JobUncertain, run_of_offer
from atalaia.sdk.upstreams import Upstream
from atalaia.store.store import Store

MakeStore = Callable[..., Store]


class Nothing(msgspec.Struct):
    amount: int = 0


def no_upstream(name: str) -> Upstream:
    raise AssertionError(name)


@asynccontextmanager
async def running(
    store: Store, run: Handler, *, resolve: Handler | None = None, given: Handler | None = None
) -> AsyncIterator[JobsService]:
    types = JobTypes()
    own = JobType(name="own", title="Own", payload=Nothing, run=run, resolve=resolve, runs_on="hub", settings=("pace",))
    types.register(own, context=lambda: Context({"pace": 2}, {}))
    jobs = JobsService(store, clock=SystemClock(), settings=Settings(SETTINGS), types=types)
    await jobs.start()
    hub = HubJobs(jobs, types=types, upstream=no_upstream)
    if given is not None:
        hub.take({"own": given}, own=["own"])
    await hub.start()
    try:
        yield jobs
    finally:
        await hub.stop()
        jobs.release()


async def made(jobs: JobsService, payload: str = "{}") -> str:
    return (await jobs.enqueue("own", payload, by=SYSTEM)).id


async def until(jobs: JobsService, job_id: str, *states: str) -> JobOut:
    async with asyncio.timeout(60):
        while (job := await jobs.reading.job(job_id)).state not in states:  # noqa: ASYNC110 - asks, with a deadline
            await asyncio.sleep(0.02)
    return job


def test_a_job_comes_to_its_end_with_steps_and_result(make_store: MakeStore) -> None:
    async def work(run: JobRun) -> Any:
        async with run.step("look"):
            pass
        async with run.irreversible("act"):
            pass
        return {"amount": run.payload.amount, **run.settings}

    async def main() -> JobOut:
        async with running(make_store("access", "jobs"), work) as jobs:
            return await until(jobs, await made(jobs, '{"amount": 1}'), "succeeded")

    job = asyncio.run(main())
    assert job.result is not None
    assert msgspec.json.decode(job.result) == {"amount": 1, "pace": 2}
    assert [(step.name, step.state) for step in job.steps] == [("look", "done"), ("act", "done")]
    assert job.worker_id is not None
    assert job.worker_id.startswith("hub:")


def test_an_irreversible_step_is_in_the_store_before_it_is_begun(make_store: MakeStore) -> None:
    seen: list[str] = []

    async def main() -> None:
        store = make_store("access", "jobs")

        async def work(run: JobRun) -> None:
            async with run.irreversible("act"):
                seen.extend(step.state for step in (await jobs.reading.job(run.id)).steps)

        async with running(store, work) as jobs:
            await until(jobs, await made(jobs), "succeeded")

    asyncio.run(main())
    assert seen == ["irreversible"]


def test_a_cancelled_job_is_broken_off(make_store: MakeStore) -> None:
    async def main() -> JobOut:
        began = asyncio.Event()

        async def work(run: JobRun) -> None:
            began.set()
            while True:  # each step is a renewal, which brings the news
                async with run.step("wait"):
                    await asyncio.sleep(0.05)

        async with running(make_store("access", "jobs"), work) as jobs:
            job_id = await made(jobs)
            await began.wait()
            await jobs.control.cancel(job_id, Actor(SYSTEM, None))
            return await until(jobs, job_id, "cancelled")

    assert asyncio.run(main()).status == "cancelled"


def test_a_stop_hands_back_what_runs(make_store: MakeStore) -> None:
    async def main() -> JobOut:
        began = asyncio.Event()

        async def work(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
            began.set()
            await asyncio.Event().wait()

        async with running(make_store("access", "jobs"), work) as jobs:
            job_id = await made(jobs)
            await began.wait()
        return await jobs.reading.job(job_id)

    job = asyncio.run(main())
    assert (job.state, job.lost_leases) == ("waiting", 0)


def test_a_stop_behind_an_irreversible_step_leaves_it_to_be_found_out(make_store: MakeStore) -> None:
    async def main() -> JobOut:
        began = asyncio.Event()

        async def work(run: JobRun) -> None:
            async with run.irreversible("act"):
                began.set()
                await asyncio.Event().wait()

        async def resolve(run: JobRun) -> str:
            assert [step.state for step in run.earlier]
            return "found out"

        store = make_store("access", "jobs")
        async with running(store, work, resolve=resolve) as jobs:
            job_id = await made(jobs)
            await began.wait()
        async with running(store, work, resolve=resolve) as jobs:
            return await until(jobs, job_id, "succeeded", "unknown")

    job = asyncio.run(main())
    assert job.result is not None
    assert (job.state, msgspec.json.decode(job.result)) == ("succeeded", "found out")


def test_what_nobody_can_find_out_ends_as_unknown(make_store: MakeStore) -> None:
    async def work(run: JobRun) -> None:
        async with run.irreversible("act"):
            raise TemporaryFailure("The line was cut.")

    async def resolve(run: JobRun) -> None:  # noqa: ARG001 - a handler's form
        raise JobUncertain("Nothing to see.")

    async def main() -> JobOut:
        async with running(make_store("access", "jobs"), work, resolve=resolve) as jobs:
            return await until(jobs, await made(jobs), "unknown")

    job = asyncio.run(main())
    assert job.error is not None
    assert job.status == "error"


def test_a_handler_that_the_integration_gave_with_its_host_runs(make_store: MakeStore) -> None:
    async def given(run: JobRun) -> Any:
        return {"given": run.payload.amount}

    async def main(handler: Handler | None) -> JobOut:
        async with running(make_store("access", "jobs"), run_of_offer, given=handler) as jobs:
            return await until(jobs, await made(jobs, '{"amount": 2}'), "succeeded", "failed")

    result = asyncio.run(main(given)).result
    assert result is not None
    assert msgspec.json.decode(result) == {"given": 2}


def test_a_type_without_its_handler_fails_by_name(make_store: MakeStore) -> None:
    async def main() -> JobOut:
        async with running(make_store("access", "jobs"), run_of_offer) as jobs:
            return await until(jobs, await made(jobs), "succeeded", "failed")

    job = asyncio.run(main())
    assert job.error is not None
    assert (job.state, job.error.class_) == ("failed", "no_handler")
