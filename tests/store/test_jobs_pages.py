"""What the pages of jobs are told by the store, and what they show of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from atalaia.core.errors import Conflict, NotFound
from atalaia.core.permissions import SYSTEM
from atalaia.jobs.model.states import State
from atalaia.jobs.model.views import JobFilter
from atalaia.jobs.pages.frames import MOST_SHOWN
from atalaia.jobs.service.control import Actor
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Site, talk

Talk = Callable[..., None]
ME = Actor(SYSTEM)
ERROR = {"class": "odd", "message": "it was <odd>", "retryable": False}


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


@pytest.fixture
def site(store: Store, clock: FakeClock, tmp_path: Path) -> Talk:
    def run(conversation: Callable[[Site], Awaitable[None]], **set_to: Any) -> None:
        talk(store, clock, tmp_path, conversation, **set_to)

    return run


async def ended(hub: Site, outcome: str, *, is_retryable: bool = False) -> str:
    id_ = await hub.create(max_attempts=1)
    (job,) = await hub.lease()
    error = None if outcome == "succeeded" else {**ERROR, "retryable": is_retryable}
    await hub.complete(job, outcome, error=error)
    return id_


async def page(hub: Site, path: str) -> tuple[int, str]:
    async with hub.client() as client:
        answer = await client.get(path, headers={"accept": "text/html"})
    return answer.status_code, answer.text


def test_what_a_person_has_to_decide_comes_first_page_by_page(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        unknown = await ended(hub, "uncertain")
        done = await ended(hub, "succeeded")
        dead = await ended(hub, "failed", is_retryable=True)
        failed = await ended(hub, "failed")
        waiting = await hub.create()
        found: list[str] = []
        after = None
        while True:
            lines, after = await hub.service.reading.worst_first(JobFilter(), limit=2, after=after)
            found += [line.id for line in lines]
            if after is None:
                break
        assert found == [dead, unknown, waiting, failed, done]
        tally = await hub.service.reading.tally()
        assert {state: tally[state] for state in tally if tally[state]} == {
            State.UNKNOWN: 1, State.DEAD: 1, State.FAILED: 1, State.SUCCEEDED: 1, State.WAITING: 1,
        }  # fmt: skip
        status, html = await page(hub, "/jobs?status=dead")
        assert status == 200
        assert f"/jobs/{dead}" in html
        assert f"/jobs/{unknown}" not in html
        assert "Start all dead letters" in html

    site(conversation)


def test_an_unknown_outcome_is_confirmed_once(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await ended(hub, "uncertain")
        await hub.service.control.confirm(id_, ME)
        job = await hub.job(id_)
        assert (job["status"], job["error"]) == ("completed", None)
        assert job["result"] == {"confirmedBy": SYSTEM.name}
        with pytest.raises(Conflict):
            await hub.service.control.confirm(id_, ME)
        with pytest.raises(Conflict):
            await hub.service.control.confirm(await hub.create(), ME)
        with pytest.raises(NotFound):
            await hub.service.control.confirm("nothing", ME)

    site(conversation)


def test_a_job_that_stands_behind_another_names_it(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        first = await hub.create(concurrency_key="k")
        second = await hub.create(concurrency_key="k")
        assert (await hub.service.reading.detail(first)).front_id is None
        assert (await hub.service.reading.detail(second)).front_id == first
        status, html = await page(hub, f"/jobs/{second}")
        assert status == 200
        assert f'href="/jobs/{first}"' in html

    site(conversation)


def test_runs_are_told_apart_by_their_leases(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create("drive", {"client": "c"})
        (job,) = await hub.lease("drive")
        await hub.renew(job, steps=[{"n": 1, "name": "start", "state": "irreversible"}])
        await hub.lapse()
        (again,) = await hub.lease("drive", resolves=["drive"])
        assert again["mode"] == "resolve"
        await hub.renew(again, steps=[{"n": 1, "name": "look", "state": "done", "data": {"found": "<b>"}}])
        status, html = await page(hub, f"/jobs/{id_}")
        assert status == 200
        assert html.index("Finding out what happened") < html.index("Try 1")
        assert "its worker was lost" in html
        assert "&lt;b&gt;" in html
        assert "<b>" not in html

    site(conversation)


@pytest.mark.parametrize(
    "path",
    [
        "/jobs", "/jobs/rows?q=%25", "/jobs?status=nonsense&period=x&type=y&queue=z", "/jobs?restarted=2&skipped=1",
        "/jobs/workers", "/jobs/workers/rows", "/jobs/new",
    ],
)  # fmt: skip
def test_a_page_is_there_whatever_the_address_says(site: Talk, path: str) -> None:
    async def conversation(hub: Site) -> None:
        await ended(hub, "failed")
        status, html = await page(hub, path)
        assert status == 200
        assert "<odd>" not in html

    site(conversation)


def test_a_worker_that_is_too_old_is_shown_with_what_to_do(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        await hub.lease(version="1.9", worker="old")
        await hub.lease(version="2.1", worker="new")
        _, html = await page(hub, "/jobs/workers")
        assert html.index("old</strong>") < html.index("new</strong>")
        assert "Older than 2.0" in html

    site(conversation, min_worker_version="2.0")


def test_a_job_that_there_is_not_is_a_404(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        for path in ("/jobs/nothing", "/jobs/nothing/now"):
            assert (await page(hub, path))[0] == 404

    site(conversation)


def test_a_payload_of_a_megabyte_is_shown_in_part_and_downloaded_to_the_byte(site: Talk) -> None:
    """It was laid out whole, token by token: ten seconds in which the hub answered nobody."""

    async def conversation(hub: Site) -> None:
        payload = b"[" + b",".join([b"1.0"] * 250_000) + b"]"
        async with hub.client() as client:
            made = await client.post("/api/jobs", content=b'{"type": "t", "payload": ' + payload + b"}")
            id_ = made.json()["id"]
        (job,) = await hub.lease("t")
        await hub.complete(job, "succeeded", result={"text": "r" * 300_000})
        status, html = await page(hub, f"/jobs/{id_}")
        assert status == 200
        assert len(html) < 400_000
        assert f"{len(payload) - MOST_SHOWN:,} more characters are not shown here" in html
        assert f'href="/jobs/{id_}/payload"' in html
        async with hub.client() as client:
            file = await client.get(f"/jobs/{id_}/payload")
            result = await client.get(f"/jobs/{id_}/result")
            none = await client.get(f"/jobs/{await hub.create()}/result")
        assert file.content == payload
        assert "attachment" in file.headers["content-disposition"]
        assert result.json() == {"text": "r" * 300_000}
        assert none.status_code == 404

    site(conversation)


def test_of_thousands_of_steps_the_last_are_shown_and_those_that_matter(site: Talk) -> None:
    """The page of a job with 5,000 steps had 44 MB."""

    async def conversation(hub: Site) -> None:
        id_ = await hub.create()
        (job,) = await hub.lease()
        data = {"frame": '{"action": "' + "x" * 5_000 + '"}', "answer": "{}"}
        await hub.renew(job, steps=[{"n": 1, "name": "the one that acts", "state": "irreversible"}])
        for start in range(2, 1_402, 200):
            await hub.renew(
                job,
                steps=[{"n": n, "name": f"step {n}", "state": "done", "data": data} for n in range(start, start + 200)],
            )
        status, html = await page(hub, f"/jobs/{id_}")
        assert status == 200
        assert len(html) < 2_500_000
        assert "the one that acts" in html
        assert "step 1401" in html
        assert "step 1000" not in html
        assert "1,200 earlier steps are not shown here" in html
        assert "Its frames are too many for this page" in html

    site(conversation)
