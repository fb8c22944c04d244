"""The steps of a job, run by run, as its page shows them."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

import msgspec

from atalaia.captures.model.templates import ActionVersion
from atalaia.captures.service import CapturesService
from atalaia.core.errors import NotFound
from atalaia.core.translations import Translator
from atalaia.jobs.model.states import FINISHED, State
from atalaia.jobs.model.views import JobDetail, JobOut, StepDetail
from atalaia.jobs.pages.frames import MOST_SHOWN, Text, departure_of, text_of
from atalaia.jobs.pages.words import STEP_STATES, retold
from atalaia.sdk.fidelity import Departure, nearest

# What has a place of its own on the page.
_TOLD: Final = {"action", "frame", "answer", "action_value", "mtkn", "template", "departures", "error", "hint"}
_ENDED: Final = {str(state) for state in FINISHED}
_REFUSALS: Final = {"401", "403"}
MOST_STEPS: Final = 200
MOST_TELLING: Final = 50
MOST_CHARACTERS: Final = 300_000  # of all frames and answers on a page
MOST_OF_A_FACT: Final = 4_000


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
    has_room: bool  # for frame and answer, on this page
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
        return bool(self.frame or self.has_answer or self.departures or self.facts or self.error or not self.has_room)


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
    """The newest first. Of very many steps the last ones, and those before that failed or can't be undone."""
    kept = kept_of(detail.steps)
    templates = await _templates_of(kept, upstream=upstream, captures=captures)
    shower = _Shower(detail.job, translator, upstream, templates, _Room())
    return await asyncio.to_thread(_runs, kept, shower)


def kept_of(steps: Sequence[StepDetail]) -> list[StepDetail]:
    older, last = list(steps[:-MOST_STEPS]), list(steps[-MOST_STEPS:])
    telling = [step for step in older if step.is_irreversible or step.state == "failed"]
    return telling[-MOST_TELLING:] + last


def _runs(steps: Sequence[StepDetail], shower: "_Shower") -> list[Run]:
    groups = [list(group) for _, group in groupby(steps, key=lambda step: step.lease)]
    acted = [{step.attempt for step in group if step.is_irreversible} for group in groups]
    runs: list[Run] = []
    # From the end, so that the newest steps have their frames where there is no room for all.
    for number, group in reversed(list(enumerate(groups))):
        attempt = group[0].attempt
        is_last = number == len(groups) - 1
        is_going = is_last and shower.job.state not in _ENDED and shower.job.leased_until is not None
        shown = [shower.shown(step, is_going=is_going, is_newest=is_last) for step in reversed(group)]
        runs.append(
            Run(
                key=f"run-{group[0].lease}",
                attempt=attempt,
                is_resolve=any(attempt in each for each in acted[:number]),
                is_last=is_last,
                is_lost=not is_going and group[-1].state in {"started", "irreversible"},
                steps=shown[::-1],
                lease=group[0].lease,
            )
        )
    return runs


async def _templates_of(
    steps: Sequence[StepDetail], *, upstream: str | None, captures: CapturesService | None
) -> dict[str, ActionVersion]:
    """Those in force now of the actions that were refused."""
    if upstream is None or captures is None:
        return {}
    found: dict[str, ActionVersion] = {}
    for action in {action for step in steps if (action := _refused_action(_data_of(step)))}:
        with suppress(NotFound):
            found[action] = (await captures.history(upstream, action)).active
    return found


def _refused_action(data: Mapping[str, Any]) -> str | None:
    """Of a frame that had its template's form and was refused all the same."""
    template = data.get("template")
    is_refused = str(data.get("action_value") or "") in _REFUSALS
    if not is_refused or not data.get("frame") or data.get("departures") or not isinstance(template, dict):
        return None
    return str(template.get("action"))


class _Room:
    """For the frames of a page: they are many where a worker's steps are."""

    def __init__(self) -> None:
        self._left = MOST_CHARACTERS

    def take(self, *texts: str) -> bool:
        wanted = sum(min(len(text), MOST_SHOWN) for text in texts)
        if wanted > self._left:
            return False
        self._left -= wanted
        return True


@dataclass(frozen=True, slots=True)
class _Shower:
    job: JobOut
    translator: Translator
    upstream: str | None
    templates: Mapping[str, ActionVersion]
    room: _Room

    def shown(self, step: StepDetail, *, is_going: bool, is_newest: bool) -> ShownStep:
        data = _data_of(step)
        shape, word = STEP_STATES[_state_of(step, self.job, is_going=is_going)]
        frame, answer = _words(data.get("frame") or ""), _words(data.get("answer") or "")
        has_room = self.room.take(frame, answer)
        template = data.get("template") if isinstance(data.get("template"), dict) else None
        departures = [departure_of(said) for said in _list(data.get("departures"))]
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
            mtkn=_cut(str(data["mtkn"])) if data.get("mtkn") else None,
            frame=text_of(frame) if frame and has_room else None,
            answer=text_of(answer) if answer and has_room else None,
            has_answer="answer" in data or (bool(frame) and step.state == "failed" and not departures),
            has_room=has_room,
            departures=departures,
            held=self._held(data),
            template_href=_template_href(self.upstream, template),
            template_version=version if isinstance(version, int) else None,
            facts=[
                (name, _cut(_words(value)))
                for name, value in data.items()
                if name not in _TOLD and not (value is None or value is False or value == "")
            ],
            error=retold(_cut(_words(data.get("error") or "")), self.translator),
        )

    def _held(self, data: Mapping[str, Any]) -> Held | None:
        in_force = self.templates.get(_refused_action(data) or "")
        found = nearest(in_force.templates, str(data["frame"])) if in_force else None
        return Held(departures=found[1], version=in_force.version) if found and in_force else None


def _data_of(step: StepDetail) -> Mapping[str, Any]:
    return step.data if isinstance(step.data, dict) else {"data": step.data}


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


def _words(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _cut(text: str) -> str:
    return text if len(text) <= MOST_OF_A_FACT else f"{text[:MOST_OF_A_FACT]}…"


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
