"""Agents come, fall silent, come back; a pasted token makes one with a key of its own."""

import asyncio
from datetime import timedelta

import pytest

from atalaia.access.credentials import digest
from atalaia.agents.events import AgentBack, AgentSilent
from atalaia.agents.model.agents import AgentState
from atalaia.agents.service import AgentsService
from atalaia.core.errors import InvalidField, Unauthenticated
from atalaia.core.permissions import Principal
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from tests.conftest import MakeStore
from tests.fakes import FakeClock
from tests.store.agents_kit import ADMIN, HUB, KEY, OTHER_KEY, info, known_agent, make_agents


@pytest.fixture
def made(make_store: MakeStore, clock: FakeClock) -> tuple[Store, AgentsService]:
    return make_agents(make_store, clock)


def _listen(store: Store) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []

    def keep(tx: Tx, event: AgentSilent | AgentBack) -> None:
        tx.after_commit(lambda: told.append((type(event).__name__, event.agent_name)))

    store.on(AgentSilent, keep)
    store.on(AgentBack, keep)
    return told


async def _pass(agents: AgentsService, clock: FakeClock, seconds: float, *, calling: tuple[str, ...] = ()) -> None:
    """Time passes as it does for a running hub: with a look every two seconds."""
    for _ in range(int(seconds // 2)):
        clock.advance(2)
        for name in calling:
            await known_agent(agents, name)
        await agents.look_out.look()


def test_an_agent_silent_for_a_minute_is_told_once_and_its_return_too(
    made: tuple[Store, AgentsService], clock: FakeClock
) -> None:
    store, agents = made
    told = _listen(store)

    async def run() -> None:
        for name in ("a", "b"):
            await known_agent(agents, name)
        await agents.seen.write_down()
        await agents.look_out.look()
        await _pass(agents, clock, 58, calling=("a",))
        assert told == []
        await _pass(agents, clock, 20, calling=("a",))
        assert told == [("AgentSilent", "b")]
        assert (await agents.get("b")).state(clock.now()) is AgentState.SILENT
        await _pass(agents, clock, 2, calling=("a", "b"))
        assert told == [("AgentSilent", "b"), ("AgentBack", "b")]

    asyncio.run(run())


def test_a_hub_that_was_away_blames_nobody_for_it(made: tuple[Store, AgentsService], clock: FakeClock) -> None:
    store, agents = made
    told = _listen(store)

    async def run() -> None:
        await known_agent(agents)
        await agents.seen.write_down()
        clock.advance(3600)
        await agents.look_out.look()
        await _pass(agents, clock, 50)
        assert told == []
        clock.jump(7200)
        await _pass(agents, clock, 50)
        assert told == []
        await _pass(agents, clock, 20)
        assert told == [("AgentSilent", "sp-1")]

    asyncio.run(run())


def test_agents_of_one_key_are_told_apart_by_name(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        first, second = await known_agent(agents, "a"), await known_agent(agents, "b")
        again, stranger = await known_agent(agents, "a"), await known_agent(agents, "a", OTHER_KEY)
        assert len({first.id, second.id, stranger.id}) == 3
        assert again.id == first.id
        assert stranger.name == "a-2"

    asyncio.run(run())


def test_a_new_version_of_an_agent_is_noticed(made: tuple[Store, AgentsService]) -> None:
    _, agents = made

    async def run() -> None:
        await agents.identify(KEY, info())
        await agents.identify(KEY, info().__class__(name="sp-1", version="2.0"))
        assert (await agents.get("sp-1")).version == "2.0"

    asyncio.run(run())


def test_a_name_that_cannot_be_shown_is_refused(made: tuple[Store, AgentsService]) -> None:
    _, agents = made
    with pytest.raises(InvalidField) as caught:
        asyncio.run(known_agent(agents, "a\nb"))
    assert caught.value.field == "agent.name"


def test_a_token_makes_one_agent_with_a_key_of_its_own(made: tuple[Store, AgentsService]) -> None:
    store, agents = made

    async def run() -> None:
        offer = await agents.enrolling.offer(ADMIN, name="Recife")
        assert offer.line.startswith(f"curl -fsSL {HUB}/agent.pyz")
        assert f"--enrol {offer.token}" in offer.line
        enrolled = await agents.enrolling.enrol(token=offer.token, name=None, hostname="box", address=None)
        assert enrolled.name == "Recife"
        rows = await store.read(lambda tx: tx.raw("SELECT id FROM api_keys WHERE sha256 = ?", (digest(enrolled.key),)))
        own = Principal(id=rows[0][0], kind="key", name="agent Recife", permissions=KEY.permissions)
        for name in ("box", "whatever"):
            assert (await agents.identify(own, info(name))).id == enrolled.agent_id
        with pytest.raises(Unauthenticated):
            await agents.enrolling.enrol(token=offer.token, name="b", hostname="box", address=None)
        await agents.retire(ADMIN, enrolled.agent_id)
        revoked = await store.read(lambda tx: tx.raw("SELECT revoked_at FROM api_keys"))
        assert revoked[0][0] is not None

    asyncio.run(run())


def test_a_token_that_is_over_or_withdrawn_enrols_nobody(made: tuple[Store, AgentsService], clock: FakeClock) -> None:
    store, agents = made

    async def run() -> None:
        late = await agents.enrolling.offer(ADMIN, ttl_s=60, uses=5)
        gone = await agents.enrolling.offer(ADMIN)
        await agents.enrolling.withdraw(ADMIN, gone.id)
        clock.advance(61)
        for token in (late.token, gone.token, "ate_nonsense"):
            with pytest.raises(Unauthenticated):
                await agents.enrolling.enrol(token=token, name="x", hostname="x", address=None)
        kept = await store.read(lambda tx: tx.raw("SELECT sha256 FROM agent_enrolments"))
        assert late.token not in repr(kept)
        clock.advance(timedelta(days=8).total_seconds())
        await agents.tidy()
        assert await store.read(lambda tx: tx.raw("SELECT 1 FROM agent_enrolments")) == []

    asyncio.run(run())
