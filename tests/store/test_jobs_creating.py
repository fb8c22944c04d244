"""A repeat is the same job; keys and limits keep order; old jobs go."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Json, Site, make_site, opened, talk

Talk = Callable[..., None]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


@pytest.fixture
def site(store: Store, clock: FakeClock, tmp_path: Path) -> Talk:
    def run(conversation: Callable[[Site], Awaitable[None]], **set_to: Any) -> None:
        talk(store, clock, tmp_path, conversation, **set_to)

    return run


def test_the_same_key_and_body_is_the_same_job(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        body: Json = {"type": "mow", "payload": 1}
        made = await hub.post("/api/jobs", body, status=201, Idempotency_Key="k1")
        assert await hub.post("/api/jobs", body, Idempotency_Key="k1") == made
        said = await hub.post("/api/jobs", {"type": "mow", "payload": 1.0}, status=422, Idempotency_Key="k1")
        assert said["error"]["code"] == "idempotency_key_reused"
        assert len(await hub.lease(count=9)) == 1
        other = await hub.key("jobs:create")
        async with hub.client(other | {"idempotency-key": "k1"}) as client:
            assert (await client.post("/api/jobs", json=body)).status_code == 201  # another's key is another's

    site(conversation)


def test_the_same_key_at_the_same_moment_is_one_job(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        async with hub.client({**hub.headers, "idempotency-key": "k"}) as client:
            body: Json = {"type": "mow", "payload": {}, "unique_key": None}
            answers = await asyncio.gather(*(client.post("/api/jobs", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1

    site(conversation)


def test_a_name_that_no_store_can_look_for_is_that_of_nothing(site: Talk) -> None:
    """PostgreSQL takes no NUL: it was told as an error of the hub."""

    async def conversation(hub: Site) -> None:
        for path in ("/api/jobs/%00/cancel", "/api/jobs/%00/retry", "/api/workers/%00/drain"):
            await hub.post(path, {}, status=404)
        async with hub.client(hub.headers) as client:
            assert (await client.delete("/api/job-limits/type/%00")).status_code == 404
        assert await hub.post("/api/jobs/retry", {"ids": ["\0"]}) == {"ids": [], "skipped": 1}

    site(conversation)


def test_many_are_made_at_once_and_the_wrong_ones_are_named(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        items: list[Any] = [
            {"type": "mow", "payload": 1},
            {"type": "", "payload": 1},
            {"payload": 1},
            {"type": "drive", "payload": {"client": 5}},
            7,
            {"type": "mow", "payload": 2, "priority": 9},
        ]
        made = (await hub.post("/api/jobs/bulk", {"items": items}, status=201))["items"]
        assert [item.get("error", {}).get("field") for item in made] == [
            None,
            "type",
            "type",
            "payload.client",
            "item",
            None,
        ]
        assert [job["id"] for job in await hub.lease(count=9)] == [made[5]["id"], made[0]["id"]]
        again = await hub.post("/api/jobs/bulk", {"items": [{"type": ""}]})
        assert "error" in again["items"][0]

    site(conversation)


def test_one_unfinished_job_has_a_unique_key(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create(unique_key="lawn 7")
        same = await hub.post("/api/jobs", {"type": "mow", "payload": 2, "unique_key": "lawn 7"})
        assert same == {"id": id_, "status": "pending"}
        (job,) = await hub.lease()
        assert (await hub.post("/api/jobs", {"type": "mow", "payload": 2, "unique_key": "lawn 7"}))[
            "status"
        ] == "processing"
        await hub.complete(job, "failed", error={"retryable": False})
        second = await hub.create(unique_key="lawn 7")
        assert second != id_
        said = await hub.post(f"/api/jobs/{id_}/retry", {}, status=409)
        assert said["error"]["code"] == "unique_key_taken"

    site(conversation)


def test_jobs_of_one_key_run_one_after_the_other_and_those_of_others_beside(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        first = [await hub.create(payload=n, concurrency_key="a") for n in range(3)]
        other = await hub.create(payload=9, concurrency_key="b")
        urgent = await hub.create(payload=7, concurrency_key="a", priority=5)
        leased = await hub.lease(count=9)
        assert [job["id"] for job in leased] == [urgent, other]
        assert await hub.lease(count=9) == []
        order = []
        job = leased[0]
        for _ in range(3):
            await hub.complete(job)
            (job,) = await hub.lease(count=9)
            order.append(job["id"])
        assert order == first

    site(conversation)


def test_a_job_that_is_tried_again_later_lets_the_next_of_its_key_go_first(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create(concurrency_key="a")
        second = await hub.create(concurrency_key="a")
        (job,) = await hub.lease()
        await hub.complete(job, "failed", error={"retry_after_ms": 60_000})
        assert [each["id"] for each in await hub.lease(count=9)] == [second]

    site(conversation)


def test_no_more_than_the_limit_of_a_queue_or_type_run_at_once(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        async with hub.client() as client:
            await client.put("/api/job-limits", json={"scope": "queue", "name": "slow", "max_leased": 2})
            for n in range(5):
                await hub.create(payload=n, queue="slow")
            quick = await hub.create()
            leased = await hub.lease(count=9)
            assert len(leased) == 3
            assert quick in {job["id"] for job in leased}
            slow = next(job for job in leased if job["id"] != quick)
            await hub.complete(slow)
            assert len(await hub.lease(count=9)) == 1
            assert (await client.delete("/api/job-limits/queue/slow")).status_code == 204
            assert (await client.delete("/api/job-limits/queue/slow")).status_code == 404
        assert len(await hub.lease(count=9)) == 2

    site(conversation)


def test_no_more_than_the_rate_start_in_its_span(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        async with hub.client() as client:
            said = await client.put("/api/job-limits", json={"scope": "type", "name": "mow", "rate": 3, "period_s": 60})
            assert said.status_code == 200
        for n in range(5):
            await hub.create(payload=n)
        assert len(await hub.lease(count=2)) == 2
        assert len(await hub.lease(count=9)) == 1
        assert await hub.lease(count=9) == []
        clock.advance(60)
        assert len(await hub.lease(count=9)) == 2

    site(conversation)


def test_ended_jobs_start_again_by_hand_and_in_bulk(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        ids = [await hub.create(payload=n, max_attempts=1) for n in range(3)]
        for job in await hub.lease(count=9):
            await hub.complete(job, "failed")
        assert [await hub.state(id_) for id_ in ids] == ["dead"] * 3
        assert (await hub.post(f"/api/jobs/{ids[0]}/retry", {}))["status"] == "pending"
        assert (await hub.post(f"/api/jobs/{ids[0]}/retry", {}, status=409))["error"]["code"] == "job_not_ended"
        done = await hub.post("/api/jobs/retry", {"type": "mow"})
        assert (sorted(done["ids"]), done["skipped"]) == (sorted(ids[1:]), 0)
        again = await hub.lease(count=9)
        assert {job["attempt"] for job in again} == {2}
        await hub.post("/api/jobs/retry", {"states": ["succeeded"]}, status=422)

    site(conversation)


def test_a_list_is_filtered_and_paged(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        ids = [await hub.create(payload={"n": n}) for n in range(4)]
        (job,) = await hub.lease()
        await hub.complete(job)
        (job,) = await hub.lease()
        await hub.complete(job, "failed", error={"retryable": False})
        await hub.lease()
        await hub.create("rake", {"where": "50%_garden"}, queue="late")
        assert await _ids(hub, "status=completed") == [ids[0]]
        assert await _ids(hub, "status=error") == [ids[1]]
        assert await _ids(hub, "status=processing") == [ids[2]]
        assert await _ids(hub, "status=pending&type=mow") == [ids[3]]
        assert len(await _ids(hub, "queue=late")) == len(await _ids(hub, "q=%25_GARDEN")) == 1
        assert await _ids(hub, "type=nothing") == []
        until = (clock.now() + timedelta(seconds=1)).isoformat().replace("+00:00", "Z")
        assert len(await _ids(hub, f"created_until={until}")) == 5
        assert await _ids(hub, f"created_from={until}") == []
        async with hub.client() as client:
            page = (await client.get("/api/jobs?limit=2&type=mow")).json()
            following = (await client.get(f"/api/jobs?limit=2&type=mow&cursor={page['next']}")).json()
        assert [job["id"] for job in page["items"] + following["items"]] == ids[::-1]
        assert following["next"] is None

    site(conversation)


async def _ids(hub: Site, query: str) -> list[str]:
    async with hub.client() as client:
        answer = await client.get(f"/api/jobs?{query}")
    assert answer.status_code == 200, answer.text
    return [job["id"] for job in answer.json()["items"]]


def test_old_ended_jobs_are_dropped_with_their_steps(site: Talk, clock: FakeClock, store: Store) -> None:
    async def conversation(hub: Site) -> None:
        for n in range(5):
            await hub.create(payload=n)
        job, *_ = await hub.lease(count=4)
        await hub.renew(job, steps=[{"n": 1, "name": "s", "state": "done"}])
        await hub.complete(job)
        clock.advance(timedelta(days=91).total_seconds())
        await hub.create(payload="young")
        await hub.service.control.clear_away()
        rows = store.read_now(lambda tx: tx.raw("SELECT (SELECT count(*) FROM jobs), (SELECT count(*) FROM job_steps)"))
        assert rows == [(5, 0)]

    site(conversation)


def test_workers_are_shown_drained_and_told_to_stop_when_they_are_old(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create()
        await hub.create()
        (job,) = await hub.lease(version="0.2.0", commit="abc123")
        assert await _workers(hub) == [("w1", "0.2.0", "abc123", 1, "working")]
        await hub.post("/api/workers/w1/drain", {}, status=204)
        assert await _word(hub, "0.2.0") == "drain"
        said = await hub.post("/api/leases/renew", {"worker_id": "w1", "items": []})
        assert said["worker"] == "drain"
        await hub.complete(job)
        clock.advance(61)
        assert (await _workers(hub))[0][4] == "silent"
        hub.settings.set_page_values({"jobs.min_worker_version": "0.2.1"})
        assert await _word(hub, "0.2.0", incarnation="i2") == "stop"
        assert await _word(hub, "not a version", incarnation="i3") == "stop"
        assert await _word(hub, "0.2.1", incarnation="i4") is None
        await hub.post("/api/workers/nobody/drain", {}, status=404)

    site(conversation)


def test_an_old_worker_of_the_same_name_does_not_stop_the_new_one(site: Talk) -> None:
    """Both go by their machine's name: the renewals of the new one were answered as the old one was."""

    async def conversation(hub: Site) -> None:
        await hub.create()
        hub.settings.set_page_values({"jobs.min_worker_version": "0.2"})
        assert await _word(hub, "0.2", incarnation="new") is None  # and it gets the job
        assert await _word(hub, "0.1", incarnation="old") == "stop"
        renewal = {"worker_id": "w1", "items": []}
        assert (await hub.post("/api/leases/renew", renewal | {"incarnation": "new"}))["worker"] == "run"
        assert (await hub.post("/api/leases/renew", renewal | {"incarnation": "old"}))["worker"] == "stop"
        assert (await hub.post("/api/leases/renew", renewal))["worker"] == "stop", "who does not say is the last heard"

    site(conversation)


