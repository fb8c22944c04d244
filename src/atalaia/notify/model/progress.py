"""How far a message has got with each of its targets; kept with it in the outbox."""

from collections.abc import Mapping, Sequence
from enum import StrEnum


class Fate(StrEnum):
    """Of one target. What is settled is never tried again."""

    BEGUN = "begun"  # on disk before the message goes; found after a crash it means: perhaps sent
    DELIVERED = "delivered"
    REFUSED = "refused"  # surely not sent, and never to be
    UNKNOWN = "unknown"  # perhaps sent
    EXPIRED = "expired"  # not sent: it would have come too late
    FAILED = "failed"  # to be tried again; not kept


SETTLED = frozenset({Fate.DELIVERED, Fate.REFUSED, Fate.UNKNOWN, Fate.EXPIRED})
Progress = Mapping[str, Fate]


def read_progress(stored: Mapping[str, str] | None) -> dict[str, Fate]:
    return {target: Fate(word) for target, word in (stored or {}).items()}


def pending(targets: Sequence[str], progress: Progress) -> list[str]:
    """Those that have not come to an end, in their order, each once."""
    return [target for target in dict.fromkeys(targets) if progress.get(target) not in SETTLED]


def settled(progress: Progress) -> dict[str, Fate]:
    return {target: fate for target, fate in progress.items() if fate in SETTLED}
