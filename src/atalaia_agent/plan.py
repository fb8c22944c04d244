"""Asks the hub what there is to measure, and waits there for news."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

from atalaia_agent.backoff import Backoff
from atalaia_agent.hub import Answer, HubConnection, HubUnreachable
from atalaia_agent.json_text import encode
from atalaia_agent.spool_files import replace_durably
from atalaia_agent.voice import Voice
from atalaia_agent.wire import MAX_PLAN_WAIT_S, PLAN_PATH, Json, Probe, WireError, parse_probe

_KEY_REFUSED_RETRY_S = 60.0
_ANSWER_WITHIN_S = 15.0
_QUICK_S = 0.5
_QUICK_ANSWERS = 4


class PlanPoll:
    """Runs in a thread of its own."""

    def __init__(
        self,
        hub: HubConnection,
        *,
        agent: Json,
        apply: Callable[[list[Probe], list[Probe], Json], None],
        reached: Callable[[Json, int], None],
        voice: Voice,
    ) -> None:
        self._hub = hub
        self._agent = agent
        self._apply = apply
        self._reached = reached
        self._voice = voice
        self._stopped = Event()
        self._backoff = Backoff()
        self._etag: str | None = None
        self._wait_s = MAX_PLAN_WAIT_S
        self._quick = 0

    def run(self) -> None:
        while not self._stopped.is_set():
            started = monotonic()
            pause_s = self._ask()
            if pause_s == 0.0:
                pause_s = self._pace(monotonic() - started)
            self._stopped.wait(pause_s)

    def stop(self) -> None:
        self._stopped.set()

    def _ask(self) -> float:
        """How long to wait before the next question."""
        wait_s = self._wait_s if self._etag else 0
        request = {"agent": self._agent, "etag": self._etag, "wait_s": wait_s}
        try:
            answer = self._hub.post(PLAN_PATH, encode(request), timeout_s=wait_s + _ANSWER_WITHIN_S)
        except HubUnreachable as failure:
            self._voice.trouble("reach", f"the hub can't be reached: {failure}")
            return self._backoff.next_s()
        self._voice.fine("reach", "the hub is reached again after {}")
        if answer.status in (200, 204):
            return self._take(answer)
        if answer.status in (401, 403):
            self._voice.trouble(
                "key", f"the hub refuses this agent's key ({answer.complaint}); asking again every 60 s"
            )
            return _KEY_REFUSED_RETRY_S
        self._voice.trouble("plan", f"the hub gives no plan now: {answer.complaint}")
        return self._backoff.next_s(answer.retry_after_s)

    def _take(self, answer: Answer) -> float:
        self._backoff.reset()
        self._voice.fine("key", "the hub takes the key again")
        self._voice.fine("plan", "the hub gives the plan again after {}")
        plan = answer.body
        if answer.status == 200:  # noqa: PLR2004
            try:
                self._adopt(plan)
            except WireError as failure:
                self._voice.trouble("plan", f"the hub's plan can't be read: {failure}")
                return self._backoff.next_s()
        self._reached(plan, answer.status)
        return 0.0

    def _adopt(self, plan: Json) -> None:
        settings = plan.get("settings") or {}
        probes, tries = plan.get("probes"), plan.get("tries") or []
        if not isinstance(settings, dict) or not isinstance(probes, list) or not isinstance(tries, list):
            raise WireError("probes, tries or settings have another form")
        self._wait_s = min(float(settings.get("plan_wait_s", MAX_PLAN_WAIT_S)), MAX_PLAN_WAIT_S)
        self._apply(self._readable(probes), self._readable(tries), settings)
        etag = plan.get("etag")
        self._etag = etag if isinstance(etag, str) else None

    def _readable(self, raw_probes: list[Json]) -> list[Probe]:
        found: list[Probe] = []
        for raw in raw_probes:
            try:
                found.append(parse_probe(raw))
            except WireError as failure:
                self._voice.say(f"a probe of the plan can't be read: {failure}")
        return found

    def _pace(self, took_s: float) -> float:
        """A hub that answers without waiting, again and again, must not make both sides spin."""
        self._quick = self._quick + 1 if took_s < _QUICK_S else 0
        return 0.0 if self._quick < _QUICK_ANSWERS else min(0.25 * self._quick, 5.0)


def save_plan(path: Path, probes: list[Probe]) -> None:
    """What an agent that starts while the hub is away goes on with. Probes with secrets are left out of the file."""
    open_probes = [probe._asdict() for probe in probes if not probe.secrets]
    replace_durably(path, json.dumps(open_probes, ensure_ascii=False).encode())


def load_plan(path: Path) -> list[Probe]:
    try:
        return [parse_probe(raw) for raw in json.loads(path.read_bytes())]
    except (OSError, ValueError, TypeError):
        return []