async def _word(hub: Site, version: str, *, incarnation: str = "i1") -> str | None:
    asked = {"worker_id": "w1", "incarnation": incarnation, "types": ["mow"], "version": version}
    async with hub.client() as client:
        answer = await client.post("/api/leases", json=asked)
    word: str | None = answer.headers.get("x-atalaia-worker")
    assert (answer.status_code == 204) == (word is not None)
    return word


async def _workers(hub: Site) -> list[tuple[Any, ...]]:
    async with hub.client() as client:
        items: list[Json] = (await client.get("/api/workers")).json()["items"]
    return [tuple(item[name] for name in ("id", "version", "commit", "running", "state")) for item in items]


def test_two_hubs_share_the_work_and_no_job_goes_to_both(
    store: Store, clock: FakeClock, tmp_path: Path, dialect: str
) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite has one hub")

    async def conversation(one: Site) -> None:
        async with opened(make_site(store, clock, tmp_path)) as two:
            ids = {await hub.create(payload=n, concurrency_key=f"k{n % 7}") for n in range(12) for hub in (one, two)}
            done: list[str] = []
            while len(done) < len(ids):
                asked = [hub.lease(worker=f"w{n}", count=3) for n, hub in enumerate((one, two) * 4)]
                leased = [job for jobs in await asyncio.gather(*asked) for job in jobs]
                assert leased
                assert len({job["id"] for job in leased}) == len(leased)
                await asyncio.gather(*((two if n % 2 else one).complete(job) for n, job in enumerate(leased)))
                done += [job["id"] for job in leased]
            assert sorted(done) == sorted(ids)

    talk(store, clock, tmp_path, conversation)


