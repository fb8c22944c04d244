"""Brings what is spooled to the hub: what changed at once, the rest each report interval."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from time import monotonic

from atalaia_agent.backoff import Backoff
from atalaia_agent.clock import ClockOffset
from atalaia_agent.hub import Answer, HubConnection, HubUnreachable, encode
from atalaia_agent.spool import Batch, Spool
from atalaia_agent.voice import Voice
from atalaia_agent.wire import MAX_BATCH_RECORDS, RECORDS_PATH, Json, now_ms

_TIMEOUT_S = 30.0
_KEY_REFUSED_RETRY_S = 60.0
_STATUS_EVERY_S = 30.0
_ALL_WRONG = 8


class Sender:
    """Runs in a thread of its own; `wake` may be called from any."""

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
        self._agent = agent
        self._status = status
        self._clock = clock
        self._voice = voice
        self._wake = Event()
        self._backoff = Backoff()
        self._not_before = 0.0
        self._status_due = 0.0
        self._limit = MAX_BATCH_RECORDS
        self._wrong_in_a_row = 0
        self._is_stopped = False
        self._is_cut_off = False
        self.report_interval_s = 5.0

    def wake(self) -> None:
        self._wake.set()

    def retry_now(self) -> None:
        """The hub was just reached on the other connection."""
        if self._is_cut_off:
            self._not_before = 0.0
            self._wake.set()

    def run(self) -> None:
        while not self._is_stopped:
            self._wake.wait(self.report_interval_s)
            self._wake.clear()
            self._spool.sync()
            if monotonic() >= self._not_before:
                self.send_all(timeout_s=_TIMEOUT_S)

    def stop(self) -> None:
        self._is_stopped = True
        self._wake.set()

    def send_all(self, *, timeout_s: float) -> None:
        """Until nothing is left or the hub does not take it."""
        until = monotonic() + 60.0
        while (batch := self._spool.batch(self._limit)) is not None and monotonic() < until:
            if not self._spool.renumber(batch) and not self._send(batch, timeout_s):
                return
        if monotonic() >= self._status_due:
            self._send(None, timeout_s)

    def _send(self, batch: Batch | None, timeout_s: float) -> bool:
        """Whether to go on with the next batch at once."""
        try:
            answer = self._hub.post(RECORDS_PATH, self._encode(batch), timeout_s=timeout_s)
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
        return self._refused(batch, answer)

    def _encode(self, batch: Batch | None) -> bytes:
        """The records are on disk as they go out, so they are pasted in instead of being read and written again."""
        stats = self._status()
        spool: Json = {"id": self._spool.id, "first_seq": None, "last_seq": None}
        if batch is not None:
            spool = {"id": batch.spool_id, "first_seq": batch.first_seq, "last_seq": batch.last_seq}
        envelope = encode({"agent": self._agent, "spool": spool, "status": stats, "sent_at": now_ms()})
        return envelope[:-1] + b',"records":[' + b",".join(batch.records if batch else ()) + b"]}"

    def _accepted(self, batch: Batch | None, answer: Answer) -> None:
        self._backoff.reset()
        self._voice.fine("key", "the hub takes the key again")
        self._voice.fine("records", "the hub takes records again after {}")
        self._status_due = monotonic() + _STATUS_EVERY_S
        server_time = answer.body.get("server_time")
        if isinstance(server_time, int | float):
            self._clock.observe(answer.sent_ms, server_time, server_time, answer.received_ms)
        if batch is not None:
            self._settle(batch, answer)
            self._wrong_in_a_row = 0
            self._limit = min(MAX_BATCH_RECORDS, self._limit * 2)

    def _settle(self, batch: Batch, answer: Answer) -> None:
        last_seq = answer.body.get("last_seq")
        if isinstance(last_seq, int) and self._spool.is_set_back(batch, last_seq):
            self._spool.begin_anew()
        if not self._spool.renumber(batch):
            self._spool.confirm(batch)

    def _refused(self, batch: Batch | None, answer: Answer) -> bool:
        if answer.status in (401, 403):
            self._voice.trouble(
                "key", f"the hub refuses this agent's key ({answer.complaint}); asking again every 60 s"
            )
            self._not_before = monotonic() + _KEY_REFUSED_RETRY_S
            return False
        if batch is not None and answer.status in (400, 413, 422):
            self._narrow(batch, answer)
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
