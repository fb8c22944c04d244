"""Who has fallen silent and who is back. Pure.

What can't be known is not said: while the hub itself was away (just started, asleep, not the leader) it heard nobody, so
everybody gets the full time from then on.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from atalaia.agents.model.agents import SILENT_AFTER_S

# An instant further ahead than this was written before the hub's clock was set back.
_AHEAD = timedelta(seconds=10)


class Heard(msgspec.Struct, frozen=True):
    agent_id: str
    name: str
    last_seen_at: datetime
    silent_since: datetime | None


class Change(msgspec.Struct, frozen=True):
    """`is_silent`: fell silent, else back."""

    agent_id: str
    name: str
    is_silent: bool
    last_seen_at: datetime


def changes(
    heard: Iterable[Heard], *, fresher: Mapping[str, datetime], listening_since: datetime, now: datetime
) -> list[Change]:
    """`fresher`: instants that are not written yet; `listening_since`: from when on the hub would have heard them."""
    found: list[Change] = []
    for agent in heard:
        last_at = max(agent.last_seen_at, fresher.get(agent.agent_id, agent.last_seen_at))
        if last_at > now + _AHEAD:
            last_at = listening_since
        if agent.silent_since is None:
            if now - max(last_at, listening_since) >= timedelta(seconds=SILENT_AFTER_S):
                found.append(Change(agent.agent_id, agent.name, is_silent=True, last_seen_at=last_at))
        elif now - last_at < timedelta(seconds=SILENT_AFTER_S):
            found.append(Change(agent.agent_id, agent.name, is_silent=False, last_seen_at=last_at))
    return found
