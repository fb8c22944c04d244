"""A job goes to one worker at a time, and whoever comes late changes nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock, SlowClock
from tests.store.jobs_site import SLICES, Site, make_site, opened, talk

Talk = Callable[..., None]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


@pytest.fixture
def site(store: Store, clock: FakeClock, tmp_path: Path) -> Talk:
    def run(conversation: Callable[[Site], Awaitable[None]], **set_to: Any) -> None:
        talk(store, clock, tmp_path, conversation, **set_to)

    return run


def test_a_job_is_made_leased_told_of_and_completed(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create(payload={"lawn": 7})
        (job,) = await hub.lease()
        assert (job["id"], job["type"], job["attempt"], job["mode"]) == (id_, "mow", 1, "run")
        assert (job["ttl_ms"], job["deadline_ms"]) == (30_000, 86_400_000)
        step = {"n": 1, "name": "start", "state": "started", "data": {"blades": 2}}
        assert await hub.renew(job, steps=[step]) == ["ok"]
        assert (await hub.complete(job, result={"cut": True})) == {"id": id_, "status": 200}
        shown = await hub.job(id_)
        assert (shown["status"], shown["state"], shown["attempts"]) == ("completed", "succeeded", 1)
        assert (shown["workerId"], shown["result"]) == ("w1", {"cut": True})
        assert shown["steps"][0]["name"] == "start"
        assert await hub.lease() == []

    site(conversation)


def test_the_kept_fields_come_first_and_the_payload_is_the_text_that_came_in(site: Talk) -> None:
    raw = '{ "a":1.0, "a":1, "b":"\\u0041\\/", "c": 1e0 }'

    async def conversation(hub: Site) -> None:
        async with hub.client() as client:
            made = await client.post("/api/jobs", content=f'{{"type":"mow","payload":{raw}}}')
            (job,) = await hub.lease()
            assert job["payload_raw"] == raw
            shown = await client.get(f"/api/jobs/{made.json()['id']}")
        assert f'"payload":{raw},' in shown.text
        kept = ["id", "type", "status", "payload", "result", "steps", "attempts", "workerId", "createdAt", "updatedAt"]
        assert list(shown.json())[:10] == kept

    site(conversation)


def test_the_first_by_priority_and_then_by_age_comes_first(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        ids = [await hub.create(payload=n, priority=priority) for n, priority in enumerate((0, 5, 0, -1, 5))]
        leased = [job["id"] for job in await hub.lease(count=10)]
        assert leased == [ids[1], ids[4], ids[0], ids[2], ids[3]]

    site(conversation)


def test_a_lost_lease_is_due_at_once_and_the_late_worker_is_told(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        (late,) = await hub.lease()
        await hub.lapse()
        (job,) = await hub.lease(worker="w2")
        assert (job["id"], job["attempt"]) == (id_, 1)
        assert job["token"] != late["token"]
        assert await hub.renew(late) == ["lost"]
        said = await hub.complete(late, status=409)
        assert said["error"]["code"] == "lease_lost"
        await hub.complete(job)
        assert (await hub.job(id_))["lostLeases"] == 1

    site(conversation)


def test_a_job_that_loses_its_worker_three_times_is_a_dead_letter(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        for _ in range(3):
            (late,) = await hub.lease()
            await hub.lapse()
        shown = await hub.job(id_)
        assert (shown["state"], shown["status"], shown["error"]["class"]) == ("dead", "error", "lease_lost")
        assert (await hub.complete(late, status=410))["error"]["code"] == "job_ended"

    site(conversation)


def test_a_renewed_lease_outlives_its_time(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create()
        (job,) = await hub.lease()
        for _ in range(5):
            await hub.lapse(20)
            assert await hub.renew(job) == ["ok"]
        await hub.complete(job)

    site(conversation)


def test_after_a_restart_leases_have_one_time_to_live_of_grace(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create()
        (job,) = await hub.lease()
        clock.advance(3600)  # the hub was away
        async with opened(make_site(store, clock, tmp_path)) as again:
            await again.lapse(25)
            assert await again.renew(job) == ["ok"]
            await again.lapse(29)
            await again.complete(job)

    talk(store, clock, tmp_path, conversation)


def test_where_looking_takes_long_a_lost_lease_is_still_due_soon(store: Store, tmp_path: Path) -> None:
    """It is looked from the first one on that was held; what is held before that is seen when all is looked at."""

    async def conversation(hub: Site) -> None:
        first, second = await hub.create(), await hub.create()
        (early,) = await hub.lease()
        await hub.lease(worker="w2")
        await hub.lapse(3)
        await hub.complete(early, outcome="released")
        await hub.lapse(1)
        assert {job["id"] for job in await hub.lease(worker="w3")} == {first}
        await hub.lapse(31)
        assert await hub.state(second) == "waiting"
        await hub.lapse(31)
        assert await hub.state(first) == "waiting"

    talk(store, SlowClock(), tmp_path, conversation)


def test_the_same_outcome_again_is_answered_the_same_and_another_is_refused(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create()
        (job,) = await hub.lease()
        await hub.complete(job, result={"n": 1})
        assert (await hub.complete(job, result={"n": 1}))["replayed"] is True
        await hub.complete(job, result={"n": 2}, status=422)
        await hub.complete(job, "failed", status=422)

    site(conversation)


def test_many_are_completed_at_once_each_with_its_own_answer(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        for _ in range(3):
            await hub.create()
        first, second, third = await hub.lease(count=3)
        await hub.complete(second)
        items = [{"id": job["id"], "token": job["token"], "outcome": "succeeded"} for job in (first, second)]
        items.append({"id": third["id"], "token": "77.1.nobody", "outcome": "succeeded"})
        items.append({"id": first["id"], "token": third["token"], "outcome": "succeeded"})
        said = await hub.post("/api/leases/complete", {"worker_id": "w1", "items": items})
        assert [(item["status"], item.get("replayed", False)) for item in said["items"]] == [
            (200, False),
            (200, True),
            (410, False),
            (409, False),
        ]
        assert await hub.state(third["id"]) == "leased"

    site(conversation)


def test_a_failed_job_is_tried_again_later_until_its_attempts_are_used(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create(max_attempts=2)
        (job,) = await hub.lease()
        await hub.complete(job, "failed", error={"class": "busy", "message": "not now", "retry_after_ms": 5000})
        assert (await hub.state(id_), await hub.lease()) == ("retrying", [])
        clock.advance(5)
        await hub.service.pulse.round()
        (job,) = await hub.lease()
        assert job["attempt"] == 2
        await hub.complete(job, "failed", error={"class": "busy", "message": "still not"})
        shown = await hub.job(id_)
        assert (shown["state"], shown["attempts"], shown["error"]["message"]) == ("dead", 2, "still not")

    site(conversation)


def test_what_is_not_retryable_fails_at_once(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        (job,) = await hub.lease()
        await hub.complete(
            job, "failed", error={"class": "departs", "message": "no", "retryable": False, "hint": "see"}
        )
        assert (await hub.job(id_))["error"] == {"class": "departs", "message": "no", "hint": "see", "retryable": False}
        assert await hub.state(id_) == "failed"

    site(conversation)


def test_snoozed_and_released_are_no_attempts(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        (job,) = await hub.lease()
        await hub.complete(job, "released")
        (job,) = await hub.lease()
        await hub.complete(job, "snoozed", error={"retry_after_ms": 60_000})
        assert await hub.state(id_) == "snoozed"
        clock.advance(60)
        await hub.service.pulse.round()
        (job,) = await hub.lease()
        assert job["attempt"] == 1

    site(conversation)


def test_a_job_that_is_to_run_later_waits_until_then(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create(run_at="2026-01-15T09:05:00-03:00")
        assert await hub.lease() == []
        clock.advance(300)
        await hub.service.pulse.round()
        assert len(await hub.lease()) == 1

    site(conversation)


def test_a_request_that_comes_again_gets_the_same_leases(store: Store, clock: FakeClock, tmp_path: Path) -> None:
    async def conversation(hub: Site) -> None:
        for _ in range(3):
            await hub.create()
        first = await hub.lease(count=2, request_id="r1")
        again = await hub.lease(count=2, request_id="r1")
        assert [job["token"] for job in again] == [job["token"] for job in first]
        async with opened(make_site(store, clock, tmp_path)) as restarted:
            after = await restarted.lease(count=2, request_id="r1")
            assert [job["token"] for job in after] == [job["token"] for job in first]
            assert len(await restarted.lease(count=2, request_id="r2")) == 1

    talk(store, clock, tmp_path, conversation)


def test_a_worker_that_waits_is_woken_by_a_new_job(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        waiting = asyncio.create_task(hub.lease(wait_s=20))
        other = asyncio.create_task(hub.lease("rake", wait_s=20))
        while not hub.service.bell.has_waiters:  # noqa: ASYNC110 - one turn of the loop, not time
            await asyncio.sleep(0)
        id_ = await hub.create()
        assert [job["id"] for job in await waiting] == [id_]
        assert not other.done()
        hub.service.release()
        assert await other == []

    site(conversation)


def test_an_open_upstream_holds_its_types_back(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        hub.open_upstreams.add("cars")
        await hub.create("drive", {"client": "a"})
        assert await hub.lease("drive") == []
        hub.open_upstreams.clear()
        assert len(await hub.lease("drive")) == 1

    site(conversation)
