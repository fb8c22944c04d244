"""The use cases of agents, in one object for the slices above and for api and pages."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from atalaia.access.audit import record
from atalaia.access.service.keys import revoke_key
from atalaia.agents.events import AgentRetired
from atalaia.agents.metrics import AgentMetrics
from atalaia.agents.model.agents import SILENT_AFTER_S, Agent, AgentBrief, Known, WorkItem, is_recent
from atalaia.agents.model.wire import AgentInfo, Batch, Plan, Probe, Receipt, Result
from atalaia.agents.queries import enrolments as enrolment_queries
from atalaia.agents.queries import registry as queries
from atalaia.agents.queries import work as work_queries
from atalaia.agents.service.enrolling import Enrolling
from atalaia.agents.service.intake import Intake
from atalaia.agents.service.plans import PlanBoard
from atalaia.agents.service.registry import REGISTRY_TOPIC, Registry, checked_name
from atalaia.agents.service.seen import AGENTS_TOPIC, LastSeen
from atalaia.agents.service.silence import LookOut
from atalaia.agents.service.tries import Tries
from atalaia.agents.service.work import PLAN_TOPIC, Work, changed
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, NotFound
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.encryption import Sealer
from atalaia.store.store import Store
from atalaia.web.cursors import decode_cursor, page_of

_SPOOLS_KEPT_DAYS = 400
_TRIES_KEPT_S = 600
_ENROLMENTS_KEPT_DAYS = 7


class AgentsService:
    """What takes a `Tx` is for the units of work of slices above; what is `async` runs one of its own."""

    def __init__(self, store: Store, *, clock: Clock, sealer: Sealer, public_url: str) -> None:
        self._store = store
        self._clock = clock
        self._work = Work(sealer)
        self._registry = Registry(store, clock=clock)
        self._tries = Tries(store, sealer=sealer, clock=clock)
        self.seen = LastSeen(store)
        self.plans = PlanBoard(store, sealer=sealer, clock=clock)
        self.enrolling = Enrolling(store, clock=clock, public_url=public_url)
        self.look_out = LookOut(store, seen=self.seen, clock=clock)
        self._intake = Intake(store, seen=self.seen, clock=clock)
        self.metrics = AgentMetrics(self._intake.rejected)

    # -- for the units of work of slices above

    def put_probe(self, tx: Tx, *, owner: str, probe: Probe, agent_ids: Iterable[str]) -> None:
        """Let exactly these agents run the probe, in this form; others that had it drop it."""
        self._work.put_probe(tx, owner=owner, probe=probe, agent_ids=agent_ids)

    def drop_probe(self, tx: Tx, *, owner: str, probe_id: str) -> None:
        self._work.drop_probe(tx, owner=owner, probe_id=probe_id)

    def replace_work(self, tx: Tx, *, owner: str, agent_id: str, probes: Sequence[Probe]) -> None:
        """All that `owner` wants of one agent."""
        self._work.replace_work(tx, owner=owner, agent_id=agent_id, probes=probes)

    def pick_agent(self, tx: Tx, *, but_not: Iterable[str] = ()) -> str | None:
        """An agent for work that names none: heard of within a minute, with the fewest probes."""
        seen_after = self._clock.now() - timedelta(seconds=SILENT_AFTER_S)
        return queries.least_loaded(tx, seen_after=seen_after, but_not=frozenset(but_not))

    def find_agent(self, tx: Tx, reference: str) -> Agent | None:
        """By id, or by name among those in use."""
        if "\0" in reference:  # PostgreSQL takes no such text, so nothing is called so
            return None
        return queries.find(tx, reference) or queries.find_by_name(tx, reference)

    # -- on the wire

    async def identify(self, principal: Principal, info: AgentInfo) -> Known:
        """The agent that calls; see Registry.identify."""
        known = await self._registry.identify(principal, info)
        self.seen.note(known.id, self._clock.now())
        return known

    async def plan(self, known: Known, *, etag: str | None, wait_s: float) -> Plan | None:
        return await self.plans.ask(known, etag=etag, wait_s=wait_s)

    async def take(self, known: Known, batch: Batch, *, address: str | None) -> Receipt:
        return await self._intake.take(known, batch, address=address)

    async def try_probe(self, agent_id: str, probe: Probe, *, timeout_s: float) -> Result:
        """Run a probe once, at once; see Tries.run."""
        return await self._tries.run(agent_id, probe, timeout_s=timeout_s)

    async def brief(self) -> list[AgentBrief]:
        """All that are not retired, by name; cheap."""
        now = self._clock.now()
        return [
            AgentBrief(id_, name, silent_since is not None or last_seen_at is None or not is_recent(last_seen_at, now))
            for id_, name, last_seen_at, silent_since in await self._store.read(queries.brief)
        ]

    # -- for people and scripts

    async def get(self, reference: str) -> Agent:
        """Raises NotFound."""
        agent = await self._store.read(lambda tx: self.find_agent(tx, reference))
        if agent is None:
            raise _unknown()
        return agent

    async def page(
        self, *, cursor: str | None, limit: int, with_retired: bool = False
    ) -> tuple[list[Agent], str | None]:
        key = decode_cursor(cursor, str, str)
        after = (key[0], key[1]) if key else None
        rows = await self._store.read(
            lambda tx: queries.page(tx, limit=limit + 1, after=after, with_retired=with_retired)
        )
        return page_of(rows, limit, lambda agent: (agent.name, agent.id))

    async def work_of(self, agent_id: str) -> list[WorkItem]:
        """What it measures, by target, without options and secrets."""
        return await self._store.read(lambda tx: work_queries.items_of_agent(tx, agent_id))

    async def search(self, text: str, *, limit: int) -> list[Agent]:
        if "\0" in text:
            return []
        return await self._store.read(lambda tx: queries.search(tx, text, limit=limit))

    async def rename(self, actor: Principal, agent_id: str, name: str, *, address: str | None = None) -> Agent:
        """Raises NotFound, InvalidField; Conflict when another agent is called so."""
        wanted = checked_name(name)

        def unit(tx: Tx) -> Agent:
            agent = _found(tx, agent_id)
            if wanted == agent.name:
                return agent
            if agent.retired_at is None and queries.is_name_taken(tx, wanted):
                raise Conflict(N_("another agent is called so"))
            queries.change(tx, agent_id, {"name": wanted})
            before, after = {"name": agent.name}, {"name": wanted}
            record(tx, actor, "agent.renamed", f"agent:{agent_id}", before=before, after=after, address=address)
            changed(tx, agent_id)
            self._tell(tx, agent_id)
            return _found(tx, agent_id)

        return await self._store.write(unit)

    async def retire(self, actor: Principal, agent_id: str, *, address: str | None = None) -> None:
        """It measures no more: its work is dropped, and a key of its own ends. To retire it again changes nothing."""
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            agent = _found(tx, agent_id)
            if agent.retired_at is not None:
                return
            queries.change(tx, agent_id, {"retired_at": now})
            work_queries.drop_all(tx, agent_id)
            if agent.is_enrolled:
                revoke_key(tx, actor, agent.key_id, now=now, address=address)
            record(tx, actor, "agent.retired", f"agent:{agent_id}", before={"name": agent.name}, address=address)
            tx.emit(AgentRetired(agent_id=agent_id, agent_name=agent.name, at=now))
            tx.publish(PLAN_TOPIC, agent_id)
            self._tell(tx, agent_id)

        await self._store.write(unit)

    async def take_back(self, actor: Principal, agent_id: str, *, address: str | None = None) -> Agent:
        """A retired agent is taken in again.

        Raises:
            NotFound: there is no such agent.
            Conflict: it had a key of its own, which is over; or its name has gone to another.
        """

        def unit(tx: Tx) -> Agent:
            agent = _found(tx, agent_id)
            if agent.retired_at is None:
                return agent
            if agent.is_enrolled:
                raise Conflict(N_("its key is over"), hint=N_("Enrol it anew: the old measurements stay."))
            if queries.is_name_taken(tx, agent.name):
                raise Conflict(N_("another agent is called so"), hint=N_("Rename one of them first."))
            queries.change(tx, agent_id, {"retired_at": None})
            record(tx, actor, "agent.taken_back", f"agent:{agent_id}", after={"name": agent.name}, address=address)
            self._tell(tx, agent_id)
            return _found(tx, agent_id)

        return await self._store.write(unit)

    def _tell(self, tx: Tx, agent_id: str) -> None:
        tx.after_commit(self._registry.forget)  # this hub at once, others by the topic
        tx.publish(REGISTRY_TOPIC, agent_id)
        tx.publish(AGENTS_TOPIC, agent_id)

    async def tidy(self) -> None:
        """Drop what has had its time: tries, tokens, marks of spools long gone."""
        now = self._clock.now()

        def unit(tx: Tx) -> None:
            work_queries.drop_tries(tx, expired_before=now - timedelta(seconds=_TRIES_KEPT_S))
            enrolment_queries.drop_old(tx, expired_before=now - timedelta(days=_ENROLMENTS_KEPT_DAYS))
            queries.drop_spools(tx, seen_before=now - timedelta(days=_SPOOLS_KEPT_DAYS))

        await self._store.write(unit)


def _found(tx: Tx, agent_id: str) -> Agent:
    agent = queries.find(tx, agent_id) if "\0" not in agent_id else None
    if agent is None:
        raise _unknown()
    return agent


def _unknown() -> NotFound:
    return NotFound(N_("there is no such agent"))
