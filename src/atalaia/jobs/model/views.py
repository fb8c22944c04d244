"""A job as it is shown: the kept fields first, to the byte where it came as text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Raw

from atalaia.jobs.model.states import State, Status


class Part(StrEnum):
    """Of a list that shows first what a person has to decide: unknown outcomes and dead letters."""

    FOR_PEOPLE = "for people"
    OTHERS = "others"


class StepOut(msgspec.Struct, frozen=True, rename="camel"):
    attempt: int
    n: int
    name: str
    state: str
    started_at: datetime
    ended_at: datetime | None
    data: Raw


class TroubleOut(msgspec.Struct, frozen=True, rename={"class_": "class"}):
    class_: str = ""
    message: str = ""
    hint: str = ""
    retryable: bool = False


class JobOut(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The first ten fields are those of the first system."""

    id: str
    type: str
    status: Status
    payload: Raw
    result: Raw | None
    steps: Sequence[StepOut]
    attempts: int
    worker_id: str | None
    created_at: datetime
    updated_at: datetime
    state: str
    error: TroubleOut | None
    queue: str
    priority: int
    run_at: datetime
    unique_key: str | None
    concurrency_key: str | None
    lost_leases: int
    max_attempts: int
    leased_until: datetime | None
    is_cancelling: bool
    created_by: str


class JobLine(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """In a list: without what may be long."""

    id: str
    type: str
    status: Status
    attempts: int
    worker_id: str | None
    created_at: datetime
    updated_at: datetime
    state: str
    error: TroubleOut | None
    queue: str
    priority: int
    run_at: datetime
    concurrency_key: str | None
    lost_leases: int
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDetail:
    """A step as a page shows it; `lease` tells one run from another, also within one attempt."""

    lease: int
    attempt: int
    n: int
    name: str
    state: str
    is_irreversible: bool
    started_at: datetime
    ended_at: datetime | None
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail:
    """A job as its page shows it.

    `front_id` is the job that goes before it by its concurrency key; until `resolve_by` a worker may come that finds out
    what it came to.
    """

    job: JobOut
    steps: Sequence[StepDetail]
    front_id: str | None
    resolve_by: datetime | None


class JobRef(msgspec.Struct, frozen=True):
    id: str
    status: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """`text` is looked for in id, type, keys and payload."""

    status: Status | State | Part | None = None
    type: str | None = None
    queue: str | None = None
    created_from: datetime | None = None
    created_until: datetime | None = None
    text: str | None = None


def raw_or_none(text: str | None) -> Raw | None:
    return None if text is None else Raw(text.encode())


def trouble_of(text: str | None) -> TroubleOut | None:
    return None if text is None else msgspec.json.decode(text, type=TroubleOut)


Json = dict[str, Any]
