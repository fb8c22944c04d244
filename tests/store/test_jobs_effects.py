"""At most one effect: what can't be undone is never blindly repeated."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Json, Site, talk

Talk = Callable[[Callable[[Site], Awaitable[None]]], None]


@pytest.fixture
def site(make_store: MakeStore, clock: FakeClock, tmp_path: Path) -> Talk:
    store: Store = make_store(*SLICES)
    return lambda conversation: talk(store, clock, tmp_path, conversation)


def step(n: int, state: str, **data: Any) -> Json:
    return {"n": n, "name": f"step {n}", "state": state, "data": data}


async def _leased(hub: Site, type: str = "mow") -> Json:
    await hub.create(type, {"client": "a"})
    (job,) = await hub.lease(type)
    return job


@pytest.mark.parametrize("last", ["irreversible", "done"])
def test_without_a_resolver_a_lease_lost_behind_the_step_ends_unknown(site: Talk, last: str) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        await hub.renew(job, steps=[step(1, "irreversible"), step(1, last)])
        await hub.lapse()
        shown = await hub.job(job["id"])
        assert (shown["status"], shown["state"], shown["error"]["class"]) == ("error", "unknown", "outcome_unknown")
        assert await hub.lease() == []

    site(conversation)


def test_with_a_resolver_only_who_can_resolve_gets_it_and_sees_what_was_done(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        await hub.renew(job, steps=[step(1, "done", found=3), step(2, "irreversible", frame="x")])
        await hub.lapse()
        assert (await hub.job(job["id"]))["status"] == "processing"
        assert await hub.lease("drive") == []
        (asked,) = await hub.lease("drive", resolves=["drive"])
        assert (asked["mode"], asked["attempt"]) == ("resolve", 1)
        assert [(each["n"], each["state"], each["data"]) for each in asked["earlier"]] == [
            (1, "done", {"found": 3}),
            (2, "irreversible", {"frame": "x"}),
        ]
        await hub.complete(asked, result={"found": True})
        assert await hub.state(job["id"]) == "succeeded"

    site(conversation)


@pytest.mark.parametrize("is_other_hub", [False, True])
def test_a_type_that_the_hub_does_not_know_has_a_resolver_once_a_worker_says_so(site: Talk, is_other_hub: bool) -> None:
    """The guide says so; only types of integrations were resolved, others' ended unknown at once."""

    async def conversation(hub: Site) -> None:
        await hub.create("mow", {})
        (job,) = await hub.lease("mow", resolves=["mow"])
        await hub.renew(job, steps=[step(1, "irreversible", ref="x")])
        if is_other_hub:
            hub.service.lanes.__init__()  # type: ignore[misc]  # another hub, or this one started anew, has read them from the store
            await hub.service.reading.lanes()
        await hub.lapse()
        assert await hub.state(job["id"]) == "resolving"
        (asked,) = await hub.lease("mow", resolves=["mow"])
        assert (asked["mode"], asked["earlier"][0]["data"]) == ("resolve", {"ref": "x"})
        await hub.complete(asked, result=None)
        assert await hub.state(job["id"]) == "succeeded"

    site(conversation)