def test_a_job_made_in_one_hub_wakes_a_worker_that_waits_in_another(
    clock: FakeClock, tmp_path: Path, make_store: MakeStore, dialect: str
) -> None:
    if dialect == "sqlite":
        pytest.skip("SQLite has one hub")
    first, second = make_store(*SLICES), make_store(*SLICES)

    async def conversation(one: Site) -> None:
        async with opened(make_site(second, clock, tmp_path)) as two:
            waiting = asyncio.create_task(two.lease(wait_s=20))
            while not two.service.bell.has_waiters:  # noqa: ASYNC110 - one turn of the loop, not time
                await asyncio.sleep(0)
            id_ = await one.create()
            async with asyncio.timeout(60):
                assert [job["id"] for job in await waiting] == [id_]

    talk(first, clock, tmp_path, conversation)


def test_events_of_a_job_come_to_who_has_a_ticket_until_it_ends(site: Talk, clock: FakeClock) -> None:
    async def conversation(hub: Site) -> None:
        await hub.create(payload={})
        (job,) = await hub.lease()
        await hub.renew(job, steps=[{"n": 1, "name": "look", "state": "done", "data": {"x": 1}}])
        await hub.complete(job)
        address = hub.jobs.events_ticket(job["id"])
        async with hub.client({}) as client:
            said = await client.get(address)
            assert (await client.get(f"/events/{job['id']}")).status_code == 401
            assert (await client.get(address.replace(job["id"], "other", 1))).status_code == 401
            clock.advance(601)
            assert (await client.get(address)).status_code == 401
        lines = [line for line in said.text.splitlines() if line.startswith(("event:", "data:"))]
        assert [line for line in lines if line.startswith("event:")] == ["event: step", "event: status", "event: end"]
        assert json.loads(lines[1][5:])["name"] == "look"
        assert json.loads(lines[-1][5:])["status"] == "completed"
        worker = await hub.key("jobs:work")
        async with hub.client(worker) as client:
            assert (await client.get(f"/events/{job['id']}")).status_code == 403

    site(conversation)
