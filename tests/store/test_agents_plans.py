"""Plans: an agent gets its work as soon as it changes, and nobody else is woken."""

import asyncio
from typing import Any

import pytest

from atalaia.agents.model.wire import Probe
from atalaia.agents.service import AgentsService
from atalaia.core.errors import Conflict, Forbidden
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.agents_kit import ADMIN, KEY, batch, info, known_agent, make_agents, probe, result

ANSWERED_WITHIN_S = 15.0  # below the 20 s that are asked for: not by running out


@pytest.fixture
def made(make_store: MakeStore, clock: FakeClock) -> tuple[Store, AgentsService]:
    return make_agents(make_store, clock)


async def _ask(agents: AgentsService, name: str = "sp-1", *, etag: str | None = None, wait_s: float = 0) -> Any:
    return await agents.plan(await known_agent(agents, name), etag=etag, wait_s=wait_s)


async def _replace(store: Store, agents: AgentsService, agent_id: str, *probes: Probe) -> None:
    await store.write(lambda tx: agents.replace_work(tx, owner="watch", agent_id=agent_id, probes=probes))


def test_a_new_agent_gets_an_empty_plan_and_then_waits(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        plan = await _ask(agents)
        assert (plan.probes, plan.name) == ([], "sp-1")
        assert await _ask(agents, etag=plan.etag) is None

    asyncio.run(run())


def test_an_agent_that_waits_is_answered_by_the_change(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> None:
        first = await _ask(agents)
        waiting = asyncio.create_task(_ask(agents, etag=first.etag, wait_s=25))
        async with asyncio.timeout(ANSWERED_WITHIN_S):
            while not agents.plans.waiting:  # noqa: ASYNC110 - a turn of the loop, not a pause
                await asyncio.sleep(0)
        await _replace(store, agents, first.agent_id, probe("a"), probe("b"))
        plan = await asyncio.wait_for(waiting, ANSWERED_WITHIN_S)
        assert [work.id for work in plan.probes] == ["a", "b"]
        assert plan.etag != first.etag
        assert agents.plans.waiting == 0

    asyncio.run(run())


def test_work_that_is_set_again_unchanged_wakes_nobody(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> None:
        agent_id = (await _ask(agents)).agent_id
        secret = probe("a", secrets={"password": "s3cret"})
        await _replace(store, agents, agent_id, secret)
        etag = (await _ask(agents)).etag
        await _replace(store, agents, agent_id, secret)
        await store.write(lambda tx: agents.put_probe(tx, owner="watch", probe=secret, agent_ids=[agent_id]))
        assert (await _ask(agents)).etag == etag

    asyncio.run(run())


def test_secrets_reach_the_agent_and_are_sealed_in_the_store(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> None:
        agent_id = (await _ask(agents)).agent_id
        await _replace(store, agents, agent_id, probe("a", secrets={"password": "s3cret-word"}))
        plan = await _ask(agents)
        assert plan.probes[0].secrets == {"password": "s3cret-word"}
        rows = await store.read(lambda tx: tx.raw("SELECT * FROM agent_work"))
        assert "s3cret-word" not in repr(rows)
        assert "s3cret-word" not in repr(plan)

    asyncio.run(run())


def test_a_probe_moves_to_exactly_the_agents_named(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> list[list[str]]:
        ids = [(await _ask(agents, name)).agent_id for name in ("a", "b", "c")]
        await store.write(lambda tx: agents.put_probe(tx, owner="watch", probe=probe(), agent_ids=ids[:2]))
        await store.write(lambda tx: agents.put_probe(tx, owner="watch", probe=probe(), agent_ids=ids[1:]))
        plans = [[work.id for work in (await _ask(agents, name)).probes] for name in ("a", "b", "c")]
        await store.write(lambda tx: agents.drop_probe(tx, owner="watch", probe_id="p1"))
        assert [(await _ask(agents, name)).probes for name in ("a", "b", "c")] == [[], [], []]
        return plans

    assert asyncio.run(run()) == [[], ["p1"], ["p1"]]


def test_the_least_loaded_agent_that_is_heard_of_is_picked(made: tuple[Store, AgentsService], clock: FakeClock) -> None:
    store, agents = made

    async def run() -> None:
        ids = {name: (await _ask(agents, name)).agent_id for name in ("busy", "idle", "old")}
        await agents.seen.write_down()
        clock.advance(61)
        for name in ("busy", "idle"):
            await known_agent(agents, name)
        await agents.seen.write_down()
        await _replace(store, agents, ids["busy"], probe("x"))
        assert await store.read(agents.pick_agent) == ids["idle"]
        assert await store.read(lambda tx: agents.pick_agent(tx, but_not=[ids["idle"]])) == ids["busy"]
        assert await store.read(lambda tx: agents.pick_agent(tx, but_not=[ids["idle"], ids["busy"]])) is None

    asyncio.run(run())


def test_a_try_runs_on_the_agent_and_counts_for_no_check(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        first = await _ask(agents)
        trying = asyncio.create_task(agents.try_probe(first.agent_id, probe("t"), timeout_s=20))
        plan = await asyncio.wait_for(_ask(agents, etag=first.etag, wait_s=20), ANSWERED_WITHIN_S)
        (work,) = plan.tries
        record = result(1, probe="t", try_id=work.try_id, data={"status": 200})
        await agents.take(await known_agent(agents), batch([record]), address=None)
        outcome = await asyncio.wait_for(trying, ANSWERED_WITHIN_S)
        assert (outcome.ok, outcome.data) == (True, {"status": 200})
        assert (await _ask(agents)).tries == []

    asyncio.run(run())


def test_a_try_on_a_silent_agent_says_so(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        agent_id = (await _ask(agents)).agent_id
        with pytest.raises(Conflict) as caught:
            await agents.try_probe(agent_id, probe(), timeout_s=0.01)
        assert caught.value.code == "agent_unanswered"

    asyncio.run(run())


def test_a_retired_agent_is_refused_and_may_be_taken_back(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> None:
        first = await _ask(agents)
        await _replace(store, agents, first.agent_id, probe())
        await agents.retire(ADMIN, first.agent_id)
        with pytest.raises(Forbidden) as caught:
            await agents.identify(KEY, info())
        assert caught.value.code == "agent_retired"
        await agents.take_back(ADMIN, first.agent_id)
        assert (await _ask(agents)).probes == []

    asyncio.run(run())


def test_a_renamed_agent_stays_the_same_one(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        first = await _ask(agents)
        await agents.rename(ADMIN, first.agent_id, "São Paulo 1")
        plan = await _ask(agents, etag=first.etag)
        assert (plan.agent_id, plan.name) == (first.agent_id, "São Paulo 1")
        other = await _ask(agents, "b")
        with pytest.raises(Conflict):
            await agents.rename(ADMIN, other.agent_id, "São Paulo 1")

    asyncio.run(run())
