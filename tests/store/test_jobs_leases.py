"""A job goes to one worker at a time, and whoever comes late changes nothing."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.jobs_site import SLICES, Site, talk

Talk = Callable[[Callable[[Site], Awaitable[None]]], None]


@pytest.fixture
def store(make_store: MakeStore) -> Store:
    return make_store(*SLICES)


@pytest.fixture
def site(store: Store, clock: FakeClock, tmp_path: Path) -> Talk:
    return lambda conversation: talk(store, clock, tmp_path, conversation)


def test_a_job_is_made_leased_told_of_and_completed(site: Talk) -> None:
    async def conversation(hub: Site) -> None:
        id_ = await hub.create(payload={"lawn": 7})
        (job,) = await hub.lease()
        assert (job["id"], job["type"], job["attempt"], job["mode"]) == (id_, "mow", 1, "run")
        step = {"n": 1, "name": "start", "state": "started", "data": {"blades": 2}}
        assert await hub.renew(job, steps=[step]) == ["ok"]
        assert (await hub.complete(job, result={"cut": True})) == {"id": id_, "status": 200}
        shown = await hub.job(id_)
        assert (shown["status"], shown["state"], shown["attempts"], shown["workerId"]) == (
            "completed",
            "succeeded",
            1,
            "w1",
        )
        assert shown["result"] == {"cut": True}
        assert shown["steps"][0]["name"] == "start"
        assert await hub.lease() == []

    site(conversation)
