"""What a signal is: its task with options, its throttle, its schedule."""

import re
from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from atalaia.core.errors import InvalidField
from atalaia.core.translations import N_
from atalaia.signals.model.rate import Level, Rate
from atalaia.signals.model.runs import Run

MIN_INTERVAL_S: Final = (
    1.5  # with a signaller's 2 s, a throttle of 2 s would throttle a third of all signals by jitter alone
)
TIMEZONE: Final = "America/Sao_Paulo"
JOB, WEBHOOK, COMMAND = "job", "webhook", "command"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

Word = Annotated[str, Meta(min_length=1, max_length=200)]
Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Every = Annotated[float, Meta(gt=0, le=86_400)]
Cron = Annotated[str, Meta(min_length=1, max_length=200)]
Zone = Annotated[str, Meta(max_length=100)]


class JobOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The job that the task `job` makes; `payload` is kept to the byte."""

    type: Word
    payload: Raw
    queue: Word = "default"
    priority: Annotated[int, Meta(ge=-1000, le=1000)] = 0
    concurrency_key: Annotated[str, Meta(min_length=1, max_length=500)] | None = None


class WebhookOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the task `webhook` posts to; without a secret one is made, and shown once."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    secret: Annotated[str, Meta(min_length=16, max_length=500)] | None = None


class SignalIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`task` is `<integration>.<task>`, or `job`, `webhook` or `command` with what it needs beside it.

    `command` is a name of the setting signals.commands; `cron` has five fields, read in `timezone`.
    """

    name: Word
    task: Word
    min_interval_s: Seconds = MIN_INTERVAL_S
    expect_every_s: Every | None = None
    cron: Cron | None = None
    timezone: Zone = TIMEZONE
    runs_missed: bool = False
    is_paused: bool = False
    job: JobOptions | None = None
    webhook: WebhookOptions | None = None
    command: Word | None = None


class SignalChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is; a `cron` of null ends the schedule."""

    task: Word | UnsetType = UNSET
    min_interval_s: Seconds | UnsetType = UNSET
    expect_every_s: Every | UnsetType | None = UNSET
    cron: Cron | UnsetType | None = UNSET
    timezone: Zone | UnsetType = UNSET
    runs_missed: bool | UnsetType = UNSET
    is_paused: bool | UnsetType = UNSET
    job: JobOptions | UnsetType = UNSET
    webhook: WebhookOptions | UnsetType = UNSET
    command: Word | UnsetType = UNSET


class Options(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As it is kept."""

    job: JobOptions | None = None
    url: str | None = None
    command: str | None = None


class SignalRow(NamedTuple):
    name: str
    task: str
    options: str
    secret: bytes | None
    min_interval_ms: int
    expect_every_s: float | None
    cron: str | None
    timezone: str
    runs_missed: bool
    is_paused: bool
    next_at: datetime | None
    last_slot_at: datetime | None
    created_at: datetime
    updated_at: datetime
    resumed_at: datetime


class LastAnswer(msgspec.Struct, frozen=True):
    status: int
    at: datetime


class SignalOut(msgspec.Struct, frozen=True, kw_only=True):
    """One signal as pages and the API show it. `level` is well, degraded, failing or unknown, by `rate`.

    `task_title` is English, a key of the translations; `is_known`: the task is there. `running` is the run under way,
    `last_run` the last one that was kept. `failures` counts failed runs in a row. `url` has stars where it may hold a secret.
    """

    name: str
    task: str
    task_title: str
    is_known: bool
    min_interval_s: float
    expect_every_s: float | None
    cron: str | None
    timezone: str
    runs_missed: bool
    is_paused: bool
    job: JobOptions | None
    url: str | None
    command: str | None
    next_at: datetime | None
    last_slot_at: datetime | None
    created_at: datetime
    updated_at: datetime
    level: Level
    rate: Rate
    failures: int
    last_answer: LastAnswer | None
    last_started_at: datetime | None
    running: Run | None
    last_run: Run | None


class SignalMade(msgspec.Struct, frozen=True, kw_only=True):
    """`secret`: what its webhook is signed with, where it was made just now; it is shown this once."""

    signal: SignalOut
    is_new: bool
    secret: str | None = None


def check_name(name: str) -> str:
    """Raises: InvalidField."""
    if not _NAME.fullmatch(name):
        raise InvalidField(
            "name",
            N_(
                "a signal's name is letters, digits, dots, dashes and underscores, at most 100, a letter or digit first"
            ),
        )
    return name


def read_options(text: str) -> Options:
    return msgspec.json.decode(text, type=Options)


def write_options(options: Options) -> str:
    return msgspec.json.encode(options).decode()


def shown_source(value: Any) -> str:
    """Whoever says it: any source is fine, as long as it can be shown."""
    text = value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
    return "".join(char if char.isprintable() else " " for char in text[:200]).strip()
