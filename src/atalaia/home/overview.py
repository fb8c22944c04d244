"""What the overview shows: all at a glance, the worst first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from atalaia.agents.model.agents import Agent, AgentState
from atalaia.agents.service import AgentsService
from atalaia.core.clock import Clock
from atalaia.watch.model.checks import CheckKind
from atalaia.watch.model.values import Incident
from atalaia.watch.service.overview import CheckGlance, WatchOverview, WatchOverviews

MAX_TROUBLED = 50
MAX_INCIDENTS = 20
MAX_AGENTS = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """The line that tells from 5 metres whether to get up: of what kind the worst is, and how many of it there are."""

    state: str
    kind: str  # down, silent, degraded, unknown, open, well
    n: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    verdict: Verdict
    counts: dict[str, int]
    total: int
    incidents: Sequence[Incident]
    more_incidents: int
    troubled: Sequence[CheckGlance]
    more_troubled: int
    checks: Sequence[CheckGlance]
    agents_online: int
    agents_silent: Sequence[Agent]
    read_at: datetime
    recent: Sequence[Incident] = ()

    @property
    def lacks_agent(self) -> bool:
        """There is something to measure, and nobody who does."""
        return self.agents_online == 0 and any(check.kind is not CheckKind.HEARTBEAT for check in self.checks)

    @property
    def is_new(self) -> bool:
        """Nothing is watched yet."""
        return self.total == 0


class OverviewService:
    def __init__(self, watch: WatchOverviews, agents: AgentsService, *, clock: Clock) -> None:
        self._watch = watch
        self._agents = agents
        self._clock = clock

    async def read(self) -> Shown:
        seen = await self._watch.read(max_incidents=MAX_INCIDENTS)
        agents = await self._agents.brief()
        silent = await self._silent() if any(agent.is_silent for agent in agents) else []
        # Told once: what has an incident above is not said again below.
        told = {incident.check_id for incident in seen.incidents}
        troubled = [check for check in seen.checks if check.is_troubled and check.id not in told]
        return Shown(
            verdict=verdict(seen, len(silent)),
            counts={str(state): count for state, count in seen.counts.items()},
            total=len(seen.checks),
            incidents=seen.incidents,
            more_incidents=seen.open_incidents - len(seen.incidents),
            troubled=troubled[:MAX_TROUBLED],
            more_troubled=max(0, len(troubled) - MAX_TROUBLED),
            checks=seen.checks,
            agents_online=len(agents) - len(silent),
            agents_silent=silent,
            read_at=self._clock.now(),
            recent=seen.recent,
        )

    async def _silent(self) -> list[Agent]:
        now = self._clock.now()
        agents, _ = await self._agents.page(cursor=None, limit=MAX_AGENTS)
        return [agent for agent in agents if agent.state(now) is AgentState.SILENT]


def verdict(seen: WatchOverview, silent_agents: int) -> Verdict:
    """The worst thing, in one line.

    The order: down, agents silent, degraded, not known, an incident still open, all well.
    """
    counts = {str(state): count for state, count in seen.counts.items()}
    candidates = (
        Verdict("down", "down", counts.get("down", 0)),
        Verdict("unknown", "silent", silent_agents),
        Verdict("degraded", "degraded", counts.get("degraded", 0)),
        Verdict("unknown", "unknown", counts.get("unknown", 0)),
        Verdict("degraded", "open", seen.open_incidents),
    )
    return next((verdict for verdict in candidates if verdict.n), Verdict("up", "well"))
