"""Brings what is spooled to the hub: what changed at once, the rest each report interval."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from atalaia_agent.backoff import Backoff
from atalaia_agent.clock import ClockOffset
from atalaia_agent.hub import Answer, HubConnection, HubUnreachable
from atalaia_agent.json_text import encode
from atalaia_agent.spool import Batch, Spool
from atalaia_agent.suspicion import Suspicion, Verdict
from atalaia_agent.voice import Voice
from atalaia_agent.wire import MAX_BATCH_RECORDS, RECORDS_PATH, Json, now_ms

if TYPE_CHECKING:
    from atalaia_agent.turns import Turn

_TIMEOUT_S = 30.0
_KEY_REFUSED_RETRY_S = 60.0
_STATUS_EVERY_S = 30.0
_ALL_WRONG = 8
_SLACK_SHARE = 0.25

# "Later" in the hub's own words, or a proxy's: no record is at fault.
_LATER = (502, 503, 504, 507)


class Sender:
    """`hurry`, `retry_now` and `send_due` may be called from any thread; one sends at a time."""

    def __init__(
        self,
        hub: HubConnection,
        spool: Spool,
        *,
        agent: Json,
        status: Callable[[], Json],
        clock: ClockOffset,
        voice: Voice,
    ) -> None:
        self._hub = hub
        self._spool = spool
        self._agent = encode(agent)
        self._status = status
        self._clock = clock
        self._voice = voice
        self._busy = Lock()
        self._backoff = Backoff()
        self._suspicion = Suspicion()
        self._not_before = 0.0
        self._status_due = 0.0
        self._limit = MAX_BATCH_RECORDS
        self._wrong_in_a_row = 0
        self._is_wanted_again = False
        self._is_cut_off = False
        self.due_at = monotonic()
        self.slack_s = 0.0
        self.report_every(5.0)

    def report_every(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self.slack_s = interval_s * _SLACK_SHARE
        self.due_at = min(self.due_at, monotonic() + interval_s)

    def hurry(self) -> None:
        """Something can't wait for the next report. Whoever is not about to look at `due_at` himself must nudge."""
        self.due_at = -inf

    def retry_now(self) -> bool:
        """The hub was just reached on the other connection; whether there is something to try again."""
        if not self._is_cut_off:
            return False
        self._not_before = 0.0
        self.hurry()
        return True

    def send_due(self, turn: Turn | None = None) -> None:
        """Send what there is. What is not taken now is made safe from a power cut; what the hub has needs no such thing."""
        self.due_at = monotonic() + self._interval_s
        if not self._busy.acquire(blocking=False):
            self._is_wanted_again = True
            self._spool.sync()
            return
        try:
            self._is_wanted_again = False
            is_all_sent = monotonic() >= self._not_before and self._send_all(_TIMEOUT_S, turn)
        finally:
            self._busy.release()
        if not is_all_sent:
            self._spool.sync()
        if self._is_wanted_again:
            self.hurry()

    def close(self, *, timeout_s: float, may_send: bool) -> None:
        """The last words, unless another thread is still sending after `timeout_s`."""
        self._spool.sync()
        if self._busy.acquire(timeout=timeout_s) and may_send:
            self._send_all(timeout_s)

    def _send_all(self, timeout_s: float, turn: Turn | None = None) -> bool:
        """Until nothing is left (True) or the hub does not take it."""
        until = monotonic() + 60.0
        while (batch := self._spool.batch(self._limit)) is not None:
            if monotonic() >= until:
                return False
            if not self._spool.renumber(batch) and not self._send(batch, timeout_s, turn=turn):
                return False
        return monotonic() < self._status_due or self._send(None, timeout_s, turn=turn)

    def _send(self, batch: Batch | None, timeout_s: float, *, turn: Turn | None) -> bool:
        """Whether to go on with the next batch at once."""
        try:
            answer = self._hub.post(RECORDS_PATH, self._encode(batch), timeout_s=timeout_s, turn=turn)
        except HubUnreachable as failure:
            self._voice.trouble("reach", f"the hub can't be reached: {failure}")
            self._is_cut_off = True
            self._not_before = monotonic() + self._backoff.next_s()
            return False
        self._is_cut_off = False
        self._voice.fine("reach", "the hub is reached again after {}")
        if answer.status == 200:  # noqa: PLR2004
            self._accepted(batch, answer)
            return True
        return self._refused(batch, answer, turn=turn)

    def _encode(self, batch: Batch | None) -> bytes:
        """The records are on disk as they go out, so they are pasted in instead of being read and written again."""
        spool: Json = {"id": self._spool.id, "first_seq": None, "last_seq": None}
        if batch is not None:
            spool = {"id": batch.spool_id, "first_seq": batch.first_seq, "last_seq": batch.last_seq}
        envelope = encode({"spool": spool, "status": self._status(), "sent_at": now_ms()})
        records = b",".join(batch.records) if batch else b""
        return b'{"agent":%b,%b,"records":[%b]}' % (self._agent, envelope[1:-1], records)

    def _accepted(self, batch: Batch | None, answer: Answer) -> None:
        self._backoff.reset()
        self._voice.fine("key", "the hub takes the key again")
        self._status_due = monotonic() + _STATUS_EVERY_S
        server_time = answer.body.get("server_time")
        if isinstance(server_time, int | float):
            self._clock.observe(answer.sent_ms, server_time, server_time, answer.received_ms)
        if batch is not None:
            self._voice.fine("records", "the hub takes records again after {}")
            self._settle(batch, answer)
            self._wrong_in_a_row = 0
            self._suspicion.passed(spool_id=batch.spool_id, last_seq=batch.last_seq)
            if not self._suspicion.is_searching:
                self._limit = min(MAX_BATCH_RECORDS, self._limit * 2)

    def _settle(self, batch: Batch, answer: Answer) -> None:
        left_out = _left_out(answer.body.get("rejected"))
        if left_out:
            count = self._spool.keep_apart(batch, left_out)
            self._voice.say(
                f"error: the hub fails on {count} record(s) ({', '.join(sorted(set(left_out.values())))}); set aside"
            )
        last_seq = answer.body.get("last_seq")
        if isinstance(last_seq, int) and self._spool.is_set_back(batch, last_seq):
            self._spool.begin_anew()
        if not self._spool.renumber(batch):
            self._spool.confirm(batch)

    def _refused(self, batch: Batch | None, answer: Answer, *, turn: Turn | None) -> bool:
        if answer.status in (401, 403):
            self._voice.trouble(
                "key", f"the hub refuses this agent's key ({answer.complaint}); asking again every 60 s"
            )
            self._not_before = monotonic() + _KEY_REFUSED_RETRY_S
            return False
        if batch is not None and answer.status in (400, 413, 422):
            self._narrow(batch, answer)
            return True
        is_failure = answer.status >= 500 and answer.status not in _LATER  # noqa: PLR2004
        if batch is not None and is_failure and self._suspect(batch, answer, turn=turn):
            return True
        self._voice.trouble("records", f"the hub does not take records now: {answer.complaint}")
        self._not_before = monotonic() + self._backoff.next_s(answer.retry_after_s)
        return False

    def _narrow(self, batch: Batch, answer: Answer) -> None:
        """Halve until the wrong record is alone; a hub that finds all of them wrong gets no more such questions."""
        is_hopeless = answer.status != 413 and self._wrong_in_a_row >= _ALL_WRONG  # noqa: PLR2004
        if len(batch.records) > 1 and not is_hopeless:
            self._limit = max(1, len(batch.records) // 2)
            return
        self._voice.say(
            f"the hub calls {len(batch.records)} record(s) wrong ({answer.complaint}); set aside in the spool"
        )
        self._spool.reject(batch, answer.complaint)
        self._wrong_in_a_row += 1
        if is_hopeless:
            self._limit = MAX_BATCH_RECORDS

    def _suspect(self, batch: Batch, answer: Answer, *, turn: Turn | None) -> bool:
        """Whether to go on at once: with a smaller batch, or after the record that the hub fails on."""
        verdict = self._suspicion.failed(spool_id=batch.spool_id, first_seq=batch.first_seq, last_seq=batch.last_seq)
        if verdict is Verdict.HALVE:
            self._limit = max(1, len(batch.records) // 2)
            return True
        if verdict is Verdict.WAIT:
            return False
        if not self._send(None, _TIMEOUT_S, turn=turn):
            self._suspicion.drop()
            return False
        self._voice.say(f"error: the hub fails on one record ({answer.complaint}); set aside in the spool")
        self._spool.reject(batch, answer.complaint)
        self._suspicion.accused()
        return True


def _left_out(said: object) -> dict[int, str]:
    """Records that the hub could not take though it took the rest, and why, by their numbers."""
    listed = [each for each in said if isinstance(each, dict)] if isinstance(said, list) else []
    return {each["seq"]: str(each.get("why", "")) for each in listed if isinstance(each.get("seq"), int)}
