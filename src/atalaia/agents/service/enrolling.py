"""Enrolment: a token, pasted once, becomes a key of the agent's own."""

from datetime import datetime, timedelta

import msgspec

from atalaia.access.audit import record
from atalaia.access.credentials import digest
from atalaia.access.service.keys import create_key
from atalaia.agents.model.agents import Enrolment
from atalaia.agents.model.wire import AgentInfo
from atalaia.agents.queries import enrolments as queries
from atalaia.agents.queries import registry
from atalaia.agents.service.registry import checked_name, free_name
from atalaia.core.clock import Clock
from atalaia.core.errors import InvalidField, NotFound, Unauthenticated
from atalaia.core.ids import new_id, new_token
from atalaia.core.permissions import SYSTEM, Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

DEFAULT_TTL_S = 86_400
MAX_TTL_S = 30 * 86_400
MAX_USES = 1_000
_MARK = "ate_"


class NewEnrolment(msgspec.Struct, frozen=True, kw_only=True):
    """`token` is shown this once; `line` is what is pasted into a shell on the machine."""

    id: str
    token: str
    line: str
    expires_at: datetime
    uses: int

    def __repr__(self) -> str:
        return f"NewEnrolment({self.id})"


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    agent_id: str
    name: str
    key: str

    def __repr__(self) -> str:
        return f"Enrolled({self.agent_id})"


class Enrolling:
    def __init__(self, store: Store, *, clock: Clock, public_url: str) -> None:
        self._store = store
        self._clock = clock
        self._public_url = public_url.rstrip("/")

    async def offer(
        self,
        actor: Principal,
        *,
        name: str | None = None,
        ttl_s: int = DEFAULT_TTL_S,
        uses: int = 1,
        address: str | None = None,
    ) -> NewEnrolment:
        """Make a token.

        Raises:
            InvalidField: a name, a time to live or a number of uses that can't be.
        """
        if not 0 < ttl_s <= MAX_TTL_S:
            raise InvalidField("ttl_s", N_("must be between 1 and {most}"), most=MAX_TTL_S)
        if not 0 < uses <= MAX_USES:
            raise InvalidField("uses", N_("must be between 1 and {most}"), most=MAX_USES)
        now = self._clock.now()
        token = _MARK + new_token()
        enrolment = Enrolment(
            id=new_id(),
            name=checked_name(name) if name else None,
            created_at=now,
            created_by=actor.name,
            expires_at=now + timedelta(seconds=ttl_s),
            uses_left=uses,
            uses=0,
        )
        await self._store.write(lambda tx: _offer(tx, actor, enrolment, token, address))
        return NewEnrolment(
            id=enrolment.id, token=token, line=self.line(token), expires_at=enrolment.expires_at, uses=uses
        )

    def line(self, token: str) -> str:
        """What is pasted: the agent is fetched from the hub and started."""
        hub = self._public_url
        return (
            f"curl -fsSL {hub}/agent.pyz -o atalaia-agent.pyz && "
            f"python3 atalaia-agent.pyz --hub {hub} --enrol {token} --spool ./atalaia-spool"
        )

    async def enrol(self, *, token: str, name: str | None, hostname: str, address: str | None) -> Enrolled:
        """Turn a token into an agent with a key.

        Raises:
            Unauthenticated: the token is unknown, over or used up.
        """
        now = self._clock.now()
        return await self._store.write(
            lambda tx: _enrol(tx, token=token, name=name, hostname=hostname, address=address, now=now)
        )

    async def in_force(self) -> list[Enrolment]:
        now = self._clock.now()
        return await self._store.read(lambda tx: queries.in_force(tx, now=now))

    async def withdraw(self, actor: Principal, enrolment_id: str, *, address: str | None = None) -> None:
        """Raises NotFound."""

        def unit(tx: Tx) -> None:
            if "\0" in enrolment_id or not queries.remove(tx, enrolment_id):
                raise NotFound(N_("there is no such enrolment"))
            record(tx, actor, "enrolment.withdrawn", f"enrolment:{enrolment_id}", address=address)

        await self._store.write(unit)


def _offer(tx: Tx, actor: Principal, enrolment: Enrolment, token: str, address: str | None) -> None:
    queries.add(tx, enrolment, sha256=digest(token))
    after = {"name": enrolment.name, "expires_at": enrolment.expires_at, "uses": enrolment.uses_left}
    what = f"enrolment:{enrolment.id}"
    record(tx, actor, "enrolment.created", what, after=after, address=address, now=enrolment.created_at)


def _enrol(tx: Tx, *, token: str, name: str | None, hostname: str, address: str | None, now: datetime) -> Enrolled:
    enrolment = queries.use(tx, digest(token), now=now)
    if enrolment is None:
        raise Unauthenticated(
            N_("this enrolment token is not valid"),
            code="enrolment_invalid",
            hint=N_("It may be used up or over: make a new line on the page of the agents."),
        )
    final = free_name(tx, checked_name(enrolment.name or name or hostname or "agent"))
    key = create_key(tx, SYSTEM, name=f"agent {final}"[:100], scopes=["agent"], now=now, address=address)
    agent_id = new_id()
    info = AgentInfo(name=name or hostname or final, hostname=hostname)
    registry.add(tx, id=agent_id, name=final, key_id=key.key.id, is_enrolled=True, info=info, now=now)
    record(tx, SYSTEM, "agent.enrolled", f"agent:{agent_id}", after={"name": final}, address=address, now=now)
    tx.publish("agents", agent_id)
    return Enrolled(agent_id=agent_id, name=final, key=key.value)
