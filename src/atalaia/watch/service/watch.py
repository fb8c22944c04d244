"""What can be done with checks and incidents, for the edges: api, pages, loops. Each method is one unit of work."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from atalaia.agents.model.wire import Result as WireResult
from atalaia.core.clock import Clock
from atalaia.core.errors import Conflict, InvalidField, NotFound
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.watch.model.checks import CheckKind, CheckSpec, check_kept, checked
from atalaia.watch.model.incidents import IncidentState
from atalaia.watch.model.states import CheckState
from atalaia.watch.model.uptime import uptime
from atalaia.watch.model.values import Check, CheckFilter, Incident, IncidentFilter, Ping, Span, TimelineEvent
from atalaia.watch.ports import AgentRef, Fleet
from atalaia.watch.queries import checks as check_queries
from atalaia.watch.queries import history, states
from atalaia.watch.queries import incidents as incident_queries
from atalaia.watch.service.checks import CheckBook
from atalaia.watch.service.incidents import Incidents

WINDOWS = {"24h": 1, "7d": 7, "30d": 30, "90d": 90, "365d": 365}
COMMENT_MAX = 20_000
TRY_EXTRA_S = 10.0


class Percentiles(msgspec.Struct, frozen=True):
    """Of a check's duration, in ms; None where nothing was measured, or not kept that finely."""

    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


class WindowStats(msgspec.Struct, frozen=True):
    """`uptime` from 0 to 1."""

    uptime: float | None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None


Latency = Callable[[str, datetime, datetime], Awaitable[Percentiles]]
"""(check, from, until)"""


class Audit(Protocol):
    def __call__(
        self, tx: Tx, principal: Principal, action: str, object: str, *, before: Any = None, after: Any = None,
        address: str | None = None, now: datetime | None = None,
    ) -> None: ...  # fmt: skip


class Actor(msgspec.Struct, frozen=True):
    """Who does it, and from where."""

    principal: Principal
    address: str | None = None

    @property
    def name(self) -> str:
        return self.principal.name


