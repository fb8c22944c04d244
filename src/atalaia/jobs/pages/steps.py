"""The steps of a job, run by run, as its page shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

import msgspec

from atalaia.captures.service import CapturesService
from atalaia.core.errors import NotFound
from atalaia.core.translations import Translator
from atalaia.jobs.model.states import FINISHED, State
from atalaia.jobs.model.views import JobDetail, JobOut, StepDetail
from atalaia.jobs.pages.frames import departure_of, laid_out
from atalaia.jobs.pages.words import STEP_STATES, retold
from atalaia.sdk.fidelity import Departure, nearest

# What has a place of its own on the page.
_TOLD: Final = {"action", "frame", "answer", "action_value", "mtkn", "template", "departures", "error", "hint"}
_ENDED: Final = {str(state) for state in FINISHED}
_REFUSALS: Final = {"401", "403"}


@dataclass(frozen=True, slots=True)
class Text:
    """A frame or an answer: to be read, and exactly as it was."""

    pretty: str
    raw: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A refused frame held against the templates in force now; `version` 0 is built in."""

    departures: Sequence[Departure]
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownStep:
    key: str
    n: int
    name: str
    shape: str
    word: str
    is_running: bool
    is_irreversible: bool
    is_newest: bool  # of the last run
    started_at: datetime
    ended_at: datetime | None
    mtkn: str | None
    frame: Text | None
    answer: Text | None
    has_answer: bool  # an answer, or the record that none came
    departures: Sequence[Departure]
    held: Held | None
    template_href: str | None
    template_version: int | None
    facts: Sequence[tuple[str, str]]
    error: str

    @property
    def is_open(self) -> bool:
        """Whether its details are shown at once: it runs, it failed, or nobody knows. Earlier runs are closed."""
        return self.is_newest and self.shape != "up"

    @property
    def took(self) -> float | None:
        """Seconds; None where its start and its end came to the hub at once, or there was no end."""
        if self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds() or None

    @property
    def progress(self) -> float | None:
        """0 to 1, where it says so."""
        try:
            return min(1.0, max(0.0, float(dict(self.facts)["progress"]) / 100))
        except (KeyError, ValueError):
            return None

    @property
    def has_details(self) -> bool:
        return bool(self.frame or self.has_answer or self.departures or self.facts or self.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one worker did under one lease."""

    key: str
    attempt: int
    is_resolve: bool
    is_last: bool
    is_lost: bool
    steps: Sequence[ShownStep]
    lease: int = field(default=0)

    @property
    def started_at(self) -> datetime:
        return self.steps[0].started_at


async def runs_of(
    detail: JobDetail, translator: Translator, *, upstream: str | None, captures: CapturesService | None
) -> list[Run]:
    """The newest first."""
    shower = _Shower(detail.job, translator, upstream, captures)
    groups = [list(group) for _, group in groupby(detail.steps, key=lambda step: step.lease)]
    runs: list[Run] = []
    acted: set[int] = set()  # attempts in which something irreversible was begun
    for number, steps in enumerate(groups):
        attempt = steps[0].attempt
        is_last = number == len(groups) - 1
        is_going = is_last and detail.job.state not in _ENDED and detail.job.leased_until is not None
        shown = [await shower.shown(step, is_going=is_going, is_newest=is_last) for step in steps]
        runs.append(
            Run(
                key=f"run-{steps[0].lease}",
                attempt=attempt,
                is_resolve=attempt in acted,
                is_last=is_last,
                is_lost=not is_going and steps[-1].state in {"started", "irreversible"},
                steps=shown,
                lease=steps[0].lease,
            )
        )
        if any(step.is_irreversible for step in steps):
            acted.add(attempt)
    return runs[::-1]


@dataclass(frozen=True, slots=True)
class _Shower:
    job: JobOut
    translator: Translator
    upstream: str | None
    captures: CapturesService | None

    async def shown(self, step: StepDetail, *, is_going: bool, is_newest: bool) -> ShownStep:
        data: Mapping[str, Any] = step.data if isinstance(step.data, dict) else {"data": step.data}
        shape, word = STEP_STATES[_state_of(step, self.job, is_going=is_going)]
        frame = _text(data.get("frame"))
        template = data.get("template") if isinstance(data.get("template"), dict) else None
        departures = [departure_of(said) for said in _list(data.get("departures"))]
        refused = str(data.get("action_value") or "") in _REFUSALS
        held = None
        if frame is not None and template is not None and not departures and refused:
            held = await self._held(str(template.get("action")), frame.raw)
        version = template.get("version") if template else None
        return ShownStep(
            key=f"{step.lease}-{step.n}",
            n=step.n,
            name=step.name,
            shape=shape,
            word=word,
            is_running=is_going and step.ended_at is None,
            is_irreversible=step.is_irreversible,
            is_newest=is_newest,
            started_at=step.started_at,
            ended_at=step.ended_at,
            mtkn=str(data["mtkn"]) if data.get("mtkn") else None,
            frame=frame,
            answer=_text(data.get("answer")),
            has_answer="answer" in data or (frame is not None and step.state == "failed" and not departures),
            departures=departures,
            held=held,
            template_href=_template_href(self.upstream, template),
            template_version=version if isinstance(version, int) else None,
            facts=[
                (name, _words(value))
                for name, value in data.items()
                if name not in _TOLD and value not in (None, "", False)
            ],
            error=retold(str(data.get("error") or ""), self.translator),
        )

    async def _held(self, action: str, frame: str) -> Held | None:
        if not self.upstream or self.captures is None:
            return None
        try:
            history = await self.captures.history(self.upstream, action)
        except NotFound:
            return None
        found = nearest(history.active.templates, frame)
        return Held(departures=found[1], version=history.active_version) if found else None


def _state_of(step: StepDetail, job: JobOut, *, is_going: bool) -> str:
    if step.state in {"done", "failed"}:
        return step.state
    if is_going:
        return "irreversible" if step.is_irreversible else "running"
    if step.is_irreversible:
        return "unknown" if job.state != State.SUCCEEDED else "done"
    return "broken off"


def _template_href(upstream: str | None, template: Mapping[str, Any] | None) -> str | None:
    if not upstream or not template or not template.get("action"):
        return None
    version = template.get("version")
    query = f"?version={version}" if isinstance(version, int) else ""
    return f"/captures/templates/{quote(upstream, safe='')}/{quote(str(template['action']), safe='')}{query}"


def _text(value: Any) -> Text | None:
    if not value:
        return None
    raw = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return Text(laid_out(raw), raw)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
