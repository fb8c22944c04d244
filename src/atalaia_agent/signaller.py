"""Says "look now" to a signal's address every few seconds: no drift, never two at once, one kept connection.

What the hub's own checks are for a probe, the grid is for a signal: `schedule` gives the instants, and of an agent's work that is
due at once the signal is the first. One that would come late is left out, since the next is near, and an old "look now" is worth
nothing: for the same reason none is kept or sent again. After a failure the next one is due as ever, so that no wait is
longer than the interval.
"""

from __future__ import annotations

import os
import sys
import time
from time import monotonic
from typing import TYPE_CHECKING

from atalaia_agent import __version__, http1
from atalaia_agent.clock import instant_text
from atalaia_agent.deadline import Deadline
from atalaia_agent.failures import ProbeError, as_probe_error
from atalaia_agent.json_text import decode, encode
from atalaia_agent.kept import KeptConnection
from atalaia_agent.schedule import SIGNAL, Entry
from atalaia_agent.signal_log import SignalLog
from atalaia_agent.signal_settings import SignalSettings
from atalaia_agent.signal_statistics import Statistics
from atalaia_agent.signal_words import Words, words_of
from atalaia_agent.voice import Voice
from atalaia_agent.wire import Probe

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

_MAX_ANSWER_BYTES = 65_536
_MAX_COMPLAINT_CHARS = 60

# How much of the interval a signal may be late. Later, it would come so near to the next one that a hub throttles that.
_MOST_LATE_SHARE = 0.25


class Signaller:
    """`chores` go into the agent's schedule; their entries come back to `run`, each in one thread at a time."""

    def __init__(self, settings: SignalSettings, voice: Voice) -> None:
        address = settings.address
        self._interval_s = settings.interval_s
        self._timeout_s = settings.timeout_s
        self._statistics_s = settings.statistics_s
        self._shown = address.origin + address.path.partition("?")[0]
        self._kept = KeptConnection(address, ca=settings.ca_file)
        self._head = http1.encode_head("POST", address.path, headers=_headers(address, settings.key))
        self._body = encode({"source": settings.source})[1:]
        self._words: Words = words_of(settings.language, os.environ)
        self._statistics = Statistics()
        self._voice = voice
        self._log = SignalLog(
            self._words,
            say=voice.say,
            line=voice.tell,
            is_terminal=sys.stderr.isatty(),
        )
        self._began_at = monotonic()
        self._failing_since = 0.0
        # The names stand before those of the hub's probes: of what is due at one instant, the signal is the first.
        self._signal = _chore("!signal", SIGNAL, self._shown, settings.interval_s)
        self._telling = _chore("!statistics", "statistics", "", settings.statistics_s)
        self.chores = [self._signal, self._telling]

    def begin(self) -> None:
        self._voice.say(self._words.begins.format(address=self._shown, interval=f"{self._interval_s:g}"))

    def owns(self, entry: Entry) -> bool:
        return entry.probe is self._signal or entry.probe is self._telling

    def run(self, entry: Entry, turn: Turn | None) -> None:
        if entry.probe is self._telling:
            self._tell_minute()
        elif _late_s(entry) <= self._interval_s * _MOST_LATE_SHARE:
            self._send(turn)

    def end(self) -> None:
        """The last word: how it went."""
        self._voice.tell(self._statistics.labelled(self._words, self._uptime_s()))

    def _tell_minute(self) -> None:
        # The first is due when the process starts, and would say nothing.
        if self._uptime_s() >= self._statistics_s / 2:
            self._log.tell(self._statistics, self._uptime_s())

    def _uptime_s(self) -> float:
        return monotonic() - self._began_at

    def _send(self, turn: Turn | None) -> None:
        body = b'{"timestamp":"%b",%b' % (instant_text(time.time()).encode(), self._body)
        try:
            response = self._kept.exchange(
                "POST",
                http1.with_body(self._head, body),
                deadline=Deadline(self._timeout_s, turn),
                max_body_bytes=_MAX_ANSWER_BYTES,
            ).response
        except (ProbeError, OSError) as failure:
            self._kept.close()
            self._unanswered(as_probe_error(failure))
        else:
            self._answered(response)

    def _answered(self, response: http1.Response) -> None:
        status = response.status
        if self._statistics.count(status):
            self._fine()
            return
        form = self._words.refused if status in (401, 403) else self._words.failed
        self._trouble(str(status), form.format(status=_with_complaint(response)))

    def _unanswered(self, failure: ProbeError) -> None:
        self._statistics.count(None)
        reason = self._words.reasons.get(failure.code, failure.message)
        self._trouble(failure.code, self._words.unanswered.format(reason=reason))

    def _trouble(self, state: str, news: str) -> None:
        self._failing_since = self._failing_since or monotonic()
        self._log.report(state, news, self._uptime_s())

    def _fine(self) -> None:
        if not self._failing_since:
            return
        lasted = f"{monotonic() - self._failing_since:.0f} s"
        self._failing_since = 0.0
        self._log.report("", self._words.back.format(lasted), self._uptime_s())


def _chore(name: str, kind: str, target: str, interval_s: float) -> Probe:
    return Probe(name, kind, target, interval_s, interval_s, {}, {}, {})


def _late_s(entry: Entry) -> float:
    """Since the instant of the grid for which it was taken."""
    return monotonic() - (entry.due - entry.interval_s)


def _headers(address: http1.Address, key: str) -> http1.Headers:
    return [
        ("Host", address.authority),
        ("User-Agent", f"atalaia-agent/{__version__}"),
        ("Accept", "application/json"),
        ("Content-Type", "application/json"),
        ("x-monitor-key", key),
    ]


def _with_complaint(response: http1.Response) -> str:
    """The status and what the answer says, cut, and without what would break a line."""
    said = decode(response.body).get("error")
    if isinstance(said, dict):
        said = said.get("message")
    if not isinstance(said, str):
        said = response.reason
    clean = "".join(letter for letter in said if letter.isprintable()).strip()
    return f"{response.status} {clean[:_MAX_COMPLAINT_CHARS]}".strip()
