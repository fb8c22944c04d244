"""Jobs told done together are judged one by one: what holds for one alone holds for it among many."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Json, Site, talk

Talk = Callable[..., None]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


@pytest.fixture
def site(store: Store, clock: FakeClock, tmp_path: Path) -> Talk:
    def run(conversation: Callable[[Site], Awaitable[None]], **set_to: Any) -> None:
        talk(store, clock, tmp_path, conversation, **set_to)

    return run


def done(job: Json, **more: Any) -> Json:
    return {"id": job["id"], "token": job["token"], "outcome": "succeeded", **more}


async def told(hub: Site, *items: Json) -> list[tuple[int, bool]]:
    said = await hub.post("/api/leases/complete", {"worker_id": "w1", "items": list(items)})
    assert [item["id"] for item in said["items"]] == [item["id"] for item in items]
    return [(item["status"], item.get("replayed", False)) for item in said["items"]]


async def leased(hub: Site, count: int, **more: Any) -> list[Json]:
    for _ in range(count):
        await hub.create(**more)
    return await hub.lease(count=count)


def test_all_are_done_and_shown_as_one_alone_would_be(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        jobs = await leased(hub, 3)
        jobs += await leased(hub, 2, queue="other")
        assert await told(hub, *map(done, jobs)) == [(200, False)] * 5
        for job in jobs:
            shown = await hub.job(job["id"])
            assert (shown["state"], shown["attempts"], shown["workerId"], shown["result"]) == (
                "succeeded",
                1,
                "w1",
                None,
            )
        assert await told(hub, *map(done, jobs)) == [(200, True)] * 5
        assert await told(hub, done(jobs[0], result=1)) == [(422, False)]
        assert await hub.lease(count=9) == []

    site(conversation)


def test_one_that_is_late_is_told_so_and_the_others_are_done(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        late, *others = await leased(hub, 3)
        await hub.complete(late, "released")
        (again,) = await hub.lease(worker="w2")
        assert again["id"] == late["id"]
        assert await told(hub, done(others[0]), done(late), done(others[1])) == [
            (200, False),
            (409, False),
            (200, False),
        ]
        assert await hub.state(late["id"]) == "leased"
        assert await told(hub, done(again)) == [(200, False)]

    site(conversation)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "another"}, {"token": "{seq}.{lease}.another"}, {"token": "{seq}.9.{secret}"}, {"token": "9{seq}.{lease}.{secret}"},
        {"id": "{id} and more"}, {"id": "{id}\x00"},
    ],
)  # fmt: skip
def test_what_is_not_as_it_was_handed_out_changes_nothing(site: Talk, wrong: dict[str, str]) -> None:
    async def conversation(hub: Site) -> None:
        (job,) = await leased(hub, 1)
        seq, lease, secret = job["token"].split(".")
        meant = {name: text.format(seq=seq, lease=lease, secret=secret, id=job["id"]) for name, text in wrong.items()}
        ((status, _),) = await told(hub, done(job) | meant)
        assert status in {409, 410}
        assert await hub.state(job["id"]) == "leased"

    site(conversation)


def test_the_same_job_twice_is_done_once(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        one, other = await leased(hub, 2)
        assert await told(hub, done(one), done(other), done(one)) == [(200, False), (200, False), (200, True)]

    site(conversation)


def test_a_number_written_another_way_is_the_same_number(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        (job,) = await leased(hub, 1)
        assert await told(hub, done(job | {"token": f"0{job['token']}"})) == [(200, False)]
        assert await hub.state(job["id"]) == "succeeded"

    site(conversation)


def test_a_text_that_is_no_token_is_refused_and_nothing_is_done(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        (job,) = await leased(hub, 1)
        items = [done(job), {"id": "x", "token": "no token", "outcome": "succeeded"}]
        await hub.post("/api/leases/complete", {"items": items}, status=422)
        assert await hub.state(job["id"]) == "leased"

    site(conversation)


def test_jobs_of_one_key_follow_each_other(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        (plain,) = await leased(hub, 1)
        first, second = [await hub.create(concurrency_key="field") for _ in range(2)]
        (held,) = await hub.lease(count=9)
        assert held["id"] == first
        assert await told(hub, done(plain), done(held)) == [(200, False)] * 2
        assert [job["id"] for job in await hub.lease(count=9)] == [second]

    site(conversation)


def test_many_requests_at_once_are_each_answered_for_their_own(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        jobs = await leased(hub, 20)
        failed = {"id": jobs[19]["id"], "token": jobs[19]["token"], "outcome": "failed"}
        parts = [[done(job) for job in jobs[start : start + 4]] for start in (0, 4, 8, 12)]
        parts += [[done(jobs[16], result={"n": 1}), done(jobs[17])], [done(jobs[0])], [failed], [done(jobs[18])]]
        said = await asyncio.gather(*(told(hub, *part) for part in parts))
        statuses = [status for part in said for status, _ in part]
        assert statuses == [200] * 21
        assert sum(is_replayed for part in said for _, is_replayed in part) == 1
        states = [await hub.state(job["id"]) for job in jobs]
        assert states == ["succeeded"] * 19 + ["retrying"]

    site(conversation)


def test_they_are_counted_as_succeeded(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        jobs = await leased(hub, 3)
        await told(hub, *map(done, jobs))
        (outcomes,) = (metric for metric in hub.service.counting.collect() if metric.name == "atalaia_jobs")
        counted = {sample.labels["outcome"]: sample.value for sample in outcomes.samples}
        assert counted == {"created": 3, "succeeded": 3}
        (leases,) = (metric for metric in hub.service.counting.collect() if metric.name == "atalaia_job_lease_seconds")
        count = next(sample.value for sample in leases.samples if sample.name.endswith("_count"))
        assert count == 1

    site(conversation)
