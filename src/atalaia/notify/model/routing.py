"""Which channels a message goes to."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from atalaia.notify.model.severity import Severity

REPEAT_INTERVAL_S = 4 * 3600  # Alertmanager's default too: often enough to be remembered, rare enough to be read
GROUP_WAIT_S = 30


@dataclass(frozen=True, slots=True)
class Route:
    """Takes what carries all labels of `match` (none: everything) and is at least `min_severity` (None: any).

    `repeat_interval_s` 0 never repeats; `group_wait_s` 0 sends each message by itself.
    """

    id: str
    channel_id: str
    match: Mapping[str, str]
    min_severity: Severity | None = None
    repeat_interval_s: int = REPEAT_INTERVAL_S
    group_wait_s: int = GROUP_WAIT_S

    def takes(self, labels: Mapping[str, str], severity: Severity) -> bool:
        if self.min_severity is not None and not severity.is_at_least(self.min_severity):
            return False
        return all(labels.get(name) == value for name, value in self.match.items())


@dataclass(frozen=True, slots=True)
class Destination:
    channel_id: str
    repeat_interval_s: int
    group_wait_s: int


def choose_destinations(
    routes: Iterable[Route], *, labels: Mapping[str, str], severity: Severity
) -> dict[str, Destination]:
    """Each channel once, by its id; where several routes lead to it, the most eager of their intervals."""
    chosen: dict[str, Destination] = {}
    for route in routes:
        if not route.takes(labels, severity):
            continue
        found = chosen.get(route.channel_id)
        repeats = [value for value in (route.repeat_interval_s, found.repeat_interval_s if found else 0) if value]
        chosen[route.channel_id] = Destination(
            channel_id=route.channel_id,
            repeat_interval_s=min(repeats, default=0),
            group_wait_s=min(route.group_wait_s, found.group_wait_s) if found else route.group_wait_s,
        )
    return chosen
