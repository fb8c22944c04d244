"""Who the agents are: found by key and name, registered at their first call."""

from datetime import datetime

from atalaia.agents.model.agents import Known
from atalaia.agents.model.wire import AgentInfo
from atalaia.agents.queries import registry as queries
from atalaia.core.clock import Clock
from atalaia.core.errors import Forbidden, InvalidField, TooManyRequests
from atalaia.core.ids import new_id
from atalaia.core.permissions import Principal
from atalaia.core.translations import N_
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store

REGISTRY_TOPIC = "agent-registry"
MAX_AGENTS_OF_KEY = 1_000
_MAX_REMEMBERED = 50_000
_RETRY_AFTER_S = 300


class Registry:
    """`identify` asks nobody where an agent is remembered."""

    def __init__(self, store: Store, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[tuple[str, str], Known] = {}
        self._generation = 0
        store.live.subscribe(self._on_live)

    async def identify(self, principal: Principal, info: AgentInfo) -> Known:
        """The agent behind a key and a name.

        Raises:
            Forbidden: it was retired.
            InvalidField: a name that can't be one.
            TooManyRequests: one key, too many names.
        """
        identity = (principal.id, info.name)
        known = self._known.get(identity)
        if known is None or known.facts != facts_of(info):
            known = await self._find_or_register(principal, info)
        if known.is_retired:
            raise Forbidden(
                N_("this agent was retired"),
                code="agent_retired",
                hint=N_("Take it back on its page, or enrol it anew."),
            )
        return known

    async def _find_or_register(self, principal: Principal, info: AgentInfo) -> Known:
        generation = self._generation
        known = await self._store.read(lambda tx: queries.known(tx, key_id=principal.id, own_name=info.name))
        if known is None or (known.facts != facts_of(info) and not known.is_retired):
            now = self._clock.now()
            known = await self._store.write(lambda tx: register(tx, principal, info, now=now))
        if generation == self._generation:
            if len(self._known) >= _MAX_REMEMBERED:
                self._known.clear()
            self._known[principal.id, info.name] = known
        return known

    def _on_live(self, topic: str, _id: str) -> None:
        if topic == REGISTRY_TOPIC:
            self.forget()

    def forget(self) -> None:
        self._generation += 1
        self._known = {}


def facts_of(info: AgentInfo) -> tuple[str, str, str, str]:
    return (info.hostname, info.version, info.python, info.platform)


def register(tx: Tx, principal: Principal, info: AgentInfo, *, now: datetime) -> Known:
    """A new agent, or new facts of one that is there."""
    known = queries.known(tx, key_id=principal.id, own_name=info.name)
    hostname, version, python, platform = facts = facts_of(info)
    if known is not None:
        changed = {"hostname": hostname, "version": version, "python": python, "platform": platform}
        queries.change(tx, known.id, changed)
        return Known(known.id, known.name, known.is_retired, facts)
    if queries.count_of_key(tx, principal.id) >= MAX_AGENTS_OF_KEY:
        raise TooManyRequests(
            N_("one key has at most {limit} agents"), limit=MAX_AGENTS_OF_KEY, retry_after_s=_RETRY_AFTER_S
        )
    name = free_name(tx, checked_name(info.name, field="agent.name"))
    id_ = new_id()
    queries.add(tx, id=id_, name=name, key_id=principal.id, is_enrolled=False, info=info, now=now)
    tx.publish("agents", id_)
    return Known(id_, name, is_retired=False, facts=facts)


def checked_name(name: str, *, field: str = "name") -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():  # noqa: PLR2004 - as in the text
        raise InvalidField(field, N_("a name has 1 to 100 printable characters"))
    return name


def free_name(tx: Tx, wanted: str) -> str:
    """`wanted`, or with the first number behind it that makes it unique among the agents in use."""
    name, number = wanted, 1
    while queries.is_name_taken(tx, name):
        number += 1
        name = f"{wanted}-{number}"
    return name
