"""How all checks stand, at a glance; read often, so with as few columns as that needs."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from atalaia.core.translations import Translator
from atalaia.sdk.transaction import Tx
from atalaia.store.store import Store
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.reasons import Reason, shown_reason
from atalaia.watch.model.states import WORST_FIRST, CheckState
from atalaia.watch.model.titles import shown_title
from atalaia.watch.model.values import Incident, IncidentFilter
from atalaia.watch.queries import incidents as incident_queries
from atalaia.watch.queries import overview as queries

RECENT = 5  # so many of those that are over
# Of so many open ones the worst are shown; beyond that it is the newest that count.
MAX_OPEN_READ = 200
_RANK = {state: rank for rank, state in enumerate(WORST_FIRST)}
_TROUBLED = frozenset({CheckState.DOWN, CheckState.DEGRADED, CheckState.UNKNOWN})


class CheckGlance(msgspec.Struct, frozen=True):
    id: str
    name: str
    kind: CheckKind
    state: CheckState
    since_at: datetime
    last_at: datetime | None
    last_ms: float | None
    last_error: str | None
    target: str

    @property
    def is_troubled(self) -> bool:
        return self.state in _TROUBLED


class WatchOverview(msgspec.Struct, frozen=True):
    """`checks` worst first, then by name; `incidents` the worst of `open_incidents`; `recent` the newest that are over."""

    checks: Sequence[CheckGlance]
    counts: dict[CheckState, int]
    incidents: Sequence[Incident]
    open_incidents: int
    recent: Sequence[Incident] = ()


class Wording:
    """What is kept in English, in a reader's language."""

    def __init__(self, translator: Translator) -> None:
        self._translator = translator

    def title(self, incident: Incident) -> str:
        return shown_title(incident, self._translator.translate)

    def why(self, reason: str | None) -> Reason:
        return shown_reason(reason, self._translator.retell)


class WatchOverviews:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def read(self, *, max_incidents: int) -> WatchOverview:
        return await self._store.read(lambda tx: read_overview(tx, max_incidents=max_incidents))


def _recent(tx: Tx) -> list[Incident]:
    """The newest that are over, the last to end first."""
    found = incident_queries.page(tx, wanted=IncidentFilter(is_open=False), limit=RECENT)[:RECENT]
    return sorted(found, key=lambda incident: incident.resolved_at or incident.opened_at, reverse=True)


def read_overview(tx: Tx, *, max_incidents: int) -> WatchOverview:
    glances = [CheckGlance(*row) for row in queries.glances(tx)]
    glances.sort(key=lambda check: (_RANK[check.state], check.name.casefold()))
    open_ = incident_queries.page(tx, wanted=IncidentFilter(is_open=True), limit=MAX_OPEN_READ)
    open_.sort(key=lambda incident: incident.severity.rank, reverse=True)  # the newest first among the equally bad
    return WatchOverview(
        checks=glances,
        counts=dict(Counter(check.state for check in glances)),
        incidents=open_[:max_incidents],
        open_incidents=incident_queries.count_open(tx),
        recent=_recent(tx),
    )
