"""How bad it is; the order decides which routes take a message."""

from enum import StrEnum


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def is_at_least(self, other: "Severity") -> bool:
        return self.rank >= other.rank


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}
