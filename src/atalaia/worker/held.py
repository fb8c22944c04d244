"""A lease as its worker knows it: until when it can be proved, and which steps the hub has not heard of. Pure."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from atalaia.sdk.jobs import StepRecord

End = Literal["lost", "cancelled"]
# Of one request; the hub takes 1,000, and no body of any size.
MAX_STEPS: Final = 200
MAX_STEPS_BYTES: Final = 512 * 1024
# How often a lease is renewed within its time to live.
RENEWALS_A_TTL: Final = 3
FIRST_RENEWAL_S: Final = 2.0


@dataclass(slots=True)
class Commit:
    """Somebody waits for this step to be kept."""

    step: StepRecord
    kept: "Future[None]"


@dataclass(slots=True)
class Held:
    """`expires_at_s` and `renew_at_s` are of worker.clock.

    A lease is good for its ttl from when the renewal was *sent*: the hub counts from when it came in, which is later.
    """

    id: str
    token: str
    ttl_s: float
    expires_at_s: float
    renew_at_s: float
    steps: list[StepRecord] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)
    is_urgent: bool = False
    was_told: bool = False  # of a cancellation

    @classmethod
    def taken(cls, id: str, token: str, *, ttl_s: float, now_s: float) -> "Held":
        # The answer may have been long on its way: until the first renewal proves it, it is only believed.
        first_s = min(FIRST_RENEWAL_S, ttl_s / RENEWALS_A_TTL)
        return cls(id, token, ttl_s, now_s + ttl_s, now_s + first_s)

    def renewed(self, *, ttl_s: float, sent_at_s: float) -> None:
        self.ttl_s = ttl_s
        self.expires_at_s = max(self.expires_at_s, sent_at_s + ttl_s)
        self.renew_at_s = sent_at_s + ttl_s / RENEWALS_A_TTL

    def is_due(self, now_s: float) -> bool:
        return self.is_urgent or bool(self.steps) or now_s >= self.renew_at_s

    def next_steps(self) -> list[StepRecord]:
        """The oldest that fit into one request."""
        taken: list[StepRecord] = []
        size_bytes = 0
        for step in self.steps[:MAX_STEPS]:
            size_bytes += len(msgspec.json.encode(step))
            if taken and size_bytes > MAX_STEPS_BYTES:
                break
            taken.append(step)
        return taken

    def heard(self, sent: list[StepRecord]) -> None:
        """The hub has these; what was added meanwhile is still to be sent."""
        del self.steps[: len(sent)]
        self.is_urgent = bool(self.commits) and bool(self.steps)
