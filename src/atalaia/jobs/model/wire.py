"""What workers and those who start jobs send, and what they are answered. Raw parts are kept to the byte. Pure."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw

from atalaia.sdk.jobs import StepState

MAX_PAYLOAD_BYTES: Final = 1_048_576
MAX_RESULT_BYTES: Final = 1_048_576
MAX_STEP_BYTES: Final = 65_536
MAX_ITEMS: Final = 1_000
MAX_WAIT_S: Final = 25.0

Name = Annotated[str, Meta(min_length=1, max_length=200)]
Word = Annotated[str, Meta(max_length=200)]
Key = Annotated[str, Meta(min_length=1, max_length=500)]
Text = Annotated[str, Meta(max_length=8_000)]
Outcome = Literal["succeeded", "failed", "snoozed", "released", "cancelled", "uncertain"]

EMPTY_OBJECT: Final = Raw(b"{}")
NOTHING: Final = Raw(b"null")


class JobIn(msgspec.Struct, frozen=True, kw_only=True):
    type: Name
    payload: Raw
    queue: Name = "default"
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    run_at: Annotated[datetime, Meta(tz=True)] | None = None
    unique_key: Key | None = None
    concurrency_key: Key | None = None
    max_attempts: Annotated[int, Meta(ge=1, le=100)] | None = None


class BulkIn(msgspec.Struct, frozen=True):
    """Each item is read by itself, so that a wrong one does not spoil the others."""

    items: Annotated[list[Raw], Meta(min_length=1, max_length=MAX_ITEMS)]


class LeaseIn(msgspec.Struct, frozen=True, kw_only=True):
    worker_id: Name
    types: Annotated[list[Name], Meta(min_length=1, max_length=MAX_ITEMS)]
    incarnation: Word = ""
    max: Annotated[int, Meta(ge=1, le=MAX_ITEMS)] = 1
    wait_s: Annotated[float, Meta(ge=0, le=MAX_WAIT_S)] = 0
    ttl_s: Annotated[float, Meta(ge=1, le=3600)] = 30
    request_id: Word = ""
    version: Word = ""
    commit: Word = ""
    resolves: Annotated[list[Name], Meta(max_length=MAX_ITEMS)] = []


MAX_TOOK_MS = 7 * 24 * 3600 * 1000


class StepIn(msgspec.Struct, frozen=True):
    n: Annotated[int, Meta(ge=1, le=100_000)]
    name: Name
    state: StepState
    data: Raw = EMPTY_OBJECT
    took_ms: Annotated[int, Meta(ge=0, le=MAX_TOOK_MS)] = 0


class RenewItem(msgspec.Struct, frozen=True):
    id: Name
    token: Name
    steps: Annotated[list[StepIn], Meta(max_length=MAX_ITEMS)] = []


class RenewIn(msgspec.Struct, frozen=True):
    """`incarnation`, as with the leases: two workers may go by one name while one replaces the other."""

    worker_id: Name
    items: Annotated[list[RenewItem], Meta(max_length=MAX_ITEMS)]
    incarnation: Word = ""


class ErrorIn(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    class_: Word = ""
    message: Text = ""
    retryable: bool = True
    retry_after_ms: Annotated[float, Meta(ge=0, le=366 * 86_400_000)] | None = None
    hint: Text = ""


class CompleteIn(msgspec.Struct, frozen=True, kw_only=True):
    token: Name
    outcome: Outcome
    result: Raw = NOTHING
    error: ErrorIn | None = None
    steps: Annotated[list[StepIn], Meta(max_length=MAX_ITEMS)] = []


class CompleteItem(CompleteIn, frozen=True, kw_only=True):
    id: Name


class CompleteManyIn(msgspec.Struct, frozen=True):
    items: Annotated[list[CompleteItem], Meta(max_length=MAX_ITEMS)]
    worker_id: Word = ""


class EarlierStep(msgspec.Struct, frozen=True):
    """As sdk.jobs.StepRecord, its data untouched."""

    n: int
    name: str
    state: str
    data: Raw
    attempt: int


class LeasedJob(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    type: str
    payload_raw: str
    payload_sha256: str
    attempt: int
    token: str
    ttl_ms: int
    deadline_ms: int
    mode: Literal["run", "resolve"]
    context_etag: str
    earlier: list[EarlierStep] = []


class LeaseOut(msgspec.Struct, frozen=True):
    server_time: datetime
    jobs: list[LeasedJob]
    worker: str = "run"


class RenewedItem(msgspec.Struct, frozen=True):
    id: str
    state: Literal["ok", "cancel", "lost"]
    ttl_ms: int


class RenewOut(msgspec.Struct, frozen=True):
    worker: str
    items: list[RenewedItem]


class CompletedItem(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    status: int
    replayed: bool = False
    error: dict[str, Any] | None = None


class CompletedOut(msgspec.Struct, frozen=True):
    items: list[CompletedItem]