class WatchService:
    def __init__(
        self, store: Store, *, clock: Clock, book: CheckBook, incidents: Incidents, fleet: Fleet, audit: Audit,
        latency: Latency, public_url: str,
    ) -> None:  # fmt: skip
        self.public_url = public_url
        self._store = store
        self._clock = clock
        self._book = book
        self._incidents = incidents
        self._fleet = fleet
        self._audit = audit
        self._latency = latency

    # -- checks

    async def add_check(self, spec: CheckSpec, actor: Actor) -> Check:
        def unit(tx: Tx) -> Check:
            check = self._book.add(tx, spec, by=actor.name, now=self._clock.now())
            self._record(tx, actor, "check.created", check, after=shown(check))
            return check

        return await self._store.write(unit)

    async def change_check(
        self, check_id: str, patch: Mapping[str, Any], actor: Actor, *, seen: int | None = None
    ) -> Check:
        """`seen`: the revision that the changes were made on; of another one nothing is changed.

        Raises: NotFound, InvalidField, msgspec.ValidationError; Conflict: somebody else has changed it since.
        """

        def unit(tx: Tx) -> Check:
            before = self._book.held(tx, check_id)
            if seen not in {None, before.revision}:
                raise Conflict(
                    N_("Somebody else has changed this check since you opened it."),
                    hint=N_("Compare in another tab; saving once more puts what stands here in its place."),
                    code="changed_since",
                )
            after = self._book.change(tx, check_id, patch, by=actor.name, now=self._clock.now())
            self._record(tx, actor, "check.changed", after, before=shown(before), after=shown(after))
            return after

        return await self._store.write(unit)

    async def pause_check(self, check_id: str, actor: Actor, *, is_paused: bool) -> Check:
        def unit(tx: Tx) -> Check:
            check = self._book.pause(tx, check_id, is_paused=is_paused, by=actor.name, now=self._clock.now())
            self._record(tx, actor, "check.paused" if is_paused else "check.resumed", check)
            return check

        return await self._store.write(unit)

    async def remove_check(self, check_id: str, actor: Actor) -> None:
        def unit(tx: Tx) -> None:
            check = self._book.remove(tx, check_id, by=actor.name, now=self._clock.now())
            self._record(tx, actor, "check.removed", check, before=shown(check))

        await self._store.write(unit)

    async def check(self, check_id: str) -> Check:
        """Raises NotFound."""
        return await self._store.read(lambda tx: self._book.found(tx, check_id))

    async def find_check(self, check_id: str) -> Check | None:
        return await self._store.read(lambda tx: check_queries.find(tx, check_id))

    def now(self) -> datetime:
        return self._clock.now()

    async def checks(self, wanted: CheckFilter, *, limit: int, after: str | None = None) -> list[Check]:
        """Newest first; one more than `limit`."""
        return await self._store.read(lambda tx: check_queries.page(tx, wanted=wanted, limit=limit, after=after))

    async def checks_worst_first(
        self, wanted: CheckFilter, *, limit: int, after: tuple[int, str, str] | None = None
    ) -> tuple[list[Check], tuple[int, str, str] | None]:
        """A page, and the key of its last check where there are more."""

        def unit(tx: Tx) -> tuple[list[Check], tuple[int, str, str] | None]:
            found = check_queries.page_worst_first(tx, wanted=wanted, limit=limit, after=after)
            page = found[:limit]
            return page, check_queries.worst_key(tx, page[-1].id) if len(found) > limit else None

        return await self._store.read(unit)

    async def counts(self) -> dict[CheckState, int]:
        return await self._store.read(states.counts)

    async def labels(self) -> list[tuple[str, str]]:
        return await self._store.read(check_queries.label_values)

    async def agents(self) -> list[AgentRef]:
        return await self._fleet.all()

    async def agents_by_id(self) -> dict[str, AgentRef]:
        return {agent.id: agent for agent in await self._fleet.all()}

    async def spans(self, check_ids: Sequence[str], *, days: int) -> dict[str, list[Span]]:
        since = self._clock.now() - timedelta(days=days)
        return await self._store.read(lambda tx: history.spans_since(tx, check_ids, since))

    async def events(self, check_id: str, *, limit: int, after: str | None = None) -> list[TimelineEvent]:
        """Newest first; one more than `limit`."""
        return await self._store.read(lambda tx: history.events_page(tx, check_id, limit=limit, after=after))

    async def pings(self, check_id: str, *, limit: int = 20) -> list[Ping]:
        return await self._store.read(lambda tx: history.pings_page(tx, check_id, limit=limit))

    async def stats(self, check_id: str) -> dict[str, WindowStats]:
        """By window: 24h, 7d, 30d, 90d, 365d."""
        await self.check(check_id)
        now = self._clock.now()
        spans = (await self.spans([check_id], days=max(WINDOWS.values())))[check_id]
        found: dict[str, WindowStats] = {}
        for name, days in WINDOWS.items():
            since = now - timedelta(days=days)
            latency = await self._latency(check_id, since, now)
            found[name] = WindowStats(uptime(spans, since, now), latency.p50_ms, latency.p95_ms, latency.p99_ms)
        return found

    async def try_spec(self, spec: CheckSpec, *, check_id: str | None = None) -> WireResult:
        """Measure once, on a real agent: the first named one, else one that the hub picks.

        `check_id`: secrets that `spec` leaves out are taken from this check.

        Raises:
            InvalidField, NotFound
            Conflict: there is no agent that could, or it didn't answer in time.
        """
        if spec.kind is CheckKind.HEARTBEAT:
            raise InvalidField("kind", N_("A heartbeat is pushed to the hub: there is nothing to try."))

        def unit(tx: Tx) -> tuple[CheckSpec, str | None]:
            kept = self._book.secrets(tx, check_id) if check_id else {}
            full = checked(msgspec.structs.replace(spec, secrets=kept | spec.secrets))
            if check_id:
                check_kept(self._book.found(tx, check_id).spec, full, kept=kept.keys() - spec.secrets.keys())
            agent = self._book.resolve_agent(tx, full.agents[0]) if full.agents else self._book.pick_agent(tx)
            return full, agent

        full, agent_id = await self._store.read(unit)
        if agent_id is None:
            raise Conflict(
                N_("no agent is there to try it"), code="no_agent", hint=N_("Start an agent: Agents, New agent.")
            )
        order = self._book.order_of(full, new_id())
        return await self._fleet.try_now(order, agent_id=agent_id, timeout_s=full.timeout_s + TRY_EXTRA_S)

    async def try_check(self, check_id: str) -> WireResult:
        check = await self.check(check_id)
        agents = [place.agent_id for place in check.places]
        return await self.try_spec(msgspec.structs.replace(check.spec, agents=agents), check_id=check_id)

    # -- incidents

    async def incidents(self, wanted: IncidentFilter, *, limit: int, after: str | None = None) -> list[Incident]:
        """Newest first; one more than `limit`."""
        return await self._store.read(lambda tx: incident_queries.page(tx, wanted=wanted, limit=limit, after=after))

    async def incident(self, incident_id: str) -> tuple[Incident, list[TimelineEvent]]:
        """Raises NotFound."""

        def unit(tx: Tx) -> tuple[Incident, list[TimelineEvent]]:
            incident = incident_queries.find(tx, incident_id)
            if incident is None:
                raise NotFound(N_("there is no such incident"))
            return incident, incident_queries.events(tx, incident_id)

        return await self._store.read(unit)

    async def acknowledge(self, incident_id: str, actor: Actor) -> Incident:
        def unit(tx: Tx) -> Incident:
            incident = self._incidents.acknowledge(tx, incident_id, by=actor.name, now=self._clock.now())
            self._record_incident(tx, actor, "incident.acknowledged", incident)
            return incident

        return await self._store.write(unit)

    async def comment(self, incident_id: str, text: str, actor: Actor) -> Incident:
        text = text.strip()
        if not text or "\0" in text:
            raise InvalidField("text", N_("Say something."))
        if len(text) > COMMENT_MAX:
            raise InvalidField("text", N_("At most {limit} characters."), limit=COMMENT_MAX)
        now = self._clock.now()
        return await self._store.write(
            lambda tx: self._incidents.comment(tx, incident_id, by=actor.name, text=text, now=now)
        )

    async def close(self, incident_id: str, actor: Actor) -> Incident:
        def unit(tx: Tx) -> Incident:
            incident = self._incidents.close(tx, incident_id, by=actor.name, now=self._clock.now())
            self._record_incident(tx, actor, "incident.closed", incident)
            return incident

        return await self._store.write(unit)

    async def open_incidents_of(self, check_id: str) -> list[Incident]:
        wanted = IncidentFilter(is_open=True, check_id=check_id)
        return await self._store.read(lambda tx: incident_queries.page(tx, wanted=wanted, limit=10))

    async def open_count(self) -> int:
        return await self._store.read(incident_queries.count_open)

    # -- inside

    def _record(
        self, tx: Tx, actor: Actor, action: str, check: Check, *, before: Any = None, after: Any = None
    ) -> None:
        self._audit(
            tx, actor.principal, action, f"check:{check.id}", before=before, after=after, address=actor.address,
            now=self._clock.now(),
        )  # fmt: skip

    def _record_incident(self, tx: Tx, actor: Actor, action: str, incident: Incident) -> None:
        self._audit(
            tx, actor.principal, action, f"incident:{incident.id}", after={"state": str(incident.state)},
            address=actor.address, now=self._clock.now(),
        )  # fmt: skip


def shown(check: Check) -> dict[str, Any]:
    """A check's own settings for the audit log; secrets are not among them."""
    fields: dict[str, Any] = msgspec.to_builtins(check.spec)
    del fields["secrets"]
    return fields | {"has_secrets": check.has_secrets}


OPEN = frozenset({IncidentState.OPEN, IncidentState.ACKNOWLEDGED})
