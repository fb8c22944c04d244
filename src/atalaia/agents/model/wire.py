"""What agents send, read into types: plans asked for, records, enrolment. Unknown fields are passed over.

Source: the docstring of atalaia_agent.wire
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

MAX_BATCH_RECORDS = 1_000
MAX_PLAN_WAIT_S = 25.0
# The last millisecond of the year 9999, beyond which there is no instant in Python.
_LAST_MS = 253_402_300_799_999

Ms = Annotated[int, Meta(ge=0, le=_LAST_MS)]
Seq = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(max_length=200)]
Prose = Annotated[str, Meta(max_length=20_000)]
Line = Literal["up", "down", "unknown"]


class AgentInfo(msgspec.Struct, frozen=True):
    """Who sends: `name` is the agent's own word for itself, `incarnation` is anew with each start of its process."""

    name: Name
    hostname: Word = ""
    version: Word = ""
    python: Word = ""
    platform: Word = ""
    pid: int = 0
    incarnation: Word = ""
    started_at: Ms | None = None


class Result(msgspec.Struct, frozen=True, tag_field="t", tag="result"):
    """One measurement of a probe; `at` in ms by the agent's clock, `ms` how long it took."""

    seq: Seq
    probe: Word
    at: Ms
    ok: bool
    outcome: Literal["ok", "fail", "timeout", "error"]
    degraded: bool = False
    error: Word | None = None
    message: Prose | None = None
    ms: float | None = None
    phases: dict[str, float | None] | None = None
    data: dict[str, Any] | None = None
    line: Line = "unknown"
    try_id: Word | None = None


class Source(msgspec.Struct, frozen=True):
    """Where a ping comes from."""

    location: Word = ""
    datacenter: Word = ""
    country: Word = ""


class Ping(msgspec.Struct, frozen=True, tag_field="t", tag="ping"):
    """What a ping of the agent came to; `rtt_ms` by the agent's monotonic clock, without the collector's own time."""

    seq: Seq
    ping_id: Word
    at: Ms
    outcome: Word
    source: Source
    target: Word = ""
    probe: Word | None = None
    rtt_ms: float | None = None
    connect_ms: float | None = None
    processing_ms: float | None = None


class Samples(msgspec.Struct, frozen=True, tag_field="t", tag="samples"):
    """What a host or prometheus probe read: metric, labels, value."""

    seq: Seq
    at: Ms
    samples: list[tuple[str, dict[str, str], float]]
    probe: Word = ""
    labels: dict[str, str] = {}


Record = Result | Ping | Samples


class Spool(msgspec.Struct, frozen=True):
    """`id` names the agent's spool directory; sequence numbers never repeat within it."""

    id: Word
    first_seq: Seq | None = None
    last_seq: Seq | None = None


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """How the agent itself is; kept as it comes."""

    spool_records: int | None = None
    spool_bytes: int | None = None
    dropped_total: int | None = None
    rejected_total: int | None = None
    torn_total: int | None = None
    late_total: int | None = None
    spool_error: Prose | None = None
    clock_offset_ms: float | None = None
    line: Line | None = None
    rss_bytes: int | None = None
    cpu_s: float | None = None
    probes_running: int | None = None


class Batch(msgspec.Struct, frozen=True):
    agent: AgentInfo
    spool: Spool
    sent_at: Ms
    records: Annotated[list[Record], Meta(max_length=MAX_BATCH_RECORDS)]
    status: Status = Status()


class PlanQuestion(msgspec.Struct, frozen=True):
    agent: AgentInfo
    etag: Word | None = None
    wait_s: Annotated[float, Meta(ge=0)] = 0.0


class Probe(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of work as an agent gets it. `try_id` is there for one that is run once, and at once."""

    id: str
    kind: str
    target: str
    interval_s: float
    timeout_s: float
    options: dict[str, Any] = {}
    secrets: dict[str, str] = {}
    labels: dict[str, str] = {}
    try_id: str | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:  # its secrets must not come into a log
        return f"Probe({self.id}, {self.kind})"


class PlanSettings(msgspec.Struct, frozen=True):
    report_interval_s: float = 5.0
    plan_wait_s: float = MAX_PLAN_WAIT_S


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    etag: str
    agent_id: str
    name: str
    server_time: int
    settings: PlanSettings
    probes: list[Probe]
    tries: list[Probe]


class Rejected(msgspec.Struct, frozen=True):
    """A record that the hub could not take, though it took others of its batch; it is in the hub's log."""

    seq: int
    why: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the hub answers to a batch after its commit. All up to `last_seq` is done with, `rejected` included."""

    accepted: int
    duplicates: int
    last_seq: int | None
    server_time: int = 0
    rejected: list[Rejected] = []