def test_when_it_surely_did_not_happen_it_runs_again(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        await hub.renew(job, steps=[step(1, "irreversible")])
        await hub.lapse()
        (asked,) = await hub.lease("drive", resolves=["drive"])
        await hub.complete(asked, "failed", error={"class": "not_found", "message": "no trace", "retry_after_ms": 0})
        (again,) = await hub.lease("drive")
        assert (again["mode"], again["attempt"]) == ("run", 2)
        await hub.renew(again, steps=[step(1, "irreversible"), step(1, "failed")])
        clock.advance(1)
        await hub.lapse()
        assert len(await hub.lease("drive")) == 1

    site(conversation)


def test_nobody_comes_to_resolve_and_it_ends_unknown(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        await hub.complete(job, "uncertain", error={"class": "silent", "message": "no answer", "hint": "call them"})
        assert await hub.state(job["id"]) == "resolving"
        await hub.lapse(606)
        assert await hub.state(job["id"]) == "unknown"

    site(conversation)


def test_asking_that_never_works_ends_unknown_too_and_lets_the_next_one_go(site: Talk) -> None:
    """Each time that it was put off it had ten minutes more: the job never ended, and the client's others waited for ever."""

    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        following = await hub.create("drive", {"client": "a", "n": 2})
        await hub.renew(job, steps=[step(1, "irreversible")])
        await hub.complete(job, "uncertain")
        (asked,) = await hub.lease("drive", resolves=["drive"])
        minutes = 0
        while asked["id"] == job["id"]:
            minutes += 1
            assert minutes <= 10
            await hub.renew(asked, steps=[step(1, "failed")])
            await hub.complete(asked, "snoozed", error={"class": "away", "retry_after_ms": 60_000})
            hub.clock.advance(60)
            await hub.service.pulse.round()
            for _ in range(5):  # what nobody resolved is looked for now and then
                await hub.service.reaper.round()
            (asked,) = await hub.lease("drive", resolves=["drive"])
        assert (await hub.job(job["id"]))["error"]["class"] == "outcome_unknown"
        assert asked["id"] == following

    site(conversation)


def test_uncertain_while_resolving_ends_unknown_with_what_was_said(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        await hub.complete(job, "uncertain")
        (asked,) = await hub.lease("drive", resolves=["drive"])
        await hub.complete(asked, "uncertain", error={"class": "x", "message": "two runs have this id"})
        error = (await hub.job(job["id"]))["error"]
        assert (error["class"], error["message"]) == ("outcome_unknown", "two runs have this id")

    site(conversation)


def test_steps_that_come_late_again_or_out_of_order_come_to_the_same(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        await hub.renew(job, steps=[step(1, "done", b=2)])
        await hub.renew(job, steps=[step(1, "started", a=1)])
        await hub.renew(job, steps=[step(1, "irreversible"), step(2, "started")])
        await hub.renew(job, steps=[step(1, "done", b=2)])
        steps = (await hub.job(job["id"]))["steps"]
        assert [(each["n"], each["state"], each["data"]) for each in steps] == [
            (1, "done", {"b": 2}),
            (2, "started", {}),
        ]
        await hub.lapse()  # the declaration came late, and counts all the same
        assert await hub.state(job["id"]) == "unknown"

    site(conversation)


def test_a_worker_that_fails_behind_the_step_is_not_tried_again(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        await hub.renew(job, steps=[step(1, "irreversible"), step(1, "done")])
        await hub.complete(job, "failed", error={"class": "later", "message": "the rest failed", "retryable": True})
        assert await hub.state(job["id"]) == "failed"

    site(conversation)


def test_the_steps_of_the_end_come_with_it(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        await hub.complete(job, steps=[step(1, "irreversible"), step(1, "done", ok=True)])
        assert [each["state"] for each in (await hub.job(job["id"]))["steps"]] == ["done"]

    site(conversation)


def test_a_running_job_that_is_cancelled_ends_when_its_worker_says_so(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        said = await hub.post(f"/api/jobs/{job['id']}/cancel", {})
        assert said["status"] == "processing"
        assert await hub.renew(job) == ["cancel"]
        await hub.complete(job, "cancelled")
        assert await hub.state(job["id"]) == "cancelled"
        await hub.post(f"/api/jobs/{job['id']}/cancel", {}, status=409)

    site(conversation)


def test_a_waiting_job_is_cancelled_at_once(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        assert (await hub.post(f"/api/jobs/{id_}/cancel", {}))["status"] == "cancelled"
        assert await hub.lease() == []

    site(conversation)


def test_a_cancelled_job_whose_worker_is_gone_ends_when_its_lease_lapses(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub)
        await hub.post(f"/api/jobs/{job['id']}/cancel", {})
        await hub.lapse()
        assert await hub.state(job["id"]) == "cancelled"

    site(conversation)


def test_longer_than_its_type_allows_is_not_for_ever(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        job = await _leased(hub, "drive")
        for _ in range(10):
            await hub.lapse(15)
            await hub.renew(job)
        shown = await hub.job(job["id"])
        assert (shown["state"], shown["error"]["class"]) == ("retrying", "too_long")

    site(conversation)
