"""An agent as pages show it: one state, and what is not as it should be. Pure."""

from dataclasses import dataclass
from datetime import datetime

from atalaia.agents.model.agents import Agent, AgentState
from atalaia.core.clock import SystemClock, from_ms
from atalaia.core.translations import N_

_clock = SystemClock()
_WORDS = {"up": N_("Online"), "degraded": N_("Look at it"), "unknown": N_("Silent"), "paused": N_("Retired")}
_LINES = {"up": N_("up"), "down": N_("down"), "unknown": N_("not checked")}


@dataclass(frozen=True, slots=True)
class AgentView:
    """`badge` is a state of the badges; `troubles` are English, keys of the translations, the worst first."""

    agent: Agent
    badge: str
    word: str
    troubles: tuple[str, ...]
    clock_offset_ms: float | None
    line: str | None
    started_at: datetime | None
    cpu_share: float | None


def view_of(agent: Agent, *, now: datetime | None = None) -> AgentView:
    now = now or _clock.now()
    state = agent.state(now)
    troubles = _troubles(agent)
    badge = {AgentState.ONLINE: "up", AgentState.SILENT: "unknown", AgentState.RETIRED: "paused"}[state]
    if badge == "up" and troubles:
        badge = "degraded"
    seen = agent.seen
    started_at = from_ms(seen.started_at) if seen.started_at else None
    return AgentView(
        agent=agent,
        badge=badge,
        word=_WORDS[badge],
        troubles=troubles,
        clock_offset_ms=seen.clock_skew_ms if seen.is_clock_off else seen.status.clock_offset_ms,
        line=_LINES.get(seen.status.line or ""),
        started_at=started_at,
        cpu_share=_cpu_share(seen.status.cpu_s, started_at, agent.last_seen_at),
    )


def _troubles(agent: Agent) -> tuple[str, ...]:
    seen = agent.seen
    found = []
    if seen.is_clock_off:
        found.append(
            N_("Its clock is over a minute off. Measured times are kept as they came; set the clock of the machine.")
        )
    if seen.status.spool_error:
        found.append(N_("It can't write to its spool: what it measures now is kept in memory only."))
    if seen.status.line == "down":
        found.append(N_("It reaches none of its reference addresses: its own line is down."))
    return tuple(found)


def _cpu_share(cpu_s: float | None, started_at: datetime | None, last_seen_at: datetime | None) -> float | None:
    """Of one core, over the life of the agent's process."""
    if cpu_s is None or started_at is None or last_seen_at is None:
        return None
    lived_s = (last_seen_at - started_at).total_seconds()
    return cpu_s / lived_s if lived_s > 0 else None
