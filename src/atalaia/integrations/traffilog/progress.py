"""What the pushes of a unit mean: a pure machine of news and elapsed time.

| state | becomes | when |
| --- | --- | --- |
| going | unknown | Disconnected Unit, Disconnected, Retry, Batch Timeout, Internal Timeout, whatever else is said with it |
| going | failed | an error status, or an error text |
| going | done | status Completed or Done, or progress of 99.9 or more |
| going | silent | no news for `silent_s`; and back with the next news |
| silent | failed (silent_unit) | still silent `silent_limit_s` later |
| going, silent | failed (took_too_long) | `whole_s` after the start |
"""

from dataclasses import dataclass, field
from enum import StrEnum

from atalaia.integrations.traffilog.answers import Push

DONE_PERCENT = 99.9
_DONE = frozenset({"completed", "done"})
_UNKNOWN = frozenset({"disconnected unit", "disconnected", "retry", "batch timeout", "internal timeout"})
_ERRORS = ("error", "fail", "reject", "abort", "cancel")


class Verdict(StrEnum):
    GOING = "going"
    SILENT = "silent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SILENT_UNIT = "silent_unit"
    TOOK_TOO_LONG = "took_too_long"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait, in seconds."""

    silent_s: float = 30.0
    silent_limit_s: float = 300.0
    whole_s: float = 720.0


def judge(push: Push) -> Verdict:
    """One item of news by itself."""
    status = push.status.strip().lower()
    if status in _UNKNOWN:
        # First: an error text beside it says why the unit went away, not that nothing was done.
        return Verdict.UNKNOWN
    if push.error.strip() or any(word in status for word in _ERRORS):
        return Verdict.FAILED
    if status in _DONE or (push.progress is not None and push.progress >= DONE_PERCENT):
        return Verdict.DONE
    return Verdict.GOING


@dataclass(slots=True)
class Watching:
    """The wait for a unit; instants are monotonic seconds."""

    patience: Patience
    started_s: float
    last_news_s: float = field(init=False)
    last: Push | None = None

    def __post_init__(self) -> None:
        self.last_news_s = self.started_s

    def news(self, push: Push, now_s: float) -> Verdict:
        self.last_news_s, self.last = now_s, push
        return judge(push)

    def elapsed(self, now_s: float) -> Verdict:
        """Without news."""
        if now_s - self.started_s >= self.patience.whole_s:
            return Verdict.TOOK_TOO_LONG
        quiet_s = now_s - self.last_news_s
        if quiet_s >= self.patience.silent_s + self.patience.silent_limit_s:
            return Verdict.SILENT_UNIT
        return Verdict.SILENT if quiet_s >= self.patience.silent_s else Verdict.GOING

    def next_change_s(self, now_s: float) -> float:
        """Seconds until `elapsed` may say something else."""
        quiet_from = self.last_news_s + self.patience.silent_s
        due = [self.started_s + self.patience.whole_s, quiet_from, quiet_from + self.patience.silent_limit_s]
        return max(0.0, min(at for at in due if at > now_s)) - now_s if any(at > now_s for at in due) else 0.0
