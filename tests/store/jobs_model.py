"""The lease machine, told as simply as possible: what the product is held against. Nothing of the product's own rules is used."""

from dataclasses import dataclass, field

MAX_ATTEMPTS = 3
LOST_MOST = 3


@dataclass
class Lease:
    number: int
    token: str
    worker: str
    mode: str
    request: str
    renewed_at: float  # monotonic
    steps: dict[int, str] = field(default_factory=dict)  # n -> state, of those that were declared irreversible
    declared: set[int] = field(default_factory=set)

    @property
    def irreversible(self) -> str:
        states = [self.steps[n] for n in self.declared]
        if any(state in {"irreversible", "started"} for state in states):
            return "open"
        return "taken" if "done" in states else "none"


@dataclass
class Job:
    id: str
    type: str
    key: str | None
    state: str = "waiting"
    failed: int = 0
    lost: int = 0
    most: int = MAX_ATTEMPTS
    is_cancelled: bool = False
    lease: Lease | None = None
    last: Lease | None = None
    said: dict[str, tuple[str, str]] = field(default_factory=dict)  # token -> (outcome, body) that was taken
    irreversible: str = "none"

    @property
    def can_resolve(self) -> bool:
        return self.type == "drive"

    @property
    def is_over(self) -> bool:
        return self.state in {"succeeded", "failed", "dead", "unknown", "cancelled"}

    # -- what happens to it

    def taken(self, lease: Lease) -> None:
        self.state = "resolving" if lease.mode == "resolve" else "leased"
        self.lease = self.last = lease

    def said_of(self, outcome: str, *, is_retryable: bool = True) -> None:
        lease = self.lease
        assert lease is not None
        marks = self.irreversible if lease.mode == "resolve" else lease.irreversible
        self.irreversible = marks
        self.lease = None
        if outcome == "succeeded":
            self.state = "succeeded"
        elif outcome == "failed" and not is_retryable:
            self.state = "failed"
        elif lease.mode == "resolve":
            self._resolved(outcome)
        else:
            self._ran(outcome, marks)

    def _ran(self, outcome: str, marks: str) -> None:
        if outcome == "lapsed":
            self.lost += 1
        if outcome == "uncertain":
            self._unknown()
        elif outcome == "failed":
            if marks == "open":
                self.failed += 1
                self._unknown()
            elif marks == "taken":
                self.failed += 1
                self.state = "failed"
            else:
                self._try_again()
        elif marks != "none":
            self._unknown()
        elif outcome == "cancelled" or self.is_cancelled:
            self.state = "cancelled"
        elif outcome == "lapsed":
            self.state = "waiting" if self.lost < LOST_MOST else "dead"
        else:
            self.state = {"snoozed": "snoozed", "released": "waiting"}[outcome]

    def _resolved(self, outcome: str) -> None:
        if outcome == "lapsed":
            self.lost += 1
            self.state = "resolving" if self.lost < LOST_MOST else "unknown"
        elif outcome in {"snoozed", "released"}:
            self.state = "unknown" if self.is_cancelled else "resolving"
        elif outcome == "failed":
            self._try_again()
        else:
            self.state = "unknown"

    def _try_again(self) -> None:
        self.failed += 1
        self.irreversible = "none"
        if self.is_cancelled:
            self.state = "cancelled"
        else:
            self.state = "retrying" if self.failed < self.most else "dead"

    def _unknown(self) -> None:
        self.state = "resolving" if self.can_resolve else "unknown"

    def cancel(self) -> None:
        if self.lease is not None:
            self.is_cancelled = True
        else:
            self.state = "unknown" if self.state == "resolving" else "cancelled"

    def again(self, *, attempts: int) -> None:
        self.state, self.lost, self.is_cancelled, self.irreversible = "waiting", 0, False, "none"
        self.failed, self.most = attempts, attempts + MAX_ATTEMPTS
